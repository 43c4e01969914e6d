/* linear_q8_0.c: reference: Q8_0 weights times Q8_0 activations, as the
 * official engine's scalar build does it: for each block an exact integer
 * sum, times the weights' scale, times the activations' scale, added in float
 * in the order of the blocks. Every instruction set gives the same bits. */
#include "base/half.h"
#include "cpu/blocks.h"
#include "cpu/kernel_list.h"

static float block_dot(const unsigned char *w, const unsigned char *x)
{
    int32_t sum = 0;
    for (int i = Q8_0_QUANTS; i < Q8_0_BYTES; i++)
        sum += (int8_t)w[i] * (int8_t)x[i];
    return (float)sum * half_to_float(block_half(w)) *
           half_to_float(block_half(x));
}

KERNEL_LINEAR(kernel_linear_q8_0_q8_0_ref)
{
    for (size_t r = row0; r < row1; r++) {
        const unsigned char *row = (const unsigned char *)w + r * row_bytes;
        for (int c = 0; c < columns; c++) {
            const unsigned char *column = x[c];
            float sum = 0;
            for (size_t b = 0; b < K / 32; b++)
                sum += block_dot(row + b * Q8_0_BYTES,
                                 column + b * Q8_0_BYTES);
            y[c][r] = bias ? sum + bias[r] : sum;
        }
    }
}
