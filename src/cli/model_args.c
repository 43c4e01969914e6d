/* model_args.c: read the shared model and device options. */
#include "cli/model_args.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "cli/default_model.h"
#include "cli/report.h"
#include "tasks/device.h"

/* Nothing at all was named: neither a model nor a part of one. */
static bool nothing_named(const options *o)
{
    return !options_given(o, "model") && !options_given(o, "lm") &&
           !options_given(o, "mimi");
}

bool model_args_named(const options *o, model_parts needed)
{
    return options_given(o, "model") || nothing_named(o) ||
           ((options_given(o, "lm") || !(needed & MODEL_PARTS_LM)) &&
            (options_given(o, "mimi") || !(needed & MODEL_PARTS_MIMI)));
}

moshi_status device_args(const options *o, const char **device, int *threads,
                         moshi_error *err)
{
    *threads = options_given(o, "threads")
                   ? (int)options_integer(o, "threads") : 0;
    *device = options_text(o, "device");
    return device_name_check(*device, err);
}

/* "auto", or a number; as moshi_model_params has it. */
static bool read_layers(const char *text, int *out)
{
    char *end;
    *out = DEVICE_LAYERS_AUTO;
    if (!text || strcmp(text, "auto") == 0)
        return true;
    long n = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : -1;
    *out = n == 0 ? DEVICE_LAYERS_NONE : (int)n;
    return n >= 0 && *end == 0 && n <= LIMIT_LAYERS;
}

moshi_status device_layers(const char *text, int *out, moshi_error *err)
{
    return read_layers(text, out)
               ? MOSHI_OK
               : error_set(err, MOSHI_ARGUMENT, "%s: expected a number of "
                           "layers, or auto", text);
}

void device_report(const options *o, const char *device, const char *note)
{
    bool quiet = options_flag(o, "quiet");
    if (note[0] && options_given(o, "device"))
        report_note(quiet, "computing on the CPU: %s", note);
    else if (strcmp(device, "cpu") != 0)
        report_note(quiet, "computing on %s", device);
}

moshi_status model_args(const options *o, moshi_model_params *out,
                        moshi_error *err)
{
    *out = (moshi_model_params){
        .model = options_text(o, "model"),
        .lm = options_text(o, "lm"),
        .mimi = options_text(o, "mimi"),
        .tokenizer = options_text(o, "tokenizer"),
        .config = options_text(o, "config"),
        .mimi_config = options_text(o, "mimi-config"),
        .codec_weights = options_text(o, "codec-weights"),
    };
    moshi_status status = device_layers(options_text(o, "gpu-layers"),
                                        &out->gpu_layers, err);
    return status == MOSHI_OK
               ? device_args(o, &out->device, &out->threads, err) : status;
}

moshi_status model_args_default(moshi_model_params *p, moshi_error *err)
{
    if (p->model || p->lm || p->mimi)
        return MOSHI_OK;
    return default_model_folder(&p->model, err);
}

moshi_status codec_args(const options *o, char **mimi, char **config,
                        moshi_error *err)
{
    moshi_model_params p;
    model_files files = {0};
    moshi_status status = model_args(o, &p, err);
    if (status == MOSHI_OK)
        status = model_args_default(&p, err);
    if (status != MOSHI_OK)
        return status;
    if (!p.model) /* then it says nothing about the codec */
        p.config = NULL;
    status = model_files_find(&files, &p, MODEL_PARTS_MIMI, err);
    if (status == MOSHI_OK) {
        *mimi = files.mimi;
        *config = files.mimi_config;
        files.mimi = files.mimi_config = NULL;
    }
    model_files_release(&files);
    return status;
}
