/* trace_args.c: read --frames and --match; open what is to be traced. */
#include "cli/trace_args.h"

#include <stdlib.h>

#include "base/error.h"
#include "tasks/model_files.h"

/* A whole number of digits at *text; moves behind it. */
static bool take_number(const char **text, size_t *out)
{
    char *end;
    if (**text < '0' || **text > '9')
        return false;
    unsigned long long n = strtoull(*text, &end, 10);
    *out = (size_t)n;
    *text = end;
    return n < (1ull << 40);
}

/* "A:B" is A … B-1; either side may be missing; "A" is one frame. */
static bool read_frames(const char *text, size_t *first, size_t *end)
{
    *first = *end = 0;
    if (*text != ':' && !take_number(&text, first))
        return false;
    if (!*text) {
        *end = *first + 1;
        return true;
    }
    if (*text++ != ':')
        return false;
    return !*text || (take_number(&text, end) && !*text && *end > *first);
}

moshi_status trace_choice_read(const options *o, trace_choice *out,
                               moshi_error *err)
{
    const char *frames = options_text(o, "frames"), *glob;
    *out = (trace_choice){0};
    if (frames && !read_frames(frames, &out->first, &out->end))
        return error_set(err, MOSHI_ARGUMENT,
                         "'%s' is no range of frames; give A:B for A up to, "
                         "not including, B", frames);
    while ((glob = options_repeated(o, "match", out->n_globs))) {
        if (out->n_globs == TRACE_GLOBS_MAX)
            return error_set(err, MOSHI_ARGUMENT, "more than %d times --match",
                             TRACE_GLOBS_MAX);
        out->globs[out->n_globs++] = glob;
    }
    return MOSHI_OK;
}

void trace_choice_apply(const trace_choice *choice, trace_run *run)
{
    run->match = choice->globs;
    run->n_match = choice->n_globs;
    run->first = choice->first;
    run->end = choice->end;
}

moshi_status trace_args_open(moshi_model **out, const moshi_model_params *p,
                             bool codec, cpu_level level, moshi_error *err)
{
    model_files files = {0};
    moshi_model_params part = *p;
    if (!codec)
        return model_open(out, p, level, err);
    if (!part.model) /* then it says nothing about the codec */
        part.config = NULL;
    moshi_status status = model_files_find(&files, &part, MODEL_PARTS_MIMI,
                                           err);
    if (status == MOSHI_OK) {
        moshi_codec_params c = {.path = files.mimi,
                                .weights = p->codec_weights,
                                .config_path = files.mimi_config,
                                .threads = p->threads,
                                .device = p->device};
        status = trace_open_codec(out, &c, level, err);
    }
    model_files_release(&files);
    return status;
}
