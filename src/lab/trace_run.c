/* trace_run.c: the loop over the frames, with a recorder looking on. */
#include "lab/trace_run.h"

#include <assert.h>
#include <math.h>

#include "base/error.h"
#include "base/memory.h"
#include "lab/trace_recorder.h"
#include "tasks/codec_weights.h"
#include "tasks/speech_to_speech.h"

static size_t frames_of(const trace_run *run)
{
    const trace_tokens *t = run->forced;
    return t && t->steps < run->frames ? t->steps : run->frames;
}

static moshi_status check_samples(const trace_run *run, size_t n,
                                  moshi_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(run->pcm[i]))
            return error_set(err, MOSHI_ARGUMENT,
                             "sample %zu is not a finite number", i);
    return MOSHI_OK;
}

/* Notes and layout in one: the file is open afterwards. */
static moshi_status open_recorder(trace_recorder **out, trace_notes *notes,
                                  moshi_model *m,
                                  const moshi_stream_params *sampling,
                                  const trace_run *run,
                                  trace_recorder_params *p, moshi_error *err)
{
    moshi_status status = trace_notes_make(notes, m, sampling, &run->inputs,
                                           run->hashes, err);
    p->path = run->path;
    p->notes = notes->list;
    p->n_notes = notes->n;
    p->match = run->match;
    p->n_match = run->n_match;
    p->frames = frames_of(run);
    p->first = run->first;
    p->end = run->end ? run->end : p->frames;
    p->backend = m->backend;
    return status == MOSHI_OK ? trace_recorder_open(out, p, err) : status;
}

static void tell(const trace_run *run, size_t done)
{
    if (run->progress)
        run->progress(run->user, (double)done / (double)frames_of(run));
}

/* --- a conversation --- */

static moshi_status run_frames(speech_to_speech *s, trace_recorder *r,
                               const trace_run *run, float *spoken,
                               moshi_error *err)
{
    const trace_tokens *t = run->forced;
    size_t samples = (size_t)s->model->mimi->config.frame_samples;
    moshi_status status = MOSHI_OK;
    s->watch = (frame_watch){.encode = trace_recorder_hook(r, TRACE_ENCODER),
                             .lm = trace_recorder_hook(r, TRACE_LM),
                             .decode = trace_recorder_hook(r, TRACE_DECODER)};
    for (size_t f = 0; f < frames_of(run) && status == MOSHI_OK; f++) {
        frame_result result = {.pcm = spoken};
        if (t)
            s->watch.forced = t->tokens + f * (1 + (size_t)t->own);
        if (t && t->user)
            s->watch.heard = t->heard + f * (size_t)t->user;
        trace_recorder_begin(r, f);
        speech_to_speech_frame(s, run->pcm + f * samples, &result);
        status = backend_failure(s->model->backend, err);
        if (status != MOSHI_OK)
            break;
        trace_frame brought = {
            .codes_in = result.codes_in,
            .tokens = result.tokens,
            .codes_out = result.spoken ? result.codes_out : NULL};
        status = trace_recorder_end(r, &brought, err);
        tell(run, f + 1);
    }
    return status == MOSHI_OK ? trace_recorder_finish(r, err) : status;
}

moshi_status trace_run_model(moshi_model *m,
                             const moshi_stream_params *sampling,
                             const trace_run *run, moshi_error *err)
{
    speech_to_speech *s = NULL;
    trace_recorder *r = NULL;
    trace_notes notes = {0};
    float *spoken = NULL;
    size_t samples = (size_t)m->mimi->config.frame_samples;
    moshi_status status = check_samples(run, run->frames * samples, err);
    if (status == MOSHI_OK && run->forced)
        status = trace_tokens_check(run->forced, &m->lm->config, err);
    if (status == MOSHI_OK)
        status = speech_to_speech_open(&s, m, sampling, err);
    if (status == MOSHI_OK) {
        const lm_config *c = &m->lm->config;
        trace_recorder_params p = {
            .plans = {[TRACE_ENCODER] = m->mimi->encoder,
                      [TRACE_LM] = s->runner->plan->plan,
                      [TRACE_DECODER] = m->mimi->decoder},
            .lm_inputs = s->runner->plan->tokens_in,
            .lm_forced = s->runner->plan->forced,
            .own = c->dep_q,
            .user = c->n_q - c->dep_q,
            .delay = s->lm->timeline.delay_max};
        status = open_recorder(&r, &notes, m, sampling, run, &p, err);
    }
    if (status == MOSHI_OK) {
        spoken = memory_calloc(samples, sizeof *spoken);
        if (!spoken)
            status = error_no_memory(err, "a frame");
    }
    if (status == MOSHI_OK)
        status = run_frames(s, r, run, spoken, err);
    memory_free(spoken);
    trace_recorder_close(&r);
    trace_notes_release(&notes);
    speech_to_speech_close(&s);
    return status;
}

/* --- the codec alone --- */

typedef struct codec_work {
    mimi_runner *runner;
    mimi_encoder *encoder;
    mimi_decoder *decoder;
    int32_t *codes; /* [codebooks] */
    float *pcm;     /* one frame */
} codec_work;

static moshi_status open_work(codec_work *w, const moshi_model *m,
                              moshi_error *err)
{
    backend *be = m->backend;
    w->codes = memory_calloc((size_t)m->mimi->codebooks, sizeof *w->codes);
    w->pcm = memory_calloc((size_t)m->mimi->config.frame_samples,
                           sizeof *w->pcm);
    if (!w->codes || !w->pcm)
        return error_no_memory(err, "a frame");
    moshi_status status = mimi_runner_open(&w->runner, m->mimi, be, MIMI_BOTH,
                                           1, err);
    if (status == MOSHI_OK)
        status = mimi_encoder_open(&w->encoder, m->mimi, be, err);
    if (status == MOSHI_OK)
        status = mimi_decoder_open(&w->decoder, m->mimi, be, err);
    return status;
}

static moshi_status code_frames(codec_work *w, const moshi_model *m,
                                trace_recorder *r, const trace_run *run,
                                moshi_error *err)
{
    const trace_tokens *t = run->forced;
    size_t samples = (size_t)m->mimi->config.frame_samples;
    moshi_status status = MOSHI_OK;
    for (size_t f = 0; f < frames_of(run) && status == MOSHI_OK; f++) {
        const float *in = run->pcm + f * samples;
        const int32_t *spoken =
            t ? t->decoded + f * (size_t)t->own : w->codes;
        trace_recorder_begin(r, f);
        mimi_encode_frame(w->runner, &w->encoder, 1, &in, &w->codes,
                          trace_recorder_hook(r, TRACE_ENCODER));
        status = mimi_decode_frame(w->runner, &w->decoder, 1, &spoken,
                                   t ? t->own : m->mimi->codebooks, &w->pcm,
                                   trace_recorder_hook(r, TRACE_DECODER));
        assert(status == MOSHI_OK); /* the codes were checked */
        trace_frame brought = {.codes_in = w->codes, .codes_out = spoken};
        status = backend_failure(m->backend, err);
        if (status != MOSHI_OK)
            break;
        status = trace_recorder_end(r, &brought, err);
        tell(run, f + 1);
    }
    return status == MOSHI_OK ? trace_recorder_finish(r, err) : status;
}

moshi_status trace_run_codec(const trace_run *run, moshi_model *m,
                             moshi_error *err)
{
    trace_recorder *r = NULL;
    trace_notes notes = {0};
    codec_work w = {0};
    size_t samples = (size_t)m->mimi->config.frame_samples;
    int codebooks = m->mimi->codebooks;
    moshi_status status = check_samples(run, run->frames * samples, err);
    if (status == MOSHI_OK && run->forced)
        status = trace_tokens_check_codes(run->forced, codebooks,
                                          m->mimi->config.bins, err);
    if (status == MOSHI_OK)
        status = open_work(&w, m, err);
    if (status == MOSHI_OK) {
        trace_recorder_params p = {
            .plans = {[TRACE_ENCODER] = m->mimi->encoder,
                      [TRACE_DECODER] = m->mimi->decoder},
            .own = run->forced ? run->forced->own : codebooks,
            .user = codebooks};
        status = open_recorder(&r, &notes, m, NULL, run, &p, err);
    }
    if (status == MOSHI_OK)
        status = code_frames(&w, m, r, run, err);
    trace_recorder_close(&r);
    trace_notes_release(&notes);
    mimi_encoder_close(&w.encoder);
    mimi_decoder_close(&w.decoder);
    mimi_runner_close(&w.runner);
    memory_free(w.codes);
    memory_free(w.pcm);
    return status;
}

moshi_status trace_open_codec(moshi_model **out,
                              const moshi_codec_params *params,
                              cpu_level level, moshi_error *err)
{
    moshi_model *m = memory_calloc(1, sizeof *m);
    mimi_model_params p = {.path = params->path,
                           .config_path = params->config_path,
                           .codebooks = params->codebooks};
    if (!m)
        return error_no_memory(err, "the codec");
    moshi_status status = device_open(&m->backend, params->device,
                                      params->threads, level, &m->device,
                                      err);
    m->files.mimi = memory_strdup(params->path);
    m->files.mimi_config = params->config_path
                               ? memory_strdup(params->config_path) : NULL;
    if (status == MOSHI_OK &&
        (!m->files.mimi || (params->config_path && !m->files.mimi_config)))
        status = error_no_memory(err, "file names");
    if (status == MOSHI_OK)
        status = codec_weights_set(&p, m->backend, params->weights, err);
    if (status == MOSHI_OK)
        status = mimi_model_open(&m->mimi, &p, err);
    if (status == MOSHI_OK)
        *out = m;
    else
        moshi_model_close(&m);
    return status;
}
