/* linear_int8.c: reference: quantised weights times 8-bit activations.
 *
 * Within a block all is integer, so its sum is exact in any order; then come a
 * few float operations, and the blocks are added in their order. Every
 * instruction set gives the same bits. Q8_0 is as in the official engine's
 * scalar build. */
#include "base/half.h"
#include "cpu/blocks.h"
#include "cpu/kernel_list.h"

/* One block (super-block) of a row times that of a column, added to `sum`. */
typedef float block_dot(float sum, const unsigned char *w,
                        const unsigned char *x);

static void linear(block_dot *dot, size_t block, size_t w_bytes,
                   size_t x_bytes, float *const *y, const void *const *x,
                   int columns, const void *w, size_t row_bytes, size_t K,
                   const float *bias, size_t row0, size_t row1)
{
    for (size_t r = row0; r < row1; r++) {
        const unsigned char *row = (const unsigned char *)w + r * row_bytes;
        for (int c = 0; c < columns; c++) {
            const unsigned char *column = x[c];
            float sum = 0;
            for (size_t b = 0; b < K / block; b++)
                sum = dot(sum, row + b * w_bytes, column + b * x_bytes);
            y[c][r] = bias ? sum + bias[r] : sum;
        }
    }
}

/* total + sum * d_w * d_x */
static float add_scaled(float total, int32_t sum, const unsigned char *w,
                        const unsigned char *x)
{
    float p = (float)sum * half_to_float(block_half(w));
    return total + p * block_float(x + COLUMN_32_D);
}

static float dot_q8_0(float total, const unsigned char *w,
                      const unsigned char *x)
{
    int32_t sum = 0;
    for (int i = 0; i < 32; i++)
        sum += (int8_t)w[Q8_0_QUANTS + i] * (int8_t)x[i];
    return add_scaled(total, sum, w, x);
}

static float dot_q4_0(float total, const unsigned char *w,
                      const unsigned char *x)
{
    int32_t sum = 0;
    for (int i = 0; i < 16; i++) {
        int pair = w[Q4_0_QUANTS + i];
        sum += ((pair & 15) - 8) * (int8_t)x[i];
        sum += ((pair >> 4) - 8) * (int8_t)x[i + 16];
    }
    return add_scaled(total, sum, w, x);
}

static int32_t column_sum(const unsigned char *x, size_t i)
{
    int16_t sum;
    memcpy(&sum, x + COLUMN_K_SUMS + 2 * i, sizeof sum);
    return sum;
}

/* Q4_K, Q5_K: d d_x Σ_s scale_s Σ q x - dmin d_x Σ_s min_s Σ x. `high`: the
 * bytes of the fifth bits, or NULL. */
static float dot_k(float total, const unsigned char *w,
                   const unsigned char *quants, const unsigned char *high,
                   const unsigned char *x)
{
    int32_t sum = 0, mins = 0;
    for (size_t s = 0; s < SUPER_BLOCK / SUB_BLOCK; s++) {
        const unsigned char *q = quants + s / 2 * 32;
        const unsigned char *at = x + column_k_place(s) * SUB_BLOCK;
        int scale, min;
        int32_t part = 0;
        block_scale_min(w + Q4_K_SCALES, s, &scale, &min);
        for (size_t i = 0; i < SUB_BLOCK; i++) {
            int value = s % 2 ? q[i] >> 4 : q[i] & 15;
            if (high)
                value |= (high[i] >> s & 1) << 4;
            part += value * (int8_t)at[i];
        }
        sum += scale * part;
        mins += min * column_sum(x, s);
    }
    float d = half_to_float(block_half(w)) * block_float(x + COLUMN_K_D);
    float dmin = half_to_float(block_half(w + Q4_K_DMIN)) * block_float(x + COLUMN_K_D);
    return total + ((float)sum * d - (float)mins * dmin);
}

static float dot_q4_k(float total, const unsigned char *w,
                      const unsigned char *x)
{
    return dot_k(total, w, w + Q4_K_QUANTS, NULL, x);
}

static float dot_q5_k(float total, const unsigned char *w,
                      const unsigned char *x)
{
    return dot_k(total, w, w + Q5_K_QUANTS, w + Q5_K_HIGH, x);
}

/* d d_x Σ_g scale_g (Σ q x - 32 Σ x), g: groups of 16 */
static float dot_q6_k(float total, const unsigned char *w,
                      const unsigned char *x)
{
    int32_t sum = 0;
    for (size_t g = 0; g < SUPER_BLOCK / 16; g++) {
        size_t half = g / 8, sub = g / 2 % 4;
        int32_t part = 0;
        for (size_t i = 0; i < 16; i++) {
            size_t at = g % 2 * 16 + i; /* in the sub-block */
            int low = w[64 * half + 32 * (sub % 2) + at];
            int high = w[Q6_K_HIGH + 32 * half + at];
            int value = (sub < 2 ? low & 15 : low >> 4) |
                        (high >> 2 * sub & 3) << 4;
            part += value * (int8_t)x[16 * g + i];
        }
        sum += (int8_t)w[Q6_K_SCALES + g] * (part - 32 * column_sum(x, g));
    }
    float d = half_to_float(block_half(w + Q6_K_D)) * block_float(x + COLUMN_K_D);
    return total + (float)sum * d;
}

#define LINEAR(name, block, w_bytes, x_bytes)                              \
    KERNEL_LINEAR(kernel_linear_int8_##name##_ref)                         \
    {                                                                      \
        linear(dot_##name, block, w_bytes, x_bytes, y, x, columns, w,      \
               row_bytes, K, bias, row0, row1);                            \
    }
LINEAR(q8_0, SUB_BLOCK, Q8_0_BYTES, COLUMN_32_BYTES)
LINEAR(q4_0, SUB_BLOCK, Q4_0_BYTES, COLUMN_32_BYTES)
LINEAR(q4_k, SUPER_BLOCK, Q4_K_BYTES, COLUMN_K_BYTES)
LINEAR(q5_k, SUPER_BLOCK, Q5_K_BYTES, COLUMN_K_BYTES)
LINEAR(q6_k, SUPER_BLOCK, Q6_K_BYTES, COLUMN_K_BYTES)
