/* talk_args.c: read the options of a conversation; load what is heard. */
#include "cli/talk_args.h"

#include <string.h>

#include "audio/source_file.h"
#include "base/error.h"
#include "base/memory.h"
#include "cli/model_args.h"
#include "tasks/cache_type.h"

#define SILENCE_AFTER_SAMPLES 12000 /* as the official gen */

/* As moshi_model_params wants it: there, 0 stands for the model's own. */
static int wanted_delay(const options *o)
{
    if (!options_given(o, "acoustic-delay"))
        return 0;
    int given = (int)options_integer(o, "acoustic-delay");
    return given == 0 ? -1 : given;
}

moshi_status talk_model_args(const options *o, moshi_model_params *out,
                             moshi_error *err)
{
    moshi_status status = model_args(o, out, err);
    out->acoustic_delay = wanted_delay(o);
    out->exact_activations = options_flag(o, "exact-activations");
    out->kv = options_text(o, "kv");
    return status == MOSHI_OK ? cache_type_check(out->kv, err) : status;
}

moshi_status talk_stream_args_read(const options *o, talk_stream_args *out,
                                   moshi_error *err)
{
    moshi_stream_params *p = &out->params;
    const char *condition;
    *out = (talk_stream_args){0};
    p->conditions = out->conditions;
    while ((condition = options_repeated(o, "condition", p->n_conditions))) {
        if (p->n_conditions == LIMIT_CONDITIONERS)
            return error_set(err, MOSHI_ARGUMENT, "more than %d conditions",
                             LIMIT_CONDITIONERS);
        out->conditions[p->n_conditions++] = condition;
    }
    p->greedy = options_flag(o, "greedy");
    if (options_given(o, "temp"))
        p->temperature = (float)options_real(o, "temp");
    if (options_given(o, "text-temp"))
        p->text_temperature = (float)options_real(o, "text-temp");
    if (options_given(o, "top-k"))
        p->top_k = (int)options_integer(o, "top-k");
    if (options_given(o, "text-top-k"))
        p->text_top_k = (int)options_integer(o, "text-top-k");
    if (options_given(o, "seed"))
        p->seed = (uint64_t)options_integer(o, "seed");
    if (options_given(o, "cfg-alpha"))
        p->guidance = (float)options_real(o, "cfg-alpha");
    return MOSHI_OK;
}

moshi_status talk_recording_load(talk_recording *out, const options *o,
                                 int rate_hz, size_t frame_samples,
                                 moshi_error *err)
{
    const char *path = o->args[0];
    float *recorded = NULL;
    talk_recording r = {0};
    moshi_status status = source_file_load(path, rate_hz, &recorded,
                                           &r.recorded, err);
    if (status != MOSHI_OK)
        return status;
    r.before = (size_t)(options_real(o, "lead-in") * rate_hz);
    size_t after = (size_t)(options_real(o, "tail") * rate_hz);
    size_t room = r.before + r.recorded + after + SILENCE_AFTER_SAMPLES;
    size_t all = room;
    if (options_given(o, "max-seconds")) {
        size_t most = (size_t)(options_real(o, "max-seconds") * rate_hz);
        all = all < most ? all : most;
    }
    r.frames = all / frame_samples;
    r.pcm = memory_calloc(room, sizeof *r.pcm);
    if (!r.pcm)
        status = error_no_memory(err, "the recording");
    else
        memcpy(r.pcm + r.before, recorded, r.recorded * sizeof *r.pcm);
    memory_free(recorded);
    if (status == MOSHI_OK && r.frames == 0)
        status = error_set(err, MOSHI_ARGUMENT,
                           "%s: shorter than one frame of %zu samples", path,
                           frame_samples);
    if (status == MOSHI_OK)
        *out = r;
    else
        memory_free(r.pcm);
    return status;
}
