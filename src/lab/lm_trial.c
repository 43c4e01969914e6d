/* lm_trial.c: open, step and close a stream for a test. */
#include "lab/lm_trial.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "lab/test_sound.h"
#include "mimi/stream.h"
#include "tasks/stream_params.h"

moshi_status lm_trial_init(lm_trial *t, const moshi_model *model, backend *be,
                           moshi_error *err)
{
    stream_settings settings;
    const moshi_stream_params greedy = {.greedy = 1};
    *t = (lm_trial){.model = model->lm};
    moshi_status status = stream_settings_make(&settings, model, &greedy, err);
    if (status == MOSHI_OK)
        status = lm_stream_open(&t->stream, model->lm, be, &settings.lm, err);
    if (status == MOSHI_OK)
        status = lm_runner_open(&t->runner, model->lm, be, false, 1, err);
    if (status != MOSHI_OK)
        lm_trial_release(t);
    return status;
}

void lm_trial_release(lm_trial *t)
{
    lm_runner_close(&t->runner);
    lm_stream_close(&t->stream);
}

moshi_status lm_trial_step(lm_trial *t, const int32_t *user,
                           const int32_t *forced, int32_t *tokens,
                           const plan_hook *hook)
{
    return lm_step(t->runner, &t->stream, 1, &user, forced ? &forced : NULL,
                   &tokens, hook);
}

moshi_status lm_trial_hear(const moshi_model *model, size_t n,
                           int32_t **codes, moshi_error *err)
{
    const mimi_model *m = model->mimi;
    size_t samples = (size_t)m->config.frame_samples;
    size_t user = (size_t)(model->lm->config.n_q - model->lm->config.dep_q);
    mimi_runner *runner = NULL;
    mimi_encoder *encoder = NULL;
    int32_t row[MIMI_CODEBOOKS_MAX], *out = row;
    float *pcm = memory_calloc(n * samples, sizeof *pcm);
    int32_t *all = memory_calloc(n * user + 1, sizeof *all);
    moshi_status status = pcm && all ? MOSHI_OK
                                     : error_no_memory(err, "the test sound");
    if (status == MOSHI_OK)
        status = mimi_runner_open(&runner, m, model->backend, MIMI_ENCODE, 1,
                                  err);
    if (status == MOSHI_OK)
        status = mimi_encoder_open(&encoder, m, model->backend, err);
    if (status == MOSHI_OK)
        test_sound_fill(pcm, n * samples, m->config.sample_rate_hz);
    for (size_t f = 0; f < n && status == MOSHI_OK; f++) {
        const float *in = pcm + f * samples;
        mimi_encode_frame(runner, &encoder, 1, &in, &out, NULL);
        memcpy(all + f * user, row, user * sizeof *all);
    }
    mimi_encoder_close(&encoder);
    mimi_runner_close(&runner);
    memory_free(pcm);
    if (status == MOSHI_OK)
        *codes = all;
    else
        memory_free(all);
    return status;
}
