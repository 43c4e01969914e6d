/* op_watch.c: one hook, three things to do with an output. */
#include "lab/op_watch.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static bool is_watched(const plan *p, const plan_op *op)
{
    const plan_tensor *t = op->out == TENSOR_NONE ? NULL
                                                  : &p->tensors[op->out];
    return t && t->space == PLAN_FRAME && t->type == DTYPE_F32 &&
           op->kind != OP_KV_APPEND;
}

static size_t floats_of(const plan *p, const plan_op *op)
{
    return p->tensors[op->out].bytes / sizeof(float);
}

moshi_status op_watch_init(op_watch *w, const plan *p, backend *be,
                           op_watch_mode mode, const op_watch *kept,
                           double tolerance)
{
    size_t most = 1, sum = 1, choices = 1;
    *w = (op_watch){.plan = p, .backend = be, .mode = mode, .kept = kept,
                    .tolerance = tolerance};
    for (size_t i = 0; i < p->n_ops; i++) {
        const plan_op *op = &p->ops[i];
        if (op->out == TENSOR_NONE)
            continue;
        /* Choices are read into the same room. */
        size_t n = p->tensors[op->out].bytes / sizeof(float) + 1;
        if (is_watched(p, op))
            sum += n;
        if (op->kind == OP_NEAREST)
            choices += n;
        if (is_watched(p, op) || op->kind == OP_NEAREST)
            most = n > most ? n : most;
    }
    w->output = memory_calloc(most, sizeof *w->output);
    bool ok = w->output != NULL;
    if (mode == OP_WATCH_HASH)
        ok = (w->hashes = memory_calloc(p->n_ops, sizeof *w->hashes)) && ok;
    if (mode == OP_WATCH_KEEP) {
        ok = (w->values = memory_calloc(sum, sizeof *w->values)) && ok;
        ok = (w->choices = memory_calloc(choices, sizeof *w->choices)) && ok;
    }
    if (ok)
        return MOSHI_OK;
    op_watch_release(w);
    return MOSHI_NO_MEMORY;
}

void op_watch_release(op_watch *w)
{
    memory_free(w->hashes);
    memory_free(w->values);
    memory_free(w->choices);
    memory_free(w->output);
    *w = (op_watch){0};
}

/* FNV-1a over words: all that is asked of it is to differ. */
static uint64_t hash(const void *data, size_t n)
{
    const unsigned char *at = data;
    uint64_t h = 14695981039346656037u;
    uint32_t word;
    for (size_t i = 0; i + sizeof word <= n; i += sizeof word) {
        memcpy(&word, at + i, sizeof word);
        h = (h ^ word) * 1099511628211u;
    }
    return h;
}

static void hold_against(op_watch *w, const plan_op *op, const float *mine,
                         const float *theirs, size_t n)
{
    double apart = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        double e = (double)mine[i] - theirs[i];
        if (!isfinite(mine[i]) && !isfinite(theirs[i]))
            continue; /* the weights' fault, not the kernels' */
        apart += e * e;
        size += (double)theirs[i] * theirs[i];
    }
    double error = size > 0 ? sqrt(apart / size) : sqrt(apart);
    if (!(error <= w->error)) { /* NaN too */
        w->error = error;
        w->farthest = op->name;
    }
    if (!(error <= w->tolerance) && !w->first_off)
        w->first_off = op->name;
}

static void see_choice(op_watch *w, plan_runner *runner, const plan_op *op)
{
    size_t n = w->plan->tensors[op->out].bytes / sizeof(int32_t);
    int32_t choice[1 + 64];
    int column = op->p.nearest.column;
    if (n > sizeof choice / sizeof *choice)
        return;
    w->backend->read(runner, op->out, 0, choice);
    if (w->mode == OP_WATCH_KEEP)
        w->choices[w->n_choices++] = choice[column];
    else if (w->at_choice < w->kept->n_choices &&
             w->kept->choices[w->at_choice++] != choice[column])
        w->parted = true;
}

static void after(void *user, plan_runner *runner, const plan_op *op)
{
    op_watch *w = user;
    if (op->kind == OP_NEAREST && w->mode != OP_WATCH_HASH)
        see_choice(w, runner, op);
    if (!is_watched(w->plan, op))
        return;
    size_t n = floats_of(w->plan, op);
    float *into = w->mode == OP_WATCH_KEEP ? w->values + w->at_value
                                           : w->output;
    w->backend->read(runner, op->out, 0, into);
    if (w->mode == OP_WATCH_HASH)
        w->hashes[op - w->plan->ops] = hash(into, n * sizeof *into);
    if (w->mode == OP_WATCH_COMPARE && !w->parted)
        hold_against(w, op, into, w->kept->values + w->at_value, n);
    w->at_value += n;
}

plan_hook op_watch_begin(op_watch *w)
{
    w->at_value = w->at_choice = 0;
    w->parted = false;
    if (w->mode == OP_WATCH_KEEP)
        w->n_choices = 0;
    return (plan_hook){after, w, NULL};
}

const char *op_watch_difference(const op_watch *a, const op_watch *b)
{
    for (size_t i = 0; i < a->plan->n_ops; i++)
        if (a->hashes[i] != b->hashes[i])
            return a->plan->ops[i].name;
    return NULL;
}
