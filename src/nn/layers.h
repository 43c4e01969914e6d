/* layers.h: builders that append the blocks of a network to a plan.
 *
 * Each function appends the operations of one block, named as the module of
 * the official engine that it mirrors, and returns the block's output tensor,
 * which carries that name. Shapes: x is [rows, C] with rows = branches * T. */
#ifndef MOSHI_NN_LAYERS_H
#define MOSHI_NN_LAYERS_H

#include "nn/weights.h"
#include "plan/builder.h"

/* What the blocks of one plan have in common. */
typedef struct nn {
    builder *b;
    bool quantize; /* quantised weights: activations of 8 bits too
                      (docs/MODEL.md, arithmetic) */
} nn;

/* y = W x + bias; bias may be NULL. */
tensor_id nn_linear(nn *n, const char *name, nn_matrix w, const float *bias,
                    tensor_id x);

typedef struct nn_norm {
    bool layer;          /* LayerNorm; else RMS norm */
    float eps;
    const float *weight; /* alpha of an RMS norm */
    const float *bias;   /* LayerNorm only */
} nn_norm;
tensor_id nn_normalize(nn *n, const char *name, const nn_norm *norm,
                       tensor_id x);

/* a + scale ⊙ b; scale may be NULL. */
tensor_id nn_add(nn *n, const char *name, tensor_id a, tensor_id b,
                 const float *scale);

tensor_id nn_pointwise(nn *n, op_kind kind, const char *name, tensor_id x);

/* A row of a table for each row of `rows`, added to `addend` (or
 * TENSOR_NONE) with `sign`. */
tensor_id nn_embed(nn *n, const char *name, nn_matrix table, tensor_id tokens,
                   int column, size_t rows, tensor_id addend, float sign);

#endif
