/* hooks.h: listening to a plan while it runs.
 *
 * The executor calls a hook after each operation, while what the operation
 * made is still there (the memory planner gives its bytes to others later). A
 * run without a hook pays one comparison an operation. Models pass a hook
 * through and know nothing of what it does; tracing, timing and the like are
 * hooks.
 *
 * A hook may read tensors with backend->read, and change them with
 * backend->write: the operations that follow see the change. It cannot fail:
 * what goes wrong in it is kept where `user` points and asked for after the
 * run. */
#ifndef MOSHI_PLAN_HOOKS_H
#define MOSHI_PLAN_HOOKS_H

#include "plan/plan.h"

typedef struct backend backend;
typedef struct plan_runner plan_runner;

typedef struct plan_hook {
    void (*after)(void *user, plan_runner *runner, const plan_op *op);
    void *user;
    /* Which operations it is about; NULL: all. It may be called for others
     * too, but a device need not stop for them. */
    bool (*wants)(void *user, const plan_op *op);
} plan_hook;

static inline bool plan_hook_wants(const plan_hook *h, const plan_op *op)
{
    return !h->wants || h->wants(h->user, op);
}

/* Two listeners in the place of one: `first` hears of an operation before
 * `second`. Either may be NULL. The pair must outlive the hook. */
typedef struct plan_hook_pair {
    const plan_hook *first, *second;
} plan_hook_pair;

plan_hook plan_hook_both(plan_hook_pair *pair);

/* What an operation makes, as numbers that can be shown and compared: F32 (a
 * quantised tensor is expanded) or I32. Operations that fill one column of a
 * tensor (NEAREST, SAMPLE) make that column. */
typedef struct plan_value {
    tensor_id tensor;
    int column; /* of the tensor; -1: all of it */
    dtype type; /* DTYPE_F32 or DTYPE_I32 */
    size_t rows, width;
    size_t bytes; /* of rows * width such numbers */
    size_t room;  /* bytes that plan_value_read needs */
} plan_value;

/* False for an operation that makes nothing new: KV_APPEND copies what the
 * operation before it made into the stream's ring. */
bool plan_value_of_op(const plan *p, const plan_op *op, plan_value *out);

/* The same for an input of the plan (PLAN_FRAME, pinned, written by none of
 * its operations); false if `tensor` is none. */
bool plan_value_of_input(const plan *p, tensor_id tensor, plan_value *out);

/* Inside a hook: the value of one lane into `buffer`, which has v->room bytes
 * and is aligned for floats; the first v->bytes of it are the result. */
void plan_value_read(const backend *be, const plan_runner *runner,
                     const plan *p, const plan_value *v, int lane,
                     void *buffer);

#endif
