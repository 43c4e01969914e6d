/* bench_loop.c: open, fill and run the conversations of a benchmark. */
#include "lab/bench_loop.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "lab/machine.h"
#include "lab/test_sound.h"
#include "tasks/stream_params.h"

#define SOUND_FRAMES 32

/* A byte that every number type reads as something small and finite: 2.4e-12
 * in float32 and bfloat16, 0.065 in half precision. Pages that were never
 * written would all be one page of zeros, which no memory has to be read for. */
#define FILLER 0x2c
#define FILL_BYTES ((size_t)1 << 20)

static moshi_status open_codec(bench_loop *l, moshi_error *err)
{
    const moshi_model *m = l->model;
    backend *be = m->backend;
    moshi_status status = mimi_runner_open(&l->codec, m->mimi, be, MIMI_BOTH,
                                           l->lanes, err);
    for (int i = 0; i < l->lanes && status == MOSHI_OK; i++) {
        status = mimi_encoder_open(&l->encoders[i], m->mimi, be, err);
        if (status == MOSHI_OK)
            status = mimi_decoder_open(&l->decoders[i], m->mimi, be, err);
    }
    if (status == MOSHI_OK)
        status = bench_clock_init(&l->encode, m->mimi->encoder, err);
    if (status == MOSHI_OK)
        status = bench_clock_init(&l->decode, m->mimi->decoder, err);
    return status;
}

static moshi_status open_lm(bench_loop *l, moshi_error *err)
{
    const moshi_model *m = l->model;
    stream_settings settings;
    moshi_status status = stream_settings_make(&settings, m, NULL, err);
    if (status == MOSHI_OK)
        status = lm_runner_open(&l->runner, m->lm, m->backend, false, l->lanes,
                                err);
    for (int i = 0; i < l->lanes && status == MOSHI_OK; i++) {
        /* Lanes draw tokens of their own. */
        settings.lm.sampling.text.seed += 2 * (uint64_t)i;
        settings.lm.sampling.audio.seed += 2 * (uint64_t)i;
        status = lm_stream_open(&l->streams[i], m->lm, m->backend,
                                &settings.lm, err);
    }
    return status == MOSHI_OK
               ? bench_clock_init(&l->lm, m->lm->plain.plan, err) : status;
}

static moshi_status make_room(bench_loop *l, moshi_error *err)
{
    const mimi_config *c = &l->model->mimi->config;
    size_t samples = (size_t)c->frame_samples, lanes = (size_t)l->lanes;
    l->sound = memory_calloc(SOUND_FRAMES * samples, sizeof *l->sound);
    l->spoken = memory_calloc(lanes * samples, sizeof *l->spoken);
    l->heard = memory_calloc(lanes * LIMIT_CODEBOOKS, sizeof *l->heard);
    l->said = memory_calloc(lanes * LIMIT_CODEBOOKS, sizeof *l->said);
    l->tokens = memory_calloc(lanes * (1 + LIMIT_CODEBOOKS),
                              sizeof *l->tokens);
    if (!l->sound || !l->spoken || !l->heard || !l->said || !l->tokens)
        return error_no_memory(err, "the benchmark's frames");
    test_sound_fill(l->sound, SOUND_FRAMES * samples, c->sample_rate_hz);
    return MOSHI_OK;
}

/* The caches of a state, as if `steps` steps lay behind it. */
static void fill(backend *be, const plan *p, plan_state *state, int64_t steps,
                 const char *filler)
{
    for (size_t i = 0; i < p->n_ops; i++) {
        const plan_op *op = &p->ops[i];
        if (op->kind != OP_KV_APPEND || p->tensors[op->out].space != PLAN_STATE)
            continue;
        const plan_tensor *t = &p->tensors[op->out];
        for (size_t at = 0; at < t->bytes; at += FILL_BYTES)
            be->state_write(state, op->out, at, filler,
                            t->bytes - at < FILL_BYTES ? t->bytes - at
                                                       : FILL_BYTES);
    }
    be->state_seek(state, steps / p->steps);
}

static bool listens(const moshi_model *m)
{
    return !m->lm || m->lm->config.n_q > m->lm->config.dep_q;
}

static bool speaks(const moshi_model *m)
{
    return !m->lm || m->lm->config.dep_q > 0;
}

static uint64_t state_bytes(const moshi_model *m)
{
    uint64_t sum = m->lm ? m->lm->plain.plan->state_bytes : 0;
    if (listens(m))
        sum += m->mimi->encoder->state_bytes;
    if (speaks(m))
        sum += m->mimi->decoder->state_bytes;
    return sum;
}

moshi_status bench_loop_fits(const moshi_model *model, int lanes,
                             uint64_t reserved, moshi_error *err)
{
    const backend *be = model->backend;
    uint64_t need = (uint64_t)lanes * state_bytes(model);
    double left = (double)machine_memory_left();
    if (!be->state_seek)
        return error_set(err, MOSHI_UNSUPPORTED, "the %s backend cannot begin "
                         "in the middle of a conversation", be->name);
    if (left == 0 || (double)need + (double)reserved <= left)
        return MOSHI_OK;
    if (reserved)
        error_set(err, MOSHI_NO_MEMORY, "the caches of %d streams take %.1f "
                  "GB, the weights %.1f GB, and this machine has %.1f GB left",
                  lanes, (double)need * 1e-9, (double)reserved * 1e-9,
                  left * 1e-9);
    else
        error_set(err, MOSHI_NO_MEMORY, "the caches of %d streams take %.1f GB "
                  "and this machine has %.1f GB left", lanes,
                  (double)need * 1e-9, left * 1e-9);
    return error_hint(err, "fewer lanes, or no cached steps");
}

static moshi_status fill_all(bench_loop *l, int64_t cached, moshi_error *err)
{
    const moshi_model *m = l->model;
    backend *be = m->backend;
    moshi_status status = bench_loop_fits(m, l->lanes, 0, err);
    if (status != MOSHI_OK)
        return status;
    char *filler = memory_calloc(FILL_BYTES, 1);
    if (!filler)
        return error_no_memory(err, "the filling of the caches");
    memset(filler, FILLER, FILL_BYTES);
    for (int i = 0; i < l->lanes; i++) {
        if (l->listens)
            fill(be, m->mimi->encoder, l->encoders[i]->state, cached, filler);
        if (l->speaks)
            fill(be, m->mimi->decoder, l->decoders[i]->state, cached, filler);
        if (m->lm)
            fill(be, m->lm->plain.plan, l->streams[i]->state, cached, filler);
    }
    memory_free(filler);
    return MOSHI_OK;
}

moshi_status bench_loop_open(bench_loop *l, const moshi_model *model,
                             int lanes, int64_t cached, moshi_error *err)
{
    *l = (bench_loop){.model = model, .lanes = lanes,
                      .listens = listens(model), .speaks = speaks(model)};
    moshi_status status = make_room(l, err);
    if (status == MOSHI_OK)
        status = open_codec(l, err);
    if (status == MOSHI_OK && model->lm)
        status = open_lm(l, err);
    if (status == MOSHI_OK && cached > 0)
        status = fill_all(l, cached, err);
    if (status != MOSHI_OK)
        bench_loop_close(l);
    return status;
}

void bench_loop_close(bench_loop *l)
{
    bench_clock_release(&l->encode);
    bench_clock_release(&l->lm);
    bench_clock_release(&l->decode);
    for (int i = 0; i < l->lanes; i++) {
        mimi_encoder_close(&l->encoders[i]);
        mimi_decoder_close(&l->decoders[i]);
        lm_stream_close(&l->streams[i]);
    }
    mimi_runner_close(&l->codec);
    lm_runner_close(&l->runner);
    memory_free(l->sound);
    memory_free(l->spoken);
    memory_free(l->heard);
    memory_free(l->said);
    memory_free(l->tokens);
    *l = (bench_loop){0};
}

uint64_t bench_loop_state_bytes(const bench_loop *l)
{
    return state_bytes(l->model);
}

static uint64_t cache_bytes(const plan *p, int64_t frames)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < p->n_ops; i++) {
        const plan_op *op = &p->ops[i];
        if (op->kind != OP_KV_APPEND ||
            p->tensors[op->out].space != PLAN_STATE)
            continue;
        const plan_tensor *t = &p->tensors[op->out];
        uint64_t rows = (uint64_t)(frames * p->steps * p->branches);
        sum += (rows < t->rows ? rows : t->rows) * t->row_bytes;
    }
    return sum;
}

uint64_t bench_loop_cache_bytes(const bench_loop *l, int64_t frames)
{
    const moshi_model *m = l->model;
    uint64_t sum = m->lm ? cache_bytes(m->lm->plain.plan, frames) : 0;
    if (l->listens)
        sum += cache_bytes(m->mimi->encoder, frames);
    if (l->speaks)
        sum += cache_bytes(m->mimi->decoder, frames);
    return sum;
}

/* --- one frame --- */

static void encode(bench_loop *l)
{
    const float *pcm[LIMIT_LANES];
    int32_t *codes[LIMIT_LANES];
    size_t samples = (size_t)l->model->mimi->config.frame_samples;
    plan_hook hook = bench_clock_hook(&l->encode);
    for (int i = 0; i < l->lanes; i++) {
        pcm[i] = l->sound + (size_t)((l->frame + i) % SOUND_FRAMES) * samples;
        codes[i] = l->heard + i * LIMIT_CODEBOOKS;
    }
    bench_clock_start(&l->encode);
    mimi_encode_frame(l->codec, l->encoders, l->lanes, pcm, codes,
                      l->encode.all ? &hook : NULL);
}

static void step(bench_loop *l)
{
    const int32_t *heard[LIMIT_LANES];
    int32_t *tokens[LIMIT_LANES];
    plan_hook hook = bench_clock_hook(&l->lm);
    for (int i = 0; i < l->lanes; i++) {
        heard[i] = l->heard + i * LIMIT_CODEBOOKS;
        tokens[i] = l->tokens + i * (1 + LIMIT_CODEBOOKS);
    }
    bench_clock_start(&l->lm);
    moshi_status status = lm_step(l->runner, l->streams, l->lanes, heard, NULL,
                                  tokens, &hook);
    assert(status == MOSHI_OK); /* the codec only makes codes in range */
    (void)status;
}

/* What the model said, or what was heard where there is no model. False while
 * no frame is complete. */
static bool speak(bench_loop *l)
{
    const int32_t *codes[LIMIT_LANES];
    float *pcm[LIMIT_LANES];
    const mimi_model *m = l->model->mimi;
    int n = l->model->lm ? l->model->lm->config.dep_q : m->codebooks;
    plan_hook hook = bench_clock_hook(&l->decode);
    for (int i = 0; i < l->lanes; i++) {
        int32_t *said = l->said + i * LIMIT_CODEBOOKS;
        if (l->model->lm && !lm_stream_frame(l->streams[i], said))
            return false;
        codes[i] = l->model->lm ? said : l->heard + i * LIMIT_CODEBOOKS;
        pcm[i] = l->spoken + (size_t)i * (size_t)m->config.frame_samples;
    }
    bench_clock_start(&l->decode);
    moshi_status status = mimi_decode_frame(l->codec, l->decoders, l->lanes,
                                            codes, n, pcm,
                                            l->decode.all ? &hook : NULL);
    assert(status == MOSHI_OK);
    (void)status;
    return true;
}

void bench_loop_frame(bench_loop *l, bench_times *out)
{
    double *s = out->seconds, start = clock_seconds();
    *out = (bench_times){0};
    if (l->listens)
        encode(l);
    double encoded = clock_seconds();
    if (l->model->lm)
        step(l);
    double stepped = clock_seconds();
    if (l->speaks)
        speak(l);
    double done = clock_seconds();
    s[BENCH_ENCODE] = encoded - start;
    s[BENCH_DECODE] = done - stepped;
    s[BENCH_FRAME] = done - start;
    if (l->model->lm) {
        s[BENCH_LM] = stepped - encoded;
        s[BENCH_SAMPLING] = l->lm.sampling;
        s[BENCH_TEMPORAL] = l->lm.text_done - encoded;
        s[BENCH_DEPFORMER] = stepped - l->lm.text_done;
    }
    l->frame++;
}
