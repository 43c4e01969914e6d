/* transformer.c: append one transformer layer to a plan. */
#include "nn/transformer.h"

#include <math.h>

tensor_id nn_rope_table(nn *n, const char *name, const nn_transformer *t,
                        float max_period)
{
    if (!t->rope)
        return TENSOR_NONE;
    size_t half = (size_t)t->head_dim / 2;
    float *frequency = builder_floats(n->b, half);
    /* f32 as the official Rust code forms them. */
    for (size_t i = 0; frequency && i < half; i++)
        frequency[i] =
            1.0f / powf(max_period, (float)(2 * i) / (float)t->head_dim);
    tensor_id f = builder_weight(
        n->b, builder_name(n->b, "%s.frequencies", name), DTYPE_F32, 1, half,
        frequency);
    tensor_id table = builder_frame(n->b, name, DTYPE_F32,
                                    (size_t)builder_steps(n->b),
                                    (size_t)t->head_dim);
    plan_op *op = builder_append(n->b, OP_ROPE_TABLE, name);
    op->in[0] = f;
    op->out = table;
    return table;
}

tensor_id nn_cache(nn *n, const char *name, const nn_transformer *t,
                   bool in_stream)
{
    size_t rows = (size_t)builder_branches(n->b) * (size_t)t->capacity;
    size_t width = 2 * (size_t)t->kv_heads * (size_t)t->head_dim;
    const char *label = builder_name(n->b, "%s.kv_cache", name);
    /* Slots beyond the position are never read: no need to clear them. */
    return in_stream
               ? builder_state(n->b, label, t->cache, rows, width, true)
               : builder_frame(n->b, label, t->cache, rows, width);
}

static tensor_id attend(nn *n, const char *name, const nn_transformer *t,
                        tensor_id q, tensor_id cache, tensor_id length)
{
    size_t rows = builder_tensor(n->b, q)->rows;
    tensor_id y = builder_frame(n->b, name, DTYPE_F32, rows,
                                (size_t)t->heads * (size_t)t->head_dim);
    plan_op *op = builder_append(n->b, OP_ATTENTION, name);
    op->in[0] = q;
    op->in[1] = cache;
    op->in[2] = length;
    op->out = y;
    op->p.attention.heads = t->heads;
    op->p.attention.kv_heads = t->kv_heads;
    op->p.attention.head_dim = t->head_dim;
    op->p.attention.steps = builder_steps(n->b);
    op->p.attention.capacity = t->capacity;
    op->p.attention.context = t->context;
    op->p.attention.position = t->position;
    op->p.attention.window = t->window;
    return y;
}

static void append_keys(nn *n, const char *name, const nn_transformer *t,
                        tensor_id qkv, tensor_id cache)
{
    plan_op *op = builder_append(n->b, OP_KV_APPEND,
                                 builder_name(n->b, "%s.kv_append", name));
    op->in[0] = qkv;
    op->in[1] = cache;
    op->out = cache;
    op->p.attention.heads = t->heads;
    op->p.attention.kv_heads = t->kv_heads;
    op->p.attention.head_dim = t->head_dim;
    op->p.attention.steps = builder_steps(n->b);
    op->p.attention.capacity = t->capacity;
    op->p.attention.position = t->position;
}

static tensor_id rotate(nn *n, const char *name, const nn_transformer *t,
                        tensor_id qkv, tensor_id table)
{
    size_t rows = builder_tensor(n->b, qkv)->rows;
    size_t width = builder_tensor(n->b, qkv)->width;
    const char *label = builder_name(n->b, "%s.rope", name);
    tensor_id y = builder_frame(n->b, label, DTYPE_F32, rows, width);
    plan_op *op = builder_append(n->b, OP_ROPE, label);
    op->in[0] = qkv;
    op->in[1] = table;
    op->out = y;
    op->p.rope.heads = t->heads;
    op->p.rope.kv_heads = t->kv_heads;
    op->p.rope.head_dim = t->head_dim;
    op->p.rope.concat = t->rope_concat;
    return y;
}

static tensor_id self_attention(nn *n, const char *name, const nn_layer *layer,
                                const nn_transformer *t, tensor_id x,
                                tensor_id cache, tensor_id table)
{
    const char *self = builder_name(n->b, "%s.self_attn", name);
    tensor_id y = nn_normalize(n, builder_name(n->b, "%s.norm1", name),
                               &layer->norm1, x);
    y = nn_linear(n, builder_name(n->b, "%s.in_proj", self), layer->in_proj,
                  NULL, y);
    if (table != TENSOR_NONE)
        y = rotate(n, self, t, y, table);
    append_keys(n, self, t, y, cache);
    y = attend(n, builder_name(n->b, "%s.attention", self), t, y, cache,
               TENSOR_NONE);
    return nn_linear(n, builder_name(n->b, "%s.out_proj", self),
                     layer->out_proj, NULL, y);
}

static tensor_id cross_attention(nn *n, const char *name,
                                 const nn_layer *layer,
                                 const nn_transformer *t, tensor_id x,
                                 const nn_source *source)
{
    const char *cross = builder_name(n->b, "%s.cross_attention", name);
    nn_transformer c = *t;
    c.kv_heads = t->heads;
    c.capacity = source->capacity;
    c.window = OP_WINDOW_SOURCE;
    tensor_id y = nn_normalize(n, builder_name(n->b, "%s.norm_cross", name),
                               &layer->norm_cross, x);
    y = nn_linear(n, builder_name(n->b, "%s.q_proj", cross), layer->cross_q,
                  NULL, y);
    y = attend(n, builder_name(n->b, "%s.attention", cross), &c, y,
               source->cache, source->length);
    return nn_linear(n, builder_name(n->b, "%s.out_proj", cross),
                     layer->cross_out, NULL, y);
}

static tensor_id feed_forward(nn *n, const char *name, const nn_layer *layer,
                              tensor_id x)
{
    const char *in = layer->gated ? "gating.linear_in" : "linear1";
    const char *act = layer->gated ? "gating.activation" : "activation";
    const char *out = layer->gated ? "gating.linear_out" : "linear2";
    tensor_id y = nn_normalize(n, builder_name(n->b, "%s.norm2", name),
                               &layer->norm2, x);
    y = nn_linear(n, builder_name(n->b, "%s.%s", name, in), layer->ff_in, NULL,
                  y);
    y = nn_pointwise(n, layer->gated ? OP_SILU_GATE : OP_GELU,
                     builder_name(n->b, "%s.%s", name, act), y);
    return nn_linear(n, builder_name(n->b, "%s.%s", name, out), layer->ff_out,
                     NULL, y);
}

tensor_id nn_transformer_layer(nn *n, const char *name, const nn_layer *layer,
                               const nn_transformer *t, tensor_id x,
                               tensor_id cache, tensor_id rope_table,
                               const nn_source *source)
{
    tensor_id y = self_attention(n, name, layer, t, x, cache, rope_table);
    x = nn_add(n, builder_name(n->b, "%s.after_attention", name), x, y,
               layer->scale1);
    if (layer->cross_q.data && source) {
        y = cross_attention(n, name, layer, t, x, source);
        x = nn_add(n, builder_name(n->b, "%s.after_cross", name), x, y, NULL);
    }
    y = feed_forward(n, name, layer, x);
    return nn_add(n, name, x, y, layer->scale2);
}
