/* bench_model.c: the model that is measured: from files, or made up. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "files/value.h"
#include "lab/bench.h"
#include "lab/synth_list.h"
#include "tasks/cache_type.h"
#include "tasks/codec_weights.h"

static moshi_status open_codec(bench_model *b, const char *kept,
                               moshi_error *err)
{
    moshi_model *m = b->model;
    mimi_model_params p = {.path = m->files.mimi,
                           .config_path = m->files.mimi_config};
    moshi_status status = codec_weights_set(&p, m->backend, kept, err);
    return status == MOSHI_OK ? mimi_model_open(&m->mimi, &p, err) : status;
}

moshi_status bench_model_open(bench_model *out,
                              const moshi_model_params *params,
                              moshi_error *err)
{
    bench_model b = {0};
    if (params->model || params->lm) {
        double start = clock_seconds();
        moshi_status status = moshi_model_open(&b.model, params, err);
        if (status != MOSHI_OK)
            return status;
        double opened = clock_seconds();
        moshi_model_wait(b.model);
        b.open_ms = 1e3 * (opened - start);
        b.load_ms = 1e3 * (clock_seconds() - opened);
        *out = b;
        return MOSHI_OK;
    }
    moshi_model_params p = *params;
    p.config = NULL; /* of a language model */
    b.model = memory_calloc(1, sizeof *b.model);
    if (!b.model)
        return error_no_memory(err, "the codec");
    moshi_status status = model_files_find(&b.model->files, &p,
                                           MODEL_PARTS_MIMI, err);
    if (status == MOSHI_OK)
        status = device_open(&b.model->backend, params->device,
                             params->threads, CPU_LEVEL_COUNT,
                             &b.model->device, err);
    if (status == MOSHI_OK)
        status = open_codec(&b, params->codec_weights, err);
    if (status == MOSHI_OK)
        *out = b;
    else
        bench_model_close(&b);
    return status;
}

static moshi_status parse(value **out, const char *text, moshi_error *err)
{
    return text ? value_parse_json(out, text, strlen(text), "the preset", err)
                : MOSHI_OK;
}

static moshi_status make_lm(bench_model *b, const synth_parts *parts,
                            const char *label,
                            const moshi_model_params *params,
                            synth_progress *progress, void *user,
                            moshi_error *err)
{
    value *config = NULL;
    checkpoint *file = NULL;
    lm_model_params p = {
        .config_path = "the preset",
        .acoustic_delay = -1,
        .activations = params->exact_activations
                           ? LM_ACTIVATIONS_EXACT
                           : LM_ACTIVATIONS_AS_OFFICIAL};
    moshi_status status = cache_type_choose(&p.cache, params->kv, err);
    if (status == MOSHI_OK)
        status = parse(&config, parts->lm_config, err);
    if (status == MOSHI_OK)
        status = synth_memory_open(&b->lm_bytes, &file, parts->lm,
                                   parts->format, label, progress, user, err);
    if (status == MOSHI_OK)
        status = lm_model_from_checkpoint(&b->model->lm, &file, config, &p,
                                          err);
    value_close(&config);
    return status;
}

/* As many codebooks as the language model hears or speaks. */
static int codebooks(const lm_model *lm)
{
    if (!lm)
        return 0;
    int user = lm->config.n_q - lm->config.dep_q;
    return user > lm->config.dep_q ? user : lm->config.dep_q;
}

static moshi_status make_mimi(bench_model *b, const synth_parts *parts,
                              const char *kept, moshi_error *err)
{
    value *config = NULL;
    checkpoint *file = NULL;
    mimi_model_params p = {.config_path = "the preset",
                           .codebooks = codebooks(b->model->lm)};
    moshi_status status = codec_weights_set(&p, b->model->backend, kept,
                                            err);
    if (status == MOSHI_OK)
        status = parse(&config, parts->mimi_config, err);
    if (status == MOSHI_OK)
        status = synth_memory_open(&b->mimi_bytes, &file, parts->mimi,
                                   CHECKPOINT_SAFETENSORS, "the codec", NULL,
                                   NULL, err);
    if (status == MOSHI_OK)
        status = mimi_model_from_checkpoint(&b->model->mimi, &file, config, &p,
                                            err);
    value_close(&config);
    return status;
}

moshi_status bench_model_synthetic(bench_model *out, const char *preset,
                                   const moshi_model_params *params,
                                   synth_progress *progress, void *user,
                                   moshi_error *err)
{
    bench_model b = {0};
    synth_parts parts = {0};
    moshi_status status = synth_parts_make(&parts, preset, err);
    if (status == MOSHI_OK) {
        b.model = memory_calloc(1, sizeof *b.model);
        if (!b.model)
            status = error_no_memory(err, "the model");
    }
    if (status == MOSHI_OK) {
        b.model->defaults = (model_defaults){-1, -1, -1, -1};
        status = device_open(&b.model->backend, params->device,
                             params->threads, CPU_LEVEL_COUNT,
                             &b.model->device, err);
    }
    if (status == MOSHI_OK && parts.lm)
        status = make_lm(&b, &parts, preset, params,
                         progress, user, err);
    if (status == MOSHI_OK)
        status = make_mimi(&b, &parts, params->codec_weights, err);
    if (status == MOSHI_OK)
        status = model_place(b.model, params, CPU_LEVEL_COUNT, err);
    synth_parts_release(&parts);
    if (status == MOSHI_OK)
        *out = b;
    else
        bench_model_close(&b);
    return status;
}

void bench_model_close(bench_model *b)
{
    moshi_model_close(&b->model);
    synth_memory_release(&b->lm_bytes);
    synth_memory_release(&b->mimi_bytes);
}
