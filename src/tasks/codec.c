/* codec.c: the public moshi_codec: Mimi alone. */
#include <moshi/codec.h>

#include <math.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "mimi/stream.h"
#include "mimi/whole.h"
#include "plan/backend.h"
#include "tasks/codec_weights.h"
#include "tasks/device.h"

/* Frames of a recording that are encoded at once: more read the weights less
 * often, but their sound must stay in the caches (docs/SPEED.md). */
#define WHOLE_FRAMES 16

struct moshi_codec {
    backend *backend;
    device_note device;
    mimi_model *model;
};

/* Each stream brings its own scratch, so that any number of them may run in
 * different threads. */
struct moshi_encoder {
    mimi_runner *runner;
    mimi_encoder *stream;
};

struct moshi_decoder {
    mimi_runner *runner;
    mimi_decoder *stream;
};

moshi_status moshi_codec_open(moshi_codec **out,
                              const moshi_codec_params *params,
                              moshi_error *err)
{
    moshi_error ignored;
    err = err ? err : &ignored;
    if (!params->path)
        return error_set(err, MOSHI_ARGUMENT, "no codec file was named");
    moshi_codec *c = memory_calloc(1, sizeof *c);
    if (!c)
        return error_no_memory(err, "the codec");
    mimi_model_params p = {.path = params->path,
                           .config_path = params->config_path,
                           .codebooks = params->codebooks,
                           .later = true};
    moshi_status status = device_open(&c->backend, params->device,
                                      params->threads, CPU_LEVEL_COUNT,
                                      &c->device, err);
    if (status == MOSHI_OK) {
        p.whole_frames = WHOLE_FRAMES;
        status = codec_weights_set(&p, c->backend, params->weights, err);
    }
    if (status == MOSHI_OK)
        status = mimi_model_open(&c->model, &p, err);
    if (status != MOSHI_OK) {
        moshi_codec_close(&c);
        return status;
    }
    *out = c;
    return MOSHI_OK;
}

void moshi_codec_close(moshi_codec **handle)
{
    if (!handle || !*handle)
        return;
    mimi_model_close(&(*handle)->model);
    if ((*handle)->backend)
        (*handle)->backend->close(&(*handle)->backend);
    memory_free(*handle);
    *handle = NULL;
}

const char *moshi_codec_device(const moshi_codec *c)
{
    return c->device.name;
}

const char *moshi_codec_device_note(const moshi_codec *c)
{
    return c->device.note;
}

int moshi_codec_sample_rate_hz(const moshi_codec *c)
{
    return c->model->config.sample_rate_hz;
}

int moshi_codec_frame_samples(const moshi_codec *c)
{
    return c->model->config.frame_samples;
}

int moshi_codec_codebooks(const moshi_codec *c)
{
    return c->model->codebooks;
}

int moshi_codec_bins(const moshi_codec *c)
{
    return c->model->config.bins;
}

moshi_status moshi_encoder_open(moshi_encoder **out, moshi_codec *c,
                                moshi_error *err)
{
    moshi_encoder *e = memory_calloc(1, sizeof *e);
    if (!e)
        return error_no_memory(err, "an encoder");
    moshi_status status = mimi_runner_open(&e->runner, c->model, c->backend,
                                           MIMI_ENCODE, 1, err);
    if (status == MOSHI_OK)
        status = mimi_encoder_open(&e->stream, c->model, c->backend, err);
    if (status != MOSHI_OK) {
        moshi_encoder_close(&e);
        return status;
    }
    *out = e;
    return MOSHI_OK;
}

void moshi_encoder_close(moshi_encoder **handle)
{
    if (!handle || !*handle)
        return;
    mimi_encoder_close(&(*handle)->stream);
    mimi_runner_close(&(*handle)->runner);
    memory_free(*handle);
    *handle = NULL;
}

void moshi_encoder_reset(moshi_encoder *e)
{
    mimi_encoder_reset(e->stream);
}

/* Anything else would poison the cache for ten seconds. */
static bool all_finite(const float *pcm, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(pcm[i]))
            return false;
    return true;
}

moshi_status moshi_codec_encode(moshi_codec *c, const float *pcm,
                                size_t n_frames, int32_t *codes,
                                void (*progress)(void *user, size_t done),
                                void *user, moshi_error *err)
{
    moshi_error ignored;
    err = err ? err : &ignored;
    if (!all_finite(pcm, n_frames * (size_t)c->model->config.frame_samples))
        return error_set(err, MOSHI_ARGUMENT,
                         "a sample of the recording is not a finite number");
    return mimi_whole_encode(c->model, c->backend, pcm, n_frames, codes,
                             progress, user, err);
}

moshi_status moshi_encoder_encode(moshi_encoder *e, const float *pcm,
                                  size_t n_frames, int32_t *codes)
{
    const mimi_model *m = e->runner->model;
    size_t samples = (size_t)m->config.frame_samples;
    if (!all_finite(pcm, n_frames * samples))
        return MOSHI_ARGUMENT;
    for (size_t f = 0; f < n_frames; f++) {
        const float *in = pcm + f * samples;
        int32_t *out = codes + f * (size_t)m->codebooks;
        mimi_encode_frame(e->runner, &e->stream, 1, &in, &out, NULL);
    }
    return backend_failure(e->runner->backend, NULL);
}

moshi_status moshi_decoder_open(moshi_decoder **out, moshi_codec *c,
                                moshi_error *err)
{
    moshi_decoder *d = memory_calloc(1, sizeof *d);
    if (!d)
        return error_no_memory(err, "a decoder");
    moshi_status status = mimi_runner_open(&d->runner, c->model, c->backend,
                                           MIMI_DECODE, 1, err);
    if (status == MOSHI_OK)
        status = mimi_decoder_open(&d->stream, c->model, c->backend, err);
    if (status != MOSHI_OK) {
        moshi_decoder_close(&d);
        return status;
    }
    *out = d;
    return MOSHI_OK;
}

void moshi_decoder_close(moshi_decoder **handle)
{
    if (!handle || !*handle)
        return;
    mimi_decoder_close(&(*handle)->stream);
    mimi_runner_close(&(*handle)->runner);
    memory_free(*handle);
    *handle = NULL;
}

void moshi_decoder_reset(moshi_decoder *d)
{
    mimi_decoder_reset(d->stream);
}

moshi_status moshi_decoder_decode(moshi_decoder *d, const int32_t *codes,
                                  size_t n_frames, int n_codes, float *pcm)
{
    size_t samples = (size_t)d->runner->model->config.frame_samples;
    moshi_status status = MOSHI_OK;
    for (size_t f = 0; f < n_frames && status == MOSHI_OK; f++) {
        const int32_t *in = codes + f * (size_t)n_codes;
        float *out = pcm + f * samples;
        status = mimi_decode_frame(d->runner, &d->stream, 1, &in, n_codes,
                                   &out, NULL);
    }
    return status == MOSHI_OK ? backend_failure(d->runner->backend, NULL)
                              : status;
}
