/* transformer.h: one pre-norm transformer layer (docs/MODEL.md, a layer).
 *
 *   x ← x + scale1 ⊙ out_proj(attention(in_proj(norm1(x))))
 *   x ← x + cross_out(cross_attention(cross_q(norm_cross(x)), source))
 *   x ← x + scale2 ⊙ ff_out(act(ff_in(norm2(x))))
 *
 * The middle line only in models with cross-attention; the scales only where
 * the file has them. */
#ifndef MOSHI_NN_TRANSFORMER_H
#define MOSHI_NN_TRANSFORMER_H

#include "nn/layers.h"

typedef struct nn_layer {
    nn_norm norm1, norm2, norm_cross;
    nn_matrix in_proj;  /* [(H + 2 Hkv) * hd, D]: all q, all k, all v */
    nn_matrix out_proj; /* [D, H * hd] */
    nn_matrix cross_q, cross_kv, cross_out; /* data NULL: none */
    bool gated;         /* silu(first half) ⊙ second half; else gelu */
    nn_matrix ff_in;    /* [2F, D] gated, [F, D] not */
    nn_matrix ff_out;   /* [D, F] */
    const float *scale1, *scale2; /* [D] or NULL */
} nn_layer;

/* Shapes and numerics of all layers of one transformer. */
typedef struct nn_transformer {
    int width, heads, kv_heads, head_dim, hidden;
    bool gated;
    bool layer_norm; /* norm1, norm2; else RMS */
    float eps;
    int context;     /* steps that a query sees, itself included */
    int capacity;    /* slots of the key/value ring, >= context */
    op_window window;
    dtype cache;     /* of keys and values: F32, F16, or Q8_0 if head_dim is a
                        multiple of 32 */
    int position;    /* OP_POSITION_STREAM or a constant */
    bool rope;
    bool rope_concat;
} nn_transformer;

/* Read layer `prefix` ("transformer.layers.3") from the checkpoint. */
void nn_layer_load(weights *w, const char *prefix, const nn_transformer *t,
                   bool cross, nn_layer *out);

/* cos/sin of this frame's positions, shared by all layers; TENSOR_NONE
 * without rope. max_period: the longest wave length base. */
tensor_id nn_rope_table(nn *n, const char *name, const nn_transformer *t,
                        float max_period);

/* A key/value cache for one layer: [branches * capacity, 2 Hkv hd]. In the
 * stream (state), or only within a frame. */
tensor_id nn_cache(nn *n, const char *name, const nn_transformer *t,
                   bool in_stream);

/* Source of cross-attention: cached keys and values, and how many. */
typedef struct nn_source {
    tensor_id cache;  /* [branches * capacity, 2 D], TENSOR_NONE: none */
    tensor_id length; /* I32 [branches, 1] */
    int capacity;
} nn_source;

tensor_id nn_transformer_layer(nn *n, const char *name, const nn_layer *layer,
                               const nn_transformer *t, tensor_id x,
                               tensor_id cache, tensor_id rope_table,
                               const nn_source *source);

#endif
