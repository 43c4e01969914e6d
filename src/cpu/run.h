/* run.h: what the operations of the CPU backend see of a run.
 *
 * Internal to src/cpu. A frame tensor of n lanes lies as n blocks of the
 * tensor's bytes; a state tensor lies in each stream's own block. */
#ifndef MOSHI_CPU_RUN_H
#define MOSHI_CPU_RUN_H

#include <stdint.h>

#include "base/threads.h"
#include "cpu/kernels.h"
#include "cpu/state.h"

struct plan_runner {
    const plan *plan;
    const kernel_table *kernels;
    pool *pool;                 /* borrowed from the backend */
    int lanes_max;
    char *scratch;              /* owned: lanes_max * frame_bytes */
    float *worker_scratch;      /* owned: worker_floats for each worker */
    size_t worker_floats;
    char *columns;              /* owned: 8-bit activations of one LINEAR */
    plan_state *const *states;  /* of the run in progress */
    int n_lanes;
};

typedef void cpu_operation(plan_runner *r, const plan_op *op);

#define CPU_OPERATION_DECLARE(kind) cpu_operation cpu_op_##kind;
OP_KINDS(CPU_OPERATION_DECLARE)
#undef CPU_OPERATION_DECLARE

static inline const plan_tensor *cpu_tensor(const plan_runner *r, tensor_id id)
{
    return &r->plan->tensors[id];
}

/* The bytes of a tensor for one lane; NULL for TENSOR_NONE. */
static inline void *cpu_data(const plan_runner *r, tensor_id id, int lane)
{
    if (id == TENSOR_NONE)
        return NULL;
    const plan_tensor *t = cpu_tensor(r, id);
    switch (t->space) {
    case PLAN_WEIGHT:
        return (void *)(uintptr_t)t->data;
    case PLAN_STATE:
        return r->states[lane]->bytes + t->offset;
    default:
        return r->scratch + t->offset * (size_t)r->lanes_max +
               t->bytes * (size_t)lane;
    }
}

static inline float *cpu_floats(const plan_runner *r, tensor_id id, int lane)
{
    return cpu_data(r, id, lane);
}

/* Bytes of r->columns that an operation needs for one lane; 0: none. */
size_t cpu_linear_column_bytes(const plan *p, const plan_op *op);

/* Scratch floats of one worker. */
static inline float *cpu_worker(const plan_runner *r, int worker)
{
    return r->worker_scratch + r->worker_floats * (size_t)worker;
}

/* Position of step 0 of this frame for an operation (op.h). */
static inline int64_t cpu_position(const plan_runner *r, int position,
                                   int lane)
{
    return position == OP_POSITION_STREAM
               ? r->states[lane]->frame * r->plan->steps
               : position;
}

#endif
