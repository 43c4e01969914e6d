/* memory.c: the memory planner: first fit over the lives of the tensors.
 *
 * A tensor lives from the operation that writes it to the last that reads it.
 * Tensors are placed in order of size, largest first, each at the lowest
 * offset where it overlaps no placed tensor alive at the same time. That is
 * O(n²) in the number of tensors, done once when a model opens. */
#include "plan/memory.h"

#include <stdlib.h>

#include "base/memory.h"

typedef struct life {
    tensor_id tensor;
    size_t first, last; /* operations, inclusive */
    size_t bytes, offset;
} life;

static void touch(life *l, size_t op)
{
    if (op < l->first)
        l->first = op;
    if (op > l->last)
        l->last = op;
}

/* lives[i] belongs to tensor i; `first` is SIZE_MAX for one never used. */
static void measure_lives(const plan *p, life *lives)
{
    for (size_t i = 0; i < p->n_tensors; i++) {
        const plan_tensor *t = &p->tensors[i];
        lives[i] = (life){.tensor = (tensor_id)i,
                          .first = t->pinned ? 0 : (size_t)-1,
                          .last = t->pinned ? p->n_ops : 0,
                          .bytes = size_round_up(t->bytes, MEMORY_ALIGNMENT)};
    }
    for (size_t o = 0; o < p->n_ops; o++) {
        const plan_op *op = &p->ops[o];
        if (op->out != TENSOR_NONE)
            touch(&lives[op->out], o);
        for (int i = 0; i < OP_INPUTS; i++)
            if (op->in[i] != TENSOR_NONE)
                touch(&lives[op->in[i]], o);
    }
}

static int larger_first(const void *a, const void *b)
{
    const life *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->tensor < y->tensor ? -1 : 1;
}

static bool together(const life *a, const life *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset free of the `placed` lives that overlap `l` in time. */
static size_t lowest_offset(const life *placed, size_t n, const life *l)
{
    size_t at = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < n; i++) {
            const life *o = &placed[i];
            if (together(o, l) && at < o->offset + o->bytes &&
                o->offset < at + l->bytes) {
                at = o->offset + o->bytes;
                moved = true;
            }
        }
    }
    return at;
}

static bool place_frame(plan *p, life *lives)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_tensors; i++)
        if (p->tensors[i].space == PLAN_FRAME &&
            lives[i].first <= lives[i].last)
            lives[n++] = lives[i];
    qsort(lives, n, sizeof *lives, larger_first);
    for (size_t i = 0; i < n; i++) {
        lives[i].offset = lowest_offset(lives, i, &lives[i]);
        p->tensors[lives[i].tensor].offset = lives[i].offset;
        size_t end;
        if (!size_add(lives[i].offset, lives[i].bytes, &end))
            return false;
        p->frame_bytes = end > p->frame_bytes ? end : p->frame_bytes;
    }
    return true;
}

/* One after the other: a stream keeps them all. */
static bool place_state(plan *p)
{
    for (size_t i = 0; i < p->n_tensors; i++) {
        plan_tensor *t = &p->tensors[i];
        if (t->space != PLAN_STATE)
            continue;
        t->offset = p->state_bytes;
        if (!size_add(p->state_bytes,
                      size_round_up(t->bytes, MEMORY_ALIGNMENT),
                      &p->state_bytes))
            return false;
    }
    return true;
}

bool plan_memory_assign(plan *p)
{
    life *lives = memory_calloc(p->n_tensors, sizeof *lives);
    if (!lives)
        return false;
    measure_lives(p, lives);
    bool ok = place_state(p) && place_frame(p, lives);
    memory_free(lives);
    return ok;
}
