/* stream.c: open, reset and run the codec's streams. */
#include "mimi/stream.h"

#include <assert.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/memory.h"
#include "plan/sampler.h"

moshi_status mimi_encoder_open(mimi_encoder **out, const mimi_model *model,
                               backend *be, moshi_error *err)
{
    mimi_encoder *e = memory_calloc(1, sizeof *e);
    if (!e)
        return error_no_memory(err, "an encoder stream");
    *e = (mimi_encoder){.model = model, .backend = be};
    moshi_status status = be->state_open(be, model->encoder, &e->state, err);
    if (status != MOSHI_OK) {
        memory_free(e);
        return status;
    }
    *out = e;
    return MOSHI_OK;
}

void mimi_encoder_close(mimi_encoder **handle)
{
    if (!*handle)
        return;
    (*handle)->backend->state_close(&(*handle)->state);
    memory_free(*handle);
    *handle = NULL;
}

void mimi_encoder_reset(mimi_encoder *encoder)
{
    encoder->backend->state_reset(encoder->state);
}

moshi_status mimi_decoder_open(mimi_decoder **out, const mimi_model *model,
                               backend *be, moshi_error *err)
{
    mimi_decoder *d = memory_calloc(1, sizeof *d);
    if (!d)
        return error_no_memory(err, "a decoder stream");
    *d = (mimi_decoder){.model = model, .backend = be};
    moshi_status status = be->state_open(be, model->decoder, &d->state, err);
    if (status != MOSHI_OK) {
        memory_free(d);
        return status;
    }
    *out = d;
    return MOSHI_OK;
}

void mimi_decoder_close(mimi_decoder **handle)
{
    if (!*handle)
        return;
    (*handle)->backend->state_close(&(*handle)->state);
    memory_free(*handle);
    *handle = NULL;
}

void mimi_decoder_reset(mimi_decoder *decoder)
{
    decoder->backend->state_reset(decoder->state);
}

moshi_status mimi_runner_open(mimi_runner **out, const mimi_model *model,
                              backend *be, mimi_sides sides, int lanes_max,
                              moshi_error *err)
{
    mimi_runner *r = memory_calloc(1, sizeof *r);
    if (!r)
        return error_no_memory(err, "the codec's scratch");
    *r = (mimi_runner){.model = model, .backend = be, .lanes_max = lanes_max};
    mimi_model_finish(model);
    moshi_status status = MOSHI_OK;
    if (sides & MIMI_ENCODE)
        status = be->runner_open(be, model->encoder, lanes_max, &r->encode,
                                 err);
    if (status == MOSHI_OK && sides & MIMI_DECODE)
        status = be->runner_open(be, model->decoder, lanes_max, &r->decode,
                                 err);
    if (status != MOSHI_OK) {
        mimi_runner_close(&r);
        return status;
    }
    *out = r;
    return MOSHI_OK;
}

void mimi_runner_close(mimi_runner **handle)
{
    if (!*handle)
        return;
    (*handle)->backend->runner_close(&(*handle)->encode);
    (*handle)->backend->runner_close(&(*handle)->decode);
    memory_free(*handle);
    *handle = NULL;
}

void mimi_encode_frame(mimi_runner *r, mimi_encoder *const *streams, int n,
                       const float *const *pcm, int32_t *const *codes,
                       const plan_hook *hook)
{
    plan_state *states[LIMIT_LANES] = {0};
    assert(n <= r->lanes_max && r->encode);
    for (int i = 0; i < n; i++) {
        states[i] = streams[i]->state;
        r->backend->write(r->encode, r->model->pcm_in, i, pcm[i]);
    }
    r->backend->run(r->encode, states, n, hook);
    for (int i = 0; i < n; i++)
        r->backend->read(r->encode, r->model->codes_out, i, codes[i]);
}

moshi_status mimi_decode_frame(mimi_runner *r, mimi_decoder *const *streams,
                               int n, const int32_t *const *codes, int n_codes,
                               float *const *pcm, const plan_hook *hook)
{
    plan_state *states[LIMIT_LANES] = {0};
    int32_t all[MIMI_CODEBOOKS_MAX];
    const mimi_model *m = r->model;
    assert(n <= r->lanes_max && r->decode);
    if (n_codes < 1 || n_codes > m->codebooks)
        return MOSHI_ARGUMENT;
    for (int i = 0; i < n; i++)
        for (int q = 0; q < n_codes; q++)
            if (codes[i][q] < 0 || codes[i][q] >= m->config.bins)
                return MOSHI_ARGUMENT;
    for (int i = 0; i < n; i++) {
        states[i] = streams[i]->state;
        for (int q = 0; q < m->codebooks; q++)
            all[q] = q < n_codes ? codes[i][q] : TOKEN_ZERO;
        r->backend->write(r->decode, m->codes_in, i, all);
    }
    r->backend->run(r->decode, states, n, hook);
    for (int i = 0; i < n; i++)
        r->backend->read(r->decode, m->pcm_out, i, pcm[i]);
    return MOSHI_OK;
}
