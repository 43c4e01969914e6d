/* conv.c: rearrange convolution weights; append convolutions to a plan. */
#include "nn/conv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "nn/arrange.h"

#define NAME_ROOM 256

/* w[i] = g[i] v[i] / |v[i]|, the norm over all axes but the first
 * (pairs that training leaves; published files have them folded). */
static void fold_weight_norm(float *v, const float *g, size_t rows,
                             size_t width)
{
    for (size_t i = 0; i < rows; i++) {
        double sum = 0;
        for (size_t j = 0; j < width; j++)
            sum += (double)v[i * width + j] * v[i * width + j];
        float factor = (float)(g[i] / sqrt(sum));
        for (size_t j = 0; j < width; j++)
            v[i * width + j] *= factor;
    }
}

/* The weight as the file orders it, [first][second][kernel]; `from` is asked
 * for its matrix [rows, width]. Failures are remembered by w. */
static nn_matrix load_weight(weights *w, const char *name, size_t first,
                             size_t second, size_t kernel, arrangement *from,
                             size_t rows, size_t width)
{
    char part[NAME_ROOM], shape[160];
    weights_place place;
    size_t want[3] = {first, second, kernel}, n = first * second * kernel;
    nn_matrix m = {.type = DTYPE_F32, .rows = rows, .width = width};
    snprintf(part, sizeof part, "%s.weight_v", name);
    bool normed = weights_find(w, part, &place);
    if (!normed)
        snprintf(part, sizeof part, "%s.weight", name);
    /* Equal products of the axes would hide a transposed weight. */
    if (weights_find(w, part, &place) &&
        (place.tensor->n_dims != 3 ||
         memcmp(place.tensor->dims, want, sizeof want) != 0))
        weights_fail(w, MOSHI_MISMATCH,
                     "tensor %s is %s, expected [%zu, %zu, %zu]", part,
                     checkpoint_shape_text(place.tensor, shape, sizeof shape),
                     first, second, kernel);
    if (!weights_source(w, part, n, &from->data, &from->type))
        return m;
    if (!normed)
        return weights_arrange(w, from, rows, width);
    /* Folding needs a copy, which does not outlive this function. */
    bool later = w->later;
    snprintf(part, sizeof part, "%s.weight_g", name);
    const float *g = weights_floats(w, part, first);
    float *v = memory_calloc(n, sizeof *v);
    if (!v && w->status == MOSHI_OK)
        w->status = error_no_memory(w->err, "the weights of a convolution");
    if (w->status == MOSHI_OK) {
        weights_widen(v, from->data, from->type, n);
        fold_weight_norm(v, g, first, second * kernel);
        from->data = v;
        from->type = DTYPE_F32;
        w->later = false;
        m = weights_arrange(w, from, rows, width);
        w->later = later;
    }
    memory_free(v);
    return m;
}

static const float *load_bias(weights *w, const char *name, size_t n)
{
    char part[NAME_ROOM];
    snprintf(part, sizeof part, "%s.bias", name);
    return weights_floats(w, part, n);
}

void nn_conv_load(weights *w, const char *name, size_t in, size_t out,
                  int kernel, int stride, bool bias, nn_conv *c)
{
    size_t K = (size_t)kernel;
    *c = (nn_conv){.in = in, .out = out, .kernel = kernel, .stride = stride};
    /* [out][in][k] -> [out][k][in] */
    arrangement from = {.period = out, .row_step = in * K,
                        .run = in, .column_step = K, .run_step = 1};
    c->w = load_weight(w, name, out, in, K, &from, out, K * in);
    c->bias = bias ? load_bias(w, name, out) : NULL;
}

void nn_conv_transposed_load(weights *w, const char *name, size_t in,
                             size_t out, int stride, nn_conv *c)
{
    size_t S = (size_t)stride, K = 2 * S;
    *c = (nn_conv){.in = in, .out = out, .kernel = 2 * stride,
                   .stride = stride, .transposed = true};
    /* [in][out][k] -> [j][out][past, now][in]; now: k = j, past: k = S + j */
    arrangement from = {.period = out, .row_step = K, .period_step = 1,
                        .run = in, .column_step = out * K,
                        .first = stride, .run_step = -stride};
    c->w = load_weight(w, name, in, out, K, &from, S * out, 2 * in);
    const float *b = load_bias(w, name, out);
    float *repeated = weights_own(w, S * out);
    if (b && repeated)
        for (size_t j = 0; j < S; j++)
            memcpy(repeated + j * out, b, out * sizeof *b);
    c->bias = repeated;
}

/* x with the last `past` rows of the earlier frames in front. */
static tensor_id with_past(nn *n, const char *name, tensor_id x, size_t past,
                           bool replicate)
{
    size_t rows = builder_tensor(n->b, x)->rows;
    size_t width = builder_tensor(n->b, x)->width;
    if (past == 0)
        return x;
    tensor_id tail = builder_state(n->b, builder_name(n->b, "%s.past", name),
                                   DTYPE_F32, past, width, false);
    const char *label = builder_name(n->b, "%s.window", name);
    tensor_id y = builder_frame(n->b, label, DTYPE_F32, past + rows, width);
    plan_op *op = builder_append(n->b, OP_WINDOW, label);
    op->in[0] = x;
    op->in[1] = tail;
    op->out = y;
    op->p.window.replicate = replicate;
    return y;
}

tensor_id nn_convolve(nn *n, const char *name, const nn_conv *c, tensor_id x)
{
    size_t T = builder_tensor(n->b, x)->rows;
    size_t S = (size_t)c->stride;
    size_t past = c->transposed ? 1 : (size_t)(c->kernel - c->stride);
    size_t rows = c->transposed ? T : T / S;
    tensor_id windows = with_past(n, name, x, past, c->replicate);
    tensor_id weight = builder_weight(
        n->b, builder_name(n->b, "%s.weight", name), c->w.type, c->w.rows,
        c->w.width, c->w.data);
    builder_tensor(n->b, weight)->panels = c->w.panels;
    tensor_id bias =
        c->bias ? builder_weight(n->b, builder_name(n->b, "%s.bias", name),
                                 DTYPE_F32, 1, c->w.rows, c->bias)
                : TENSOR_NONE;
    /* A transposed convolution writes S output steps side by side: the same
     * bytes as S rows. */
    tensor_id y = builder_frame(n->b, name, DTYPE_F32,
                                c->transposed ? T * S : rows, c->out);
    builder_channels_first(n->b, y);
    plan_op *op = builder_append(n->b, OP_LINEAR, name);
    op->in[0] = weight;
    op->in[1] = windows;
    op->in[2] = bias;
    op->out = y;
    op->p.linear.rows = rows;
    op->p.linear.stride = (c->transposed ? 1 : S) * c->in;
    return y;
}

tensor_id nn_upsample(nn *n, const char *name, const float *w, int stride,
                      tensor_id x)
{
    size_t T = builder_tensor(n->b, x)->rows;
    size_t C = builder_tensor(n->b, x)->width, S = (size_t)stride;
    tensor_id weight = builder_weight(
        n->b, builder_name(n->b, "%s.weight", name), DTYPE_F32, C, 2 * S, w);
    tensor_id past = builder_state(n->b, builder_name(n->b, "%s.past", name),
                                   DTYPE_F32, 1, C, false);
    tensor_id y = builder_frame(n->b, name, DTYPE_F32, T * S, C);
    builder_channels_first(n->b, y);
    plan_op *op = builder_append(n->b, OP_UPSAMPLE, name);
    op->in[0] = weight;
    op->in[1] = x;
    op->in[2] = past;
    op->out = y;
    op->p.upsample.stride = stride;
    return y;
}
