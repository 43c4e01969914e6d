/* doctor_window.c: does a query see the keys that it should, and no others,
 * before the ring of a cache is full and after?
 *
 * While a plan runs, keys and values are kept beside it, without a ring, and
 * the attention of one head in the first and in the last layer is formed once
 * more from them, over as many steps as the config says. The rest of the model
 * needs no second opinion here: whatever goes in, attention must follow. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "lab/doctor_work.h"
#include "lab/lm_trial.h"
#include "lab/test_sound.h"
#include "mimi/stream.h"
#include "quant/encode.h"

#define TOLERANCE 1e-3
#define AFTER_WRAP 8     /* frames beyond the full ring */
#define SECONDS_MOST 15.0
#define WATCHED 2        /* layers */

/* One layer that is watched. */
typedef struct layer {
    const plan_op *op;
    float *keys, *values; /* owned: [steps_max][hd], head 0 */
} layer;

typedef struct window {
    const backend *backend;
    const plan *plan;
    size_t context;       /* of the config, not of the plan */
    size_t steps_max, steps;
    layer layers[WATCHED];
    float *row, *out, *scores; /* owned: what an operation reads and makes */
    void *cell;           /* owned: a key in the cache's type */
    double error;         /* the largest, of the size of the output */
    const char *off;      /* the first operation beyond TOLERANCE, or NULL */
    size_t off_step;
} window;

static void release(window *w)
{
    for (int i = 0; i < WATCHED; i++) {
        memory_free(w->layers[i].keys);
        memory_free(w->layers[i].values);
    }
    memory_free(w->row);
    memory_free(w->out);
    memory_free(w->scores);
    memory_free(w->cell);
}

static bool is_self_attention(const plan_op *op)
{
    return op->kind == OP_ATTENTION &&
           op->p.attention.position == OP_POSITION_STREAM &&
           op->p.attention.window != OP_WINDOW_SOURCE;
}

static bool init(window *w, const backend *be, const plan *p, size_t context,
                 size_t steps_max)
{
    size_t widest = 1, n = 0;
    *w = (window){.backend = be, .plan = p, .context = context,
                  .steps_max = steps_max};
    for (size_t i = 0; i < p->n_ops; i++) {
        const plan_op *op = &p->ops[i];
        if (!is_self_attention(op))
            continue;
        size_t in = p->tensors[op->in[0]].bytes / sizeof(float);
        widest = in > widest ? in : widest;
        w->layers[n++ ? 1 : 0].op = op; /* the first and the last */
    }
    bool ok = n > 0;
    for (int i = 0; i < WATCHED && ok; i++) {
        layer *l = &w->layers[i];
        if (!l->op)
            continue;
        size_t room = steps_max * (size_t)l->op->p.attention.head_dim;
        l->keys = memory_calloc(room, sizeof(float));
        l->values = memory_calloc(room, sizeof(float));
        ok = l->keys && l->values;
    }
    w->row = memory_calloc(widest, sizeof(float));
    w->out = memory_calloc(widest, sizeof(float));
    w->scores = memory_calloc(steps_max, sizeof(float));
    w->cell = memory_calloc(widest, sizeof(float));
    return ok && w->cell && w->row && w->out && w->scores;
}

/* Head 0 of the query at step `at`: softmax(q k / sqrt(hd)) v over the last
 * `context` steps. Returns the distance of `made` from it. */
static double distance(window *w, const layer *l, size_t at, const float *q,
                       const float *made)
{
    size_t hd = (size_t)l->op->p.attention.head_dim;
    size_t first = at + 1 > w->context ? at + 1 - w->context : 0;
    double most = -INFINITY, sum = 0, apart = 0, size = 0;
    for (size_t s = first; s <= at; s++) {
        double dot = 0;
        for (size_t i = 0; i < hd; i++)
            dot += (double)q[i] * l->keys[s * hd + i];
        w->scores[s] = (float)(dot / sqrt((double)hd));
        most = fmax(most, w->scores[s]);
    }
    for (size_t s = first; s <= at; s++)
        sum += w->scores[s] = expf((float)(w->scores[s] - most));
    for (size_t i = 0; i < hd; i++) {
        double y = 0;
        for (size_t s = first; s <= at; s++)
            y += (double)w->scores[s] * l->values[s * hd + i];
        y /= sum;
        apart += (made[i] - y) * (made[i] - y);
        size += y * y;
    }
    return size > 0 ? sqrt(apart / size) : sqrt(apart);
}

/* A key or value as the cache keeps it, rounded to its type. */
static void as_cached(window *w, const plan_op *op, float *x, size_t hd)
{
    dtype type = w->plan->tensors[op->in[1]].type;
    if (type == DTYPE_F32)
        return;
    quant_encode(type, w->cell, x, hd);
    quant_decode(type, x, w->cell, hd);
}

static void look(window *w, layer *l, plan_runner *runner)
{
    const plan_op *op = l->op;
    size_t hd = (size_t)op->p.attention.head_dim;
    size_t heads = (size_t)op->p.attention.heads;
    size_t kv = (size_t)op->p.attention.kv_heads;
    size_t in = w->plan->tensors[op->in[0]].width;
    size_t out = w->plan->tensors[op->out].width;
    size_t T = (size_t)op->p.attention.steps;
    w->backend->read(runner, op->in[0], 0, w->row);
    w->backend->read(runner, op->out, 0, w->out);
    for (size_t t = 0; t < T && w->steps + t < w->steps_max; t++) {
        const float *x = w->row + t * in;
        float *k = l->keys + (w->steps + t) * hd;
        memcpy(k, x + heads * hd, hd * sizeof *k);
        memcpy(l->values + (w->steps + t) * hd, x + (heads + kv) * hd,
               hd * sizeof *k);
        as_cached(w, op, k, hd);
        as_cached(w, op, l->values + (w->steps + t) * hd, hd);
    }
    for (size_t t = 0; t < T && w->steps + t < w->steps_max; t++) {
        double e = distance(w, l, w->steps + t, w->row + t * in,
                            w->out + t * out);
        if (!(e <= w->error))
            w->error = e;
        if (!(e <= TOLERANCE) && !w->off) {
            w->off = op->name;
            w->off_step = w->steps + t;
        }
    }
}

static void after(void *user, plan_runner *runner, const plan_op *op)
{
    window *w = user;
    for (int i = 0; i < WATCHED; i++)
        if (w->layers[i].op == op)
            look(w, &w->layers[i], runner);
}

static void report(doctor *d, const window *w, const char *name,
                   lab_class about)
{
    char expected[128];
    snprintf(expected, sizeof expected, "a query sees the last %zu steps, and "
             "no others", w->context);
    doctor_finding f = {name, about, DOCTOR_OK, expected,
                        "look at the ring of keys and values: its length, and "
                        "which slots are read"};
    if (w->off) {
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "%s differs at step %zu, by %.2g", w->off,
                   w->off_step, w->error);
    } else if (w->steps <= w->context) {
        f.status = DOCTOR_SKIPPED;
        doctor_add(d, f, "the first %zu steps are right; the ring of %zu is "
                   "not full before %.0f s of talk, which would take too long",
                   w->steps, w->context,
                   0.08 * (double)w->context / w->plan->steps);
    } else {
        doctor_add(d, f, "%zu steps, the ring full after %zu: at most %.1g "
                   "apart", w->steps, w->context, w->error);
    }
}

/* --- the language model --- */

static moshi_status run_lm(doctor *d, window *w, size_t frames)
{
    lm_trial t = {0};
    plan_hook hook = {after, w, NULL};
    int32_t tokens[1 + LIMIT_CODEBOOKS], user[LIMIT_CODEBOOKS];
    double began = clock_seconds();
    const lm_config *c = &d->model->lm->config;
    moshi_status status = lm_trial_init(&t, d->model, d->model->backend,
                                        &d->ignored);
    for (size_t f = 0; f < frames && status == MOSHI_OK; f++) {
        if (clock_seconds() - began > SECONDS_MOST)
            break;
        for (int k = 0; k < c->n_q - c->dep_q; k++)
            user[k] = (int32_t)((f * 37 + (size_t)k * 11) % (size_t)c->card);
        status = lm_trial_step(&t, user, NULL, tokens, &hook);
        w->steps++;
        doctor_progress(d, "window", (double)f / (double)frames);
    }
    lm_trial_release(&t);
    return status;
}

static moshi_status check_lm(doctor *d)
{
    window w;
    const lm_model *m = d->model->lm;
    size_t frames = (size_t)d->lm.context + AFTER_WRAP;
    moshi_status status = MOSHI_NO_MEMORY;
    if (init(&w, d->model->backend, m->plain.plan, (size_t)d->lm.context,
             frames))
        status = run_lm(d, &w, frames);
    if (status == MOSHI_OK)
        report(d, &w, "model: attention window", LAB_MODEL_CODE);
    release(&w);
    return status;
}

/* --- the codec --- */

static moshi_status run_codec(doctor *d, window w[2], size_t frames)
{
    const mimi_model *m = d->model->mimi;
    size_t n = (size_t)m->config.frame_samples;
    mimi_runner *runner = NULL;
    mimi_encoder *encoder = NULL;
    mimi_decoder *decoder = NULL;
    int32_t codes[MIMI_CODEBOOKS_MAX], *heard = codes;
    const int32_t *said = codes;
    plan_hook hooks[2] = {{after, &w[0], NULL}, {after, &w[1], NULL}};
    double began = clock_seconds();
    float *pcm = memory_calloc((frames + 1) * n, sizeof *pcm);
    float *spoken = pcm ? pcm + frames * n : NULL;
    moshi_status status = pcm ? mimi_runner_open(&runner, m, d->model->backend,
                                                 MIMI_BOTH, 1, &d->ignored)
                              : MOSHI_NO_MEMORY;
    if (status == MOSHI_OK)
        status = mimi_encoder_open(&encoder, m, d->model->backend,
                                   &d->ignored);
    if (status == MOSHI_OK)
        status = mimi_decoder_open(&decoder, m, d->model->backend,
                                   &d->ignored);
    if (status == MOSHI_OK)
        test_sound_fill(pcm, frames * n, m->config.sample_rate_hz);
    for (size_t f = 0; f < frames && status == MOSHI_OK; f++) {
        const float *in = pcm + f * n;
        if (clock_seconds() - began > SECONDS_MOST)
            break;
        mimi_encode_frame(runner, &encoder, 1, &in, &heard, &hooks[0]);
        status = mimi_decode_frame(runner, &decoder, 1, &said, m->codebooks,
                                   &spoken, &hooks[1]);
        w[0].steps += (size_t)m->config.frame_steps;
        w[1].steps += (size_t)m->config.frame_steps;
    }
    mimi_decoder_close(&decoder);
    mimi_encoder_close(&encoder);
    mimi_runner_close(&runner);
    memory_free(pcm);
    return status;
}

static moshi_status check_codec(doctor *d)
{
    window w[2];
    const mimi_model *m = d->model->mimi;
    size_t context = (size_t)m->config.context;
    size_t frames = context / (size_t)m->config.frame_steps + AFTER_WRAP;
    size_t steps = frames * (size_t)m->config.frame_steps;
    bool ok = init(&w[0], d->model->backend, m->encoder, context, steps);
    ok = init(&w[1], d->model->backend, m->decoder, context, steps) && ok;
    moshi_status status = ok ? run_codec(d, w, frames) : MOSHI_NO_MEMORY;
    if (status == MOSHI_OK) {
        report(d, &w[0], "codec: window of encoder", LAB_CODEC);
        report(d, &w[1], "codec: window of decoder", LAB_CODEC);
    }
    release(&w[0]);
    release(&w[1]);
    return status;
}

void doctor_window_check(doctor *d)
{
    doctor_finding skipped = {"attention windows", LAB_MODEL_CODE,
                              DOCTOR_SKIPPED, "", ""};
    if (!d->model) {
        doctor_add(d, skipped, "the model cannot be opened");
        return;
    }
    doctor_progress(d, "window", 0);
    if (check_codec(d) != MOSHI_OK || check_lm(d) != MOSHI_OK)
        d->report->failed = true;
}
