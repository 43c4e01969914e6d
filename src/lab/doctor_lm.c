/* doctor_lm.c: does a conversation of the language model begin empty, and is
 * it the same after a reset, and beside another one? */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "lab/doctor_work.h"
#include "lab/lm_trial.h"
#include "lab/op_watch.h"

#define STEPS 6
#define RUNS  4 /* at first, after a reset, over NaN, beside another */

/* Slots of each cache that are filled with NaN before a run that must not see
 * them. More would write memory that a short run never touches. */
#define POISONED_SLOTS 32

/* One run of STEPS steps: the tokens, and a hash of every output. */
typedef struct record {
    op_watch watch[STEPS];
    int32_t tokens[STEPS][1 + LIMIT_CODEBOOKS];
} record;

static void record_release(record *r)
{
    for (int s = 0; s < STEPS; s++)
        op_watch_release(&r->watch[s]);
}

/* neighbour: NULL, or another conversation, which takes a step after each of
 * ours and hears our frames in another order. */
static moshi_status record_run(record *r, lm_trial *t, const int32_t *user,
                               int width, lm_trial *neighbour)
{
    int32_t spare[1 + LIMIT_CODEBOOKS];
    for (int s = 0; s < STEPS; s++) {
        moshi_status status = op_watch_init(
            &r->watch[s], t->stream->plan->plan, t->stream->backend,
            OP_WATCH_HASH, NULL, 0);
        if (status != MOSHI_OK)
            return status;
        plan_hook hook = op_watch_begin(&r->watch[s]);
        status = lm_trial_step(t, user + (size_t)s * (size_t)width, NULL,
                               r->tokens[s], &hook);
        if (status == MOSHI_OK && neighbour)
            status = lm_trial_step(
                neighbour, user + (size_t)(STEPS - 1 - s) * (size_t)width,
                NULL, spare, NULL);
        if (status != MOSHI_OK)
            return status;
    }
    return MOSHI_OK;
}

static void compare(doctor *d, doctor_finding f, const record *a,
                    const record *b)
{
    size_t n = 1 + (size_t)d->lm.dep_q;
    for (int s = 0; s < STEPS; s++) {
        const char *op = op_watch_difference(&a->watch[s], &b->watch[s]);
        if (!op && memcmp(a->tokens[s], b->tokens[s],
                          n * sizeof **a->tokens) == 0)
            continue;
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "step %d differs, first in %s", s,
                   op ? op : "the tokens");
        return;
    }
    doctor_add(d, f, "%d steps, every output of %zu operations the same", STEPS,
               a->watch[0].plan->n_ops);
}

/* State tensors that the opening of a stream fills: what was asked for. */
static bool is_filled(const lm_plan *p, size_t tensor)
{
    if ((tensor_id)tensor == p->settings ||
        (tensor_id)tensor == p->condition ||
        (tensor_id)tensor == p->source_length)
        return true;
    for (int l = 0; l < LIMIT_LAYERS; l++)
        if (p->source_cache[l] == (tensor_id)tensor)
            return true;
    return false;
}

static bool is_zero(const lm_stream *s, tensor_id tensor)
{
    static const char zeros[4096];
    char piece[4096];
    size_t bytes = s->plan->plan->tensors[tensor].bytes;
    for (size_t at = 0; at < bytes; at += sizeof piece) {
        size_t n = bytes - at < sizeof piece ? bytes - at : sizeof piece;
        s->backend->state_read(s->state, tensor, at, piece, n);
        if (memcmp(piece, zeros, n) != 0)
            return false;
    }
    return true;
}

static void check_empty(doctor *d, const lm_stream *s)
{
    const plan *p = s->plan->plan;
    doctor_finding f = {"model: start state", LAB_MODEL_CODE, DOCTOR_OK,
                        "all that a new conversation remembers is zero",
                        "report this as a bug, with this page"};
    size_t n = 0;
    for (size_t i = 0; i < p->n_tensors; i++) {
        if (p->tensors[i].space != PLAN_STATE || is_filled(s->plan, i))
            continue;
        n++;
        if (is_zero(s, (tensor_id)i))
            continue;
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "%s is not empty", p->tensors[i].name);
        return;
    }
    doctor_add(d, f, "%zu tensors of state are empty", n);
}

static void poison(lm_stream *s)
{
    const plan *p = s->plan->plan;
    for (size_t i = 0; i < p->n_ops; i++) {
        const plan_op *op = &p->ops[i];
        const plan_tensor *t = &p->tensors[op->out < 0 ? 0 : op->out];
        if (op->kind != OP_KV_APPEND || t->space != PLAN_STATE)
            continue;
        float nan_value = NAN;
        size_t rows = t->rows < POISONED_SLOTS ? t->rows : POISONED_SLOTS;
        for (size_t at = 0; at < rows * t->row_bytes; at += sizeof nan_value)
            s->backend->state_write(s->state, op->out, at, &nan_value,
                                    sizeof nan_value);
    }
}

static moshi_status check_neighbour(doctor *d, lm_trial *t, record r[RUNS],
                                    const int32_t *user, int width)
{
    lm_trial other = {0};
    moshi_status status = lm_trial_init(&other, d->model, d->model->backend,
                                        &d->ignored);
    lm_stream_reset(t->stream);
    if (status == MOSHI_OK)
        status = record_run(&r[3], t, user, width, &other);
    if (status == MOSHI_OK)
        compare(d, (doctor_finding){"model: two conversations",
                                    LAB_MODEL_CODE, DOCTOR_OK,
                                    "a second conversation changes no bit of "
                                    "the first",
                                    "report this as a bug, with this page"},
                &r[0], &r[3]);
    lm_trial_release(&other);
    return status;
}

static moshi_status run_all(doctor *d, lm_trial *t, record r[RUNS],
                            const int32_t *user, int width)
{
    check_empty(d, t->stream);
    moshi_status status = record_run(&r[0], t, user, width, NULL);
    if (status == MOSHI_OK) {
        lm_stream_reset(t->stream);
        status = record_run(&r[1], t, user, width, NULL);
    }
    if (status != MOSHI_OK)
        return status;
    compare(d, (doctor_finding){"model: reset", LAB_MODEL_CODE, DOCTOR_OK,
                                "after a reset the same bits as at first",
                                "report this as a bug, with this page"},
            &r[0], &r[1]);
    status = check_neighbour(d, t, r, user, width);
    if (status != MOSHI_OK)
        return status;
    lm_stream_reset(t->stream);
    poison(t->stream);
    status = record_run(&r[2], t, user, width, NULL);
    if (status == MOSHI_OK)
        compare(d, (doctor_finding){"model: caches", LAB_MODEL_CODE, DOCTOR_OK,
                                    "no slot of a cache is read before it is "
                                    "written (they held NaN)",
                                    "report this as a bug, with this page"},
                &r[0], &r[2]);
    return status;
}

void doctor_lm_check(doctor *d)
{
    doctor_finding skipped = {"model: reset and start", LAB_MODEL_CODE,
                              DOCTOR_SKIPPED, "", ""};
    lm_trial t = {0};
    int32_t *user = NULL;
    if (!d->model) {
        doctor_add(d, skipped, "the model cannot be opened");
        return;
    }
    doctor_progress(d, "steps", 0);
    record *r = memory_calloc(RUNS, sizeof *r);
    int width = d->lm.n_q - d->lm.dep_q;
    moshi_status status = r ? lm_trial_hear(d->model, STEPS, &user, &d->ignored)
                            : MOSHI_NO_MEMORY;
    if (status == MOSHI_OK)
        status = lm_trial_init(&t, d->model, d->model->backend, &d->ignored);
    if (status == MOSHI_OK)
        status = run_all(d, &t, r, user, width);
    if (status != MOSHI_OK)
        d->report->failed = true;
    lm_trial_release(&t);
    for (int i = 0; r && i < RUNS; i++)
        record_release(&r[i]);
    memory_free(r);
    memory_free(user);
}
