/* layers.c: linear maps, norms, sums and tables. */
#include "nn/layers.h"

#include <assert.h>

static tensor_id floats_weight(nn *n, const char *name, const char *suffix,
                               const float *data, size_t width)
{
    return builder_weight(n->b, builder_name(n->b, "%s.%s", name, suffix),
                          DTYPE_F32, 1, width, data);
}

/* The Q8_0 copy of x; made once, however many products read it. */
static tensor_id quantized(nn *n, const char *name, tensor_id x)
{
    if (builder_tensor(n->b, x)->quantized != TENSOR_NONE)
        return builder_tensor(n->b, x)->quantized;
    size_t rows = builder_tensor(n->b, x)->rows;
    size_t width = builder_tensor(n->b, x)->width;
    const char *label = builder_name(n->b, "%s.input_q8_0", name);
    tensor_id q = builder_frame(n->b, label, DTYPE_Q8_0, rows, width);
    plan_op *op = builder_append(n->b, OP_QUANTIZE, label);
    op->in[0] = x;
    op->out = q;
    builder_tensor(n->b, x)->quantized = q;
    return q;
}

tensor_id nn_linear(nn *n, const char *name, nn_matrix w, const float *bias,
                    tensor_id x)
{
    assert(builder_failed(n->b) || builder_tensor(n->b, x)->width == w.width);
    size_t rows = builder_tensor(n->b, x)->rows;
    if (n->quantize && w.type == DTYPE_Q8_0)
        x = quantized(n, name, x);
    tensor_id weight = builder_weight(
        n->b, builder_name(n->b, "%s.weight", name), w.type, w.rows, w.width,
        w.data);
    builder_tensor(n->b, weight)->panels = w.panels;
    tensor_id b = bias ? floats_weight(n, name, "bias", bias, w.rows)
                       : TENSOR_NONE;
    tensor_id y = builder_frame(n->b, name, DTYPE_F32, rows, w.rows);
    plan_op *op = builder_append(n->b, OP_LINEAR, name);
    op->in[0] = weight;
    op->in[1] = x;
    op->in[2] = b;
    op->out = y;
    op->p.linear.rows = rows;
    op->p.linear.stride = w.width;
    /* For Q8_0 the plan says how, as the official engine does it; how the
     * others are rounded is the backend's affair. */
    op->p.linear.int8 = n->quantize && w.type != DTYPE_Q8_0 &&
                        dtype_info(w.type)->block > 1;
    return y;
}

tensor_id nn_normalize(nn *n, const char *name, const nn_norm *norm,
                       tensor_id x)
{
    size_t rows = builder_tensor(n->b, x)->rows;
    size_t width = builder_tensor(n->b, x)->width;
    tensor_id weight = floats_weight(n, name, norm->layer ? "weight" : "alpha",
                                     norm->weight, width);
    tensor_id bias = norm->layer
                         ? floats_weight(n, name, "bias", norm->bias, width)
                         : TENSOR_NONE;
    tensor_id y = builder_frame(n->b, name, DTYPE_F32, rows, width);
    plan_op *op = builder_append(n->b,
                                 norm->layer ? OP_LAYER_NORM : OP_RMS_NORM,
                                 name);
    op->in[0] = x;
    op->in[1] = weight;
    op->in[2] = bias;
    op->out = y;
    op->p.norm.eps = norm->eps;
    return y;
}

tensor_id nn_add(nn *n, const char *name, tensor_id a, tensor_id b,
                 const float *scale)
{
    size_t rows = builder_tensor(n->b, a)->rows;
    size_t width = builder_tensor(n->b, a)->width;
    assert(builder_failed(n->b) || (builder_tensor(n->b, b)->rows == rows &&
                                    builder_tensor(n->b, b)->width == width));
    tensor_id s = scale ? floats_weight(n, name, "scale", scale, width)
                        : TENSOR_NONE;
    tensor_id y = builder_frame(n->b, name, DTYPE_F32, rows, width);
    plan_op *op = builder_append(n->b, OP_ADD, name);
    op->in[0] = a;
    op->in[1] = b;
    op->in[2] = s;
    op->out = y;
    return y;
}

tensor_id nn_pointwise(nn *n, op_kind kind, const char *name, tensor_id x)
{
    size_t rows = builder_tensor(n->b, x)->rows;
    size_t width = builder_tensor(n->b, x)->width;
    if (kind == OP_SILU_GATE)
        width /= 2;
    tensor_id y = builder_frame(n->b, name, DTYPE_F32, rows, width);
    plan_op *op = builder_append(n->b, kind, name);
    op->in[0] = x;
    op->out = y;
    return y;
}

tensor_id nn_embed(nn *n, const char *name, nn_matrix table, tensor_id tokens,
                   int column, size_t rows, tensor_id addend, float sign)
{
    tensor_id weight = builder_weight(
        n->b, builder_name(n->b, "%s.weight", name), table.type, table.rows,
        table.width, table.data);
    tensor_id y = builder_frame(n->b, name, DTYPE_F32, rows, table.width);
    plan_op *op = builder_append(n->b, OP_EMBED, name);
    op->in[0] = weight;
    op->in[1] = tokens;
    op->in[2] = addend;
    op->out = y;
    op->p.embed.column = column;
    op->p.embed.sign = sign;
    return y;
}
