/* doctor_speed.c: is a frame computed in the time that it lasts?
 *
 * A frame reads every weight of its part once, so the bytes over the machine's
 * bandwidth are the least it can take; what it takes is measured beside it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/quantile.h"
#include "lab/bandwidth.h"
#include "lab/doctor_work.h"
#include "lab/lm_trial.h"
#include "lab/test_sound.h"
#include "mimi/stream.h"

#define FRAMES_MOST  100
#define FRAMES_LEAST 12
#define WARM_UP 2
#define SECONDS_MOST 15.0

/* What a frame runs: encoder, language model, decoder. */
typedef struct loop {
    const moshi_model *model;
    mimi_runner *codec;
    mimi_encoder *encoder;
    mimi_decoder *decoder;
    lm_trial lm;
    float *pcm, *spoken; /* owned: one frame each */
    double ms[FRAMES_MOST];
    int n;
} loop;

static moshi_status loop_init(loop *l, const moshi_model *m, moshi_error *err)
{
    size_t samples = (size_t)m->mimi->config.frame_samples;
    l->model = m;
    l->pcm = memory_calloc(samples, sizeof *l->pcm);
    l->spoken = memory_calloc(samples, sizeof *l->spoken);
    moshi_status status = l->pcm && l->spoken ? MOSHI_OK : MOSHI_NO_MEMORY;
    if (status == MOSHI_OK)
        status = mimi_runner_open(&l->codec, m->mimi, m->backend, MIMI_BOTH, 1,
                                  err);
    if (status == MOSHI_OK)
        status = mimi_encoder_open(&l->encoder, m->mimi, m->backend, err);
    if (status == MOSHI_OK)
        status = mimi_decoder_open(&l->decoder, m->mimi, m->backend, err);
    if (status == MOSHI_OK)
        status = lm_trial_init(&l->lm, m, m->backend, err);
    if (status == MOSHI_OK)
        test_sound_fill(l->pcm, samples, m->mimi->config.sample_rate_hz);
    return status;
}

static void loop_release(loop *l)
{
    lm_trial_release(&l->lm);
    mimi_decoder_close(&l->decoder);
    mimi_encoder_close(&l->encoder);
    mimi_runner_close(&l->codec);
    memory_free(l->pcm);
    memory_free(l->spoken);
}

static void run_frame(loop *l)
{
    const lm_config *c = &l->model->lm->config;
    int32_t heard[MIMI_CODEBOOKS_MAX], tokens[1 + LIMIT_CODEBOOKS],
        codes[LIMIT_CODEBOOKS], *out = heard;
    const float *in = l->pcm;
    const int32_t *said = codes;
    if (c->n_q > c->dep_q) /* else it does not listen */
        mimi_encode_frame(l->codec, &l->encoder, 1, &in, &out, NULL);
    lm_trial_step(&l->lm, heard, NULL, tokens, NULL);
    if (lm_stream_frame(l->lm.stream, codes))
        mimi_decode_frame(l->codec, &l->decoder, 1, &said, c->dep_q,
                          &l->spoken, NULL);
}

static void run_frames(doctor *d, loop *l)
{
    double began = clock_seconds();
    for (int f = -WARM_UP; f < FRAMES_MOST; f++) {
        double start = clock_seconds();
        if (f >= FRAMES_LEAST && start - began > SECONDS_MOST)
            break;
        run_frame(l);
        if (f >= 0)
            l->ms[l->n++] = 1e3 * (clock_seconds() - start);
        doctor_progress(d, "speed", (double)(f + WARM_UP) / FRAMES_MOST);
    }
}

static size_t bytes_of(const plan *p)
{
    size_t sum = 0;
    for (size_t i = 0; i < p->n_ops; i++)
        sum += plan_op_weight_bytes(p, &p->ops[i]);
    return sum;
}

static void report(doctor *d, loop *l, double rate)
{
    const moshi_model *m = l->model;
    const lm_config *c = &m->lm->config;
    double bytes = (double)bytes_of(m->lm->plain.plan);
    double frame_ms = 1e3 * m->mimi->config.frame_samples /
                      m->mimi->config.sample_rate_hz;
    char expected[160];
    if (c->n_q > c->dep_q)
        bytes += (double)bytes_of(m->mimi->encoder);
    if (c->dep_q > 0)
        bytes += (double)bytes_of(m->mimi->decoder);
    size_t n = (size_t)l->n;
    double p50 = quantile(l->ms, n, 0.5), p95 = quantile(l->ms, n, 0.95);
    double least = rate > 0 ? 1e3 * bytes / rate : 0;
    snprintf(expected, sizeof expected, "below %.0f ms, the length of a frame; "
             "at this bandwidth %.1f ms are possible", frame_ms, least);
    doctor_finding f = {"speed: a frame", LAB_SPEED, DOCTOR_OK, expected,
                        "take a quantised file or a smaller model; close what "
                        "else runs; live talk stutters at this speed, files "
                        "are only slower"};
    if (p50 > frame_ms)
        f.status = DOCTOR_FAULT;
    else if (p95 > frame_ms)
        f.status = DOCTOR_WARNING;
    char where[400];
    int threads = cpu_backend_threads(m->backend);
    if (threads > 0)
        snprintf(where, sizeof where, "%d threads", threads);
    else
        snprintf(where, sizeof where, "on %s", m->device.name);
    doctor_add(d, f, "p50 %.1f ms, p95 %.1f, p99 %.1f over %d frames, %s; a "
               "frame reads %.1f MB, this machine reads %.1f GB/s",
               p50, p95, quantile(l->ms, n, 0.99), l->n, where, bytes * 1e-6,
               rate * 1e-9);
}

/* Before the model is opened: what is read is larger than the caches, and need
 * not lie in memory beside the model. */
void doctor_measure_memory(doctor *d)
{
    pool *threads = NULL;
    if (pool_open(&threads, d->params->model.threads, &d->ignored) != MOSHI_OK)
        d->report->failed = true;
    else
        d->bytes_per_s = bandwidth_measure(threads);
    pool_close(&threads);
}

void doctor_speed_check(doctor *d)
{
    doctor_finding skipped = {"speed: a frame", LAB_SPEED, DOCTOR_SKIPPED, "",
                              ""};
    if (!d->model) {
        doctor_add(d, skipped, "the model cannot be opened");
        return;
    }
    loop *l = memory_calloc(1, sizeof *l);
    moshi_status status = l ? loop_init(l, d->model, &d->ignored)
                            : MOSHI_NO_MEMORY;
    if (status == MOSHI_OK) {
        run_frames(d, l);
        report(d, l, d->bytes_per_s);
    } else {
        d->report->failed = true;
    }
    if (l)
        loop_release(l);
    memory_free(l);
}
