/* echo.c: run codes through a codec and count what comes back. */
#include "lab/echo.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "lab/test_sound.h"
#include "mimi/stream.h"

/* Distances at which codes are compared for the share by chance. */
#define CHANCE_SHIFTS 8

struct echo_mimi {
    const mimi_model *model; /* borrowed */
    mimi_runner *runner;
    mimi_encoder *encoders[ECHO_LANES];
    mimi_decoder *decoders[ECHO_LANES];
    float *pcm;      /* a frame for each lane */
    int32_t *heard;  /* a row of all codebooks for each lane */
};

moshi_status echo_mimi_open(echo_mimi **out, const mimi_model *model,
                            backend *be, moshi_error *err)
{
    echo_mimi *e = memory_calloc(1, sizeof *e);
    if (!e)
        return error_no_memory(err, "the echo");
    e->model = model;
    e->pcm = memory_calloc(ECHO_LANES * (size_t)model->config.frame_samples,
                           sizeof *e->pcm);
    e->heard = memory_calloc(ECHO_LANES * (size_t)model->codebooks,
                             sizeof *e->heard);
    moshi_status status = e->pcm && e->heard
                              ? MOSHI_OK : error_no_memory(err, "the echo");
    if (status == MOSHI_OK)
        status = mimi_runner_open(&e->runner, model, be, MIMI_BOTH, ECHO_LANES,
                                  err);
    for (int i = 0; i < ECHO_LANES && status == MOSHI_OK; i++) {
        status = mimi_encoder_open(&e->encoders[i], model, be, err);
        if (status == MOSHI_OK)
            status = mimi_decoder_open(&e->decoders[i], model, be, err);
    }
    if (status != MOSHI_OK) {
        echo_mimi_close(&e);
        return status;
    }
    *out = e;
    return MOSHI_OK;
}

void echo_mimi_close(echo_mimi **handle)
{
    echo_mimi *e = *handle;
    if (!e)
        return;
    for (int i = 0; i < ECHO_LANES; i++) {
        mimi_decoder_close(&e->decoders[i]);
        mimi_encoder_close(&e->encoders[i]);
    }
    mimi_runner_close(&e->runner);
    memory_free(e->pcm);
    memory_free(e->heard);
    memory_free(e);
    *handle = NULL;
}

static moshi_status check_finite(const float *pcm, size_t n, size_t frame,
                                 moshi_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(pcm[i]))
            return error_set(err, MOSHI_MISMATCH,
                             "the codec decodes frame %zu to a sample that is "
                             "not a finite number", frame);
    return MOSHI_OK;
}

static moshi_status run(void *user, const int32_t *const *codes, int n, int K,
                        size_t T, int32_t *const *back, moshi_error *err)
{
    echo_mimi *e = user;
    size_t samples = (size_t)e->model->config.frame_samples;
    const int32_t *rows[ECHO_LANES];
    int32_t *heard[ECHO_LANES];
    float *pcm[ECHO_LANES];
    const float *sound[ECHO_LANES];
    moshi_status status = MOSHI_OK;
    for (int i = 0; i < n; i++) {
        mimi_decoder_reset(e->decoders[i]);
        mimi_encoder_reset(e->encoders[i]);
        sound[i] = pcm[i] = e->pcm + (size_t)i * samples;
        heard[i] = e->heard + i * e->model->codebooks;
    }
    for (size_t f = 0; f < T && status == MOSHI_OK; f++) {
        for (int i = 0; i < n; i++)
            rows[i] = codes[i] + f * (size_t)K;
        status = mimi_decode_frame(e->runner, e->decoders, n, rows, K, pcm,
                                   NULL);
        if (status != MOSHI_OK)
            return error_set(err, status, "a code of frame %zu is out of the "
                             "codec's range", f);
        status = check_finite(e->pcm, (size_t)n * samples, f, err);
        if (status != MOSHI_OK)
            return status;
        mimi_encode_frame(e->runner, e->encoders, n, sound, heard, NULL);
        for (int i = 0; i < n; i++)
            memcpy(back[i] + f * (size_t)K, heard[i],
                   (size_t)K * sizeof **heard);
    }
    return backend_failure(e->runner->backend, err);
}

echo_codec echo_mimi_codec(echo_mimi *e)
{
    return (echo_codec){run, e};
}

void echo_mimi_encode(echo_mimi *e, const float *pcm, size_t T,
                      int32_t *codes)
{
    size_t samples = (size_t)e->model->config.frame_samples;
    mimi_encoder_reset(e->encoders[0]);
    for (size_t f = 0; f < T; f++) {
        const float *in = pcm + f * samples;
        int32_t *out = codes + f * (size_t)e->model->codebooks;
        mimi_encode_frame(e->runner, e->encoders, 1, &in, &out, NULL);
    }
}

moshi_status echo_mimi_hear(echo_mimi *e, size_t T, int32_t *codes,
                            moshi_error *err)
{
    const mimi_config *c = &e->model->config;
    size_t samples = (size_t)c->frame_samples;
    float *pcm = memory_calloc(T * samples, sizeof *pcm);
    if (!pcm)
        return error_no_memory(err, "the test sound");
    test_sound_fill(pcm, T * samples, c->sample_rate_hz);
    echo_mimi_encode(e, pcm, T, codes);
    memory_free(pcm);
    return MOSHI_OK;
}

/* --- counting --- */

double echo_weight(int k, int K)
{
    /* The last takes what is left, so that all add up to 1. */
    return ldexp(1, k == K - 1 ? -k : -k - 1);
}

static double share_of(const int32_t *codes, const int32_t *back, int K,
                       size_t T, int k, size_t shift)
{
    size_t same = 0;
    for (size_t f = 0; f < T; f++)
        same += codes[f * (size_t)K + (size_t)k] ==
                back[(f + shift) % T * (size_t)K + (size_t)k];
    return (double)same / (double)T;
}

void echo_compare(const int32_t *codes, const int32_t *back, int K, size_t T,
                  echo_score *out, float *frames)
{
    memset(out, 0, sizeof *out);
    for (int k = 0; k < K; k++) {
        out->book[k] = share_of(codes, back, K, T, k, 0);
        for (size_t s = 1; s <= CHANCE_SHIFTS; s++)
            out->chance[k] += share_of(codes, back, K, T, k,
                                       s * T / (CHANCE_SHIFTS + 1)) /
                              CHANCE_SHIFTS;
        out->share += echo_weight(k, K) * out->book[k];
        out->by_chance += echo_weight(k, K) * out->chance[k];
    }
    for (size_t f = 0; f < T; f++) {
        double sum = 0;
        for (int k = 0; k < K; k++)
            if (codes[f * (size_t)K + (size_t)k] ==
                back[f * (size_t)K + (size_t)k])
                sum += echo_weight(k, K);
        frames[f] = (float)sum;
    }
}
