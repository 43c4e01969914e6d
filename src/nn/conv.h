/* conv.h: streaming convolutions as matrix products (docs/MODEL.md,
 * convolutions).
 *
 * Data lies time-major, [T][C]: the window of a kernel is then one contiguous
 * run of K*C floats, and consecutive windows start stride*C floats apart. A
 * causal convolution is therefore a product with overlapping rows over the
 * input with its past in front; a transposed convolution whose kernel is twice
 * its stride is a product over the windows [x[t-1], x[t]] with stride*C_out
 * outputs. The weights are rearranged once, at opening. */
#ifndef MOSHI_NN_CONV_H
#define MOSHI_NN_CONV_H

#include "nn/layers.h"

typedef struct nn_conv {
    nn_matrix w;       /* conv: [C_out, K*C_in]; transposed: [S*C_out, 2*C_in] */
    const float *bias; /* conv: [C_out]; transposed: [S*C_out]; or NULL */
    size_t in, out;    /* C_in, C_out */
    int kernel, stride;
    bool transposed;
    bool replicate;    /* past of the first frame: copies of its first column */
} nn_conv;

/* Read `name`.weight and, with `bias`, `name`.bias; weight norm
 * (weight_g, weight_v) is folded in if that is what the file has. */
void nn_conv_load(weights *w, const char *name, size_t in, size_t out,
                  int kernel, int stride, bool bias, nn_conv *c);
void nn_conv_transposed_load(weights *w, const char *name, size_t in,
                             size_t out, int stride, nn_conv *c);

/* x [T, C_in] -> [T/stride, C_out], or [T*stride, C_out] transposed. */
tensor_id nn_convolve(nn *n, const char *name, const nn_conv *c, tensor_id x);

/* Depthwise transposed convolution: x [T, C] -> [T*stride, C]; w: [C, 2S]. */
tensor_id nn_upsample(nn *n, const char *name, const float *w, int stride,
                      tensor_id x);

#endif
