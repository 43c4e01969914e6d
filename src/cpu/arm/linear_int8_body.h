/* linear_int8_body.h: quantised weights times 8-bit activations; included by
 * linear_int8_<isa>.c, which defines INT8(name), dot16 (a product of 16 pairs
 * of bytes, added up in four lanes), and HAS_MATRIX where 8-bit matrices are
 * multiplied in one instruction (i8mm).
 *
 * All sums within a block are exact integers, so their order is free; then come
 * the reference's float operations, block after block. So the bits are the
 * reference's (ref/linear_int8.c).
 *
 * A tile is a pair of rows × up to 2 columns: four sums, one a lane, in the
 * order row 0 column 0, row 0 column 1, row 1 column 0, row 1 column 1 (the
 * order in which i8mm leaves them). What is missing is there twice. */
#ifndef MOSHI_CPU_ARM_LINEAR_INT8_BODY_H
#define MOSHI_CPU_ARM_LINEAR_INT8_BODY_H

#include <stdbool.h>

#include "cpu/arm/unpack.h"
#include "cpu/kernel_list.h"

/* The two rows and the two columns of a tile, and what they share. */
typedef struct pair {
    const unsigned char *w[2], *x[2];
} pair;

/* {a0, a0, a1, a1} and {a0, a1, a0, a1} */
INLINE float32x4_t for_rows(float a0, float a1)
{
    const float f[4] = {a0, a0, a1, a1};
    return vld1q_f32(f);
}

INLINE float32x4_t for_columns(float a0, float a1)
{
    const float f[4] = {a0, a1, a0, a1};
    return vld1q_f32(f);
}

INLINE int32x4_t ints_for_rows(int32_t a0, int32_t a1)
{
    const int32_t i[4] = {a0, a0, a1, a1};
    return vld1q_s32(i);
}

INLINE int32x4_t ints_for_columns(int32_t a0, int32_t a1)
{
    const int32_t i[4] = {a0, a1, a0, a1};
    return vld1q_s32(i);
}

/* The four sums of 16 products each: rows q0, q1 by columns at x0, x1. */
INLINE int32x4_t products(int32x4_t sum, int8x16_t q0, int8x16_t q1,
                          const unsigned char *x0, const unsigned char *x1,
                          const bool both)
{
    int8x16_t a = bytes_load(x0), b = both ? bytes_load(x1) : a;
#if HAS_MATRIX
    if (both) {
        int64x2_t r0 = vreinterpretq_s64_s8(q0), r1 = vreinterpretq_s64_s8(q1);
        int64x2_t c0 = vreinterpretq_s64_s8(a), c1 = vreinterpretq_s64_s8(b);
        sum = vmmlaq_s32(sum, vreinterpretq_s8_s64(vzip1q_s64(r0, r1)),
                         vreinterpretq_s8_s64(vzip1q_s64(c0, c1)));
        return vmmlaq_s32(sum, vreinterpretq_s8_s64(vzip2q_s64(r0, r1)),
                          vreinterpretq_s8_s64(vzip2q_s64(c0, c1)));
    }
#endif
    const int32x4_t zero = vdupq_n_s32(0);
    int32x4_t s00 = dot16(zero, q0, a), s10 = dot16(zero, q1, a);
    int32x4_t s01 = both ? dot16(zero, q0, b) : s00;
    int32x4_t s11 = both ? dot16(zero, q1, b) : s10;
    return vaddq_s32(sum, vpaddq_s32(vpaddq_s32(s00, s01),
                                     vpaddq_s32(s10, s11)));
}

/* --- Q8_0 and Q4_0: one scale for 32 --- */

/* total + sum d_w d_x of one block */
INLINE float32x4_t block_32(const dtype type, float32x4_t total, pair p,
                            const bool both)
{
    int8x16_t q0[2], q1[2];
    int32x4_t sum = vdupq_n_s32(0);
    unpack_32(type, q0, p.w[0], 0);
    unpack_32(type, q1, p.w[1], 0);
    for (int i = 0; i < 2; i++)
        sum = products(sum, q0[i], q1[i], p.x[0] + 16 * i, p.x[1] + 16 * i,
                       both);
    float32x4_t product = vmulq_f32(vcvtq_f32_s32(sum),
                                    for_rows(half_at(p.w[0]),
                                             half_at(p.w[1])));
    product = vmulq_f32(product,
                        for_columns(block_float(p.x[0] + COLUMN_32_D),
                                    block_float(p.x[1] + COLUMN_32_D)));
    return vaddq_f32(total, product);
}

/* --- K-quants: integer scales within a scale for 256 --- */

INLINE int32_t column_sum(const unsigned char *x, size_t i)
{
    int16_t sum;
    memcpy(&sum, x + COLUMN_K_SUMS + 2 * i, sizeof sum);
    return sum;
}

/* Q4_K, Q5_K: total + (Σ scale q x d - Σ min Σ x dmin) */
INLINE float32x4_t block_k(const dtype type, float32x4_t total, pair p,
                           const bool both)
{
    int32x4_t sum = vdupq_n_s32(0), mins = sum;
    for (size_t s = 0; s < 8; s++) {
        size_t at = column_k_place(s) * SUB_BLOCK;
        int8x16_t q0[2], q1[2];
        int scale[2], min[2];
        int32x4_t part = vdupq_n_s32(0);
        unpack_32(type, q0, p.w[0], s);
        unpack_32(type, q1, p.w[1], s);
        for (int r = 0; r < 2; r++)
            block_scale_min(p.w[r] + Q4_K_SCALES, s, &scale[r], &min[r]);
        for (size_t i = 0; i < 2; i++)
            part = products(part, q0[i], q1[i], p.x[0] + at + 16 * i,
                            p.x[1] + at + 16 * i, both);
        sum = vmlaq_s32(sum, part, ints_for_rows(scale[0], scale[1]));
        mins = vmlaq_s32(mins, ints_for_rows(min[0], min[1]),
                         ints_for_columns(column_sum(p.x[0], s),
                                          column_sum(p.x[1], s)));
    }
    float32x4_t d_x = for_columns(block_float(p.x[0] + COLUMN_K_D),
                                  block_float(p.x[1] + COLUMN_K_D));
    float32x4_t d = vmulq_f32(for_rows(half_at(p.w[0]), half_at(p.w[1])), d_x);
    float32x4_t dmin = vmulq_f32(for_rows(half_at(p.w[0] + Q4_K_DMIN),
                                          half_at(p.w[1] + Q4_K_DMIN)), d_x);
    return vaddq_f32(total,
                     vsubq_f32(vmulq_f32(vcvtq_f32_s32(sum), d),
                               vmulq_f32(vcvtq_f32_s32(mins), dmin)));
}

/* Q6_K: the offset of 32 is taken off the weights, which then fit a byte. */
INLINE float32x4_t block_q6_k(float32x4_t total, pair p, const bool both)
{
    int32x4_t sum = vdupq_n_s32(0);
    for (size_t s = 0; s < 8; s++) {
        int8x16_t q0[2], q1[2];
        unpack_32(DTYPE_Q6_K, q0, p.w[0], s);
        unpack_32(DTYPE_Q6_K, q1, p.w[1], s);
        for (size_t i = 0; i < 2; i++) {
            size_t g = 2 * s + i;
            int32x4_t part = products(vdupq_n_s32(0), q0[i], q1[i],
                                      p.x[0] + 16 * g, p.x[1] + 16 * g, both);
            int32x4_t scale =
                ints_for_rows((int8_t)p.w[0][Q6_K_SCALES + g],
                              (int8_t)p.w[1][Q6_K_SCALES + g]);
            sum = vmlaq_s32(sum, part, scale);
        }
    }
    float32x4_t d = vmulq_f32(for_rows(half_at(p.w[0] + Q6_K_D),
                                       half_at(p.w[1] + Q6_K_D)),
                              for_columns(block_float(p.x[0] + COLUMN_K_D),
                                          block_float(p.x[1] + COLUMN_K_D)));
    return vaddq_f32(total, vmulq_f32(vcvtq_f32_s32(sum), d));
}

/* --- all types --- */

typedef struct linear_job {
    float *const *y;
    const void *const *x;
    const unsigned char *w;
    size_t row_bytes, K;
    const float *bias;
} linear_job;

INLINE void tile(const dtype type, const linear_job *j, size_t r, size_t rows,
                 int c, const bool both)
{
    const bool small = type == DTYPE_Q8_0 || type == DTYPE_Q4_0;
    const size_t block = small ? SUB_BLOCK : SUPER_BLOCK;
    const size_t x_bytes = small ? COLUMN_32_BYTES : COLUMN_K_BYTES;
    const size_t w_bytes = type == DTYPE_Q8_0   ? Q8_0_BYTES
                           : type == DTYPE_Q4_0 ? Q4_0_BYTES
                           : type == DTYPE_Q4_K ? Q4_K_BYTES
                           : type == DTYPE_Q5_K ? Q5_K_BYTES
                                                : Q6_K_BYTES;
    pair p = {{j->w + r * j->row_bytes,
               j->w + (r + (rows == 2)) * j->row_bytes},
              {j->x[c], j->x[c + both]}};
    float32x4_t total = vdupq_n_f32(0);
    for (size_t b = 0; b < j->K / block; b++) {
        total = small ? block_32(type, total, p, both)
                : type == DTYPE_Q6_K ? block_q6_k(total, p, both)
                                     : block_k(type, total, p, both);
        for (int i = 0; i < 2; i++) {
            p.w[i] += w_bytes;
            p.x[i] += x_bytes;
        }
    }
    float sum[4];
    vst1q_f32(sum, total);
    for (size_t i = 0; i < rows; i++)
        for (int k = 0; k <= both; k++) {
            float s = sum[2 * i + (size_t)k];
            j->y[c + k][r + i] = j->bias ? s + j->bias[r + i] : s;
        }
}

INLINE void linear(const dtype type, const linear_job *j, int columns,
                   size_t row0, size_t row1)
{
    for (size_t r = row0; r < row1; r += 2) {
        size_t rows = row1 - r < 2 ? 1 : 2;
        int c = 0;
        for (; c + 2 <= columns; c += 2)
            tile(type, j, r, rows, c, true);
        if (c < columns)
            tile(type, j, r, rows, c, false);
    }
}

#define LINEAR(type, name, unused)                          \
    KERNEL_LINEAR(INT8(linear_int8_##name))                 \
    {                                                       \
        const linear_job j = {y, x, w, row_bytes, K, bias}; \
        linear(DTYPE_##type, &j, columns, row0, row1);      \
    }
KERNEL_INT8_TYPES(LINEAR, )

#endif
