/* plan.h: one frame as a flat list of named operations over named tensors.
 *
 * Built once per model (see builder.h), immutable afterwards, walked by a
 * backend for every frame. Three kinds of tensor:
 *  - weights: borrowed from the model, in the file's type;
 *  - frame tensors: live inside one run; the memory planner gives each an
 *    offset so that those never alive together share bytes;
 *  - state tensors: live in a stream from frame to frame.
 *
 * Thread-safety: a finished plan may be used by any number of threads. */
#ifndef MOSHI_PLAN_PLAN_H
#define MOSHI_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/dtype.h"
#include "plan/op.h"

typedef enum plan_space { PLAN_WEIGHT, PLAN_FRAME, PLAN_STATE } plan_space;

typedef struct plan_tensor {
    const char *name; /* "" for scratch that has none */
    dtype type;
    size_t rows, width;
    size_t row_bytes, bytes; /* of one lane */
    plan_space space;
    const void *data;    /* weights: borrowed from the model */
    size_t offset;       /* frame: in the lane's scratch; state: in a stream */
    bool pinned;         /* input or output: keeps its bytes all frame long */
    bool panels;         /* weights: laid out as plan/panels.h says */
    bool keep;           /* state: a reset need not clear it */
    bool channels_first; /* the official engine lays it out as [width][rows] */
    tensor_id quantized; /* its Q8_0 copy, once one has been made */
} plan_tensor;

typedef struct plan {
    const char *name; /* "mimi.encoder" */
    plan_tensor *tensors;
    size_t n_tensors;
    plan_op *ops;
    size_t n_ops;
    int steps;           /* T: latent steps in a frame */
    int branches;        /* 1, or 2 with guidance */
    size_t frame_bytes;  /* scratch of one lane */
    size_t state_bytes;  /* state of one stream */
    size_t attention_keys_max; /* the most keys any ATTENTION can see */
    struct plan_names *names;  /* owned storage for strings, small arrays */
} plan;

void plan_close(plan **p);

/* The tensor with that name (the last one written, if several), or
 * TENSOR_NONE. For tests and tracing; not for the per-frame path. */
tensor_id plan_find(const plan *p, const char *name);

/* Bytes of weights that an operation reads in a frame: all of a matrix, one
 * row of a table of tokens. */
size_t plan_op_weight_bytes(const plan *p, const plan_op *op);

#endif
