/* quantize_neon.c: floats to Q8_0 blocks, and columns for 8-bit products: the
 * same bytes as the reference for any input (ref/quantize.c). */
#include "cpu/arm/vector_neon.h"

#include <stdbool.h>

#include "cpu/blocks.h"
#include "cpu/kernel_list.h"

/* The largest |x|; NaN counts as nothing. */
INLINE float most_of(const float *x, size_t n)
{
    vec most = vec_zero();
    for (size_t i = 0; i < n; i += LANES)
        most = vec_max(vec_abs(vec_load(x + i)), most);
    return vec_most(most);
}

/* 16 quants: halves away from zero, within ±127; NaN becomes 0. */
INLINE int8x16_t quants(const float *x, float inverse)
{
    int32x4_t q[4];
    for (int j = 0; j < 4; j++) {
        vec v = vec_mul(vec_load(x + 4 * j), vec_set1(inverse));
        v = vmaxq_f32(vec_set1(-127), vminq_f32(vec_set1(127), v));
        q[j] = vcvtaq_s32_f32(v);
    }
    int16x8_t low = vcombine_s16(vmovn_s32(q[0]), vmovn_s32(q[1]));
    int16x8_t high = vcombine_s16(vmovn_s32(q[2]), vmovn_s32(q[3]));
    return vcombine_s8(vmovn_s16(low), vmovn_s16(high));
}

KERNEL_QUANTIZE(KERNEL(quantize_q8_0))
{
    unsigned char *block = blocks;
    for (size_t i = 0; i + 32 <= n; i += 32, block += Q8_0_BYTES) {
        float d = most_of(x + i, 32) / 127, inverse = d > 0 ? 1 / d : 0;
        uint16_t half =
            vget_lane_u16(vreinterpret_u16_f16(vcvt_f16_f32(vec_set1(d))), 0);
        memcpy(block, &half, sizeof half);
        for (size_t j = 0; j < 32; j += 16)
            vst1q_s8((int8_t *)block + Q8_0_QUANTS + j,
                     quants(x + i + j, inverse));
    }
}

KERNEL_COLUMN(KERNEL(column_q8_0))
{
    const unsigned char *from = x;
    unsigned char *to = column;
    for (size_t i = 0; i + 32 <= n; i += 32) {
        int8x16_t low = vld1q_s8((const int8_t *)from + Q8_0_QUANTS);
        int8x16_t high = vld1q_s8((const int8_t *)from + Q8_0_QUANTS + 16);
        float d = vgetq_lane_f32(vec_load_f16(from), 0);
        int32_t sum = vaddlvq_s8(low) + vaddlvq_s8(high);
        vst1q_s8((int8_t *)to, low);
        vst1q_s8((int8_t *)to + 16, high);
        memcpy(to + COLUMN_32_D, &d, sizeof d);
        memcpy(to + COLUMN_32_SUM, &sum, sizeof sum);
        from += Q8_0_BYTES;
        to += COLUMN_32_BYTES;
    }
}

INLINE void quantize_k(unsigned char *block, const float *x, const bool paired)
{
    float d = most_of(x, SUPER_BLOCK) / 127, inverse = d > 0 ? 1 / d : 0;
    int16_t sums[16] = {0};
    for (size_t i = 0; i < SUPER_BLOCK; i += 16) {
        size_t s = i / SUB_BLOCK;
        size_t at = paired ? column_k_place(s) * SUB_BLOCK + i % SUB_BLOCK : i;
        int8x16_t q = quants(x + i, inverse);
        vst1q_s8((int8_t *)block + at, q);
        int16_t *sum = &sums[paired ? s : i / 16];
        *sum = (int16_t)(*sum + vaddlvq_s8(q));
    }
    memset(block + COLUMN_K_SUMS, 0, COLUMN_K_BYTES - COLUMN_K_SUMS);
    memcpy(block + COLUMN_K_SUMS, sums, sizeof sums);
    memcpy(block + COLUMN_K_D, &d, sizeof d);
}

KERNEL_COLUMN(KERNEL(column_k_paired))
{
    for (size_t i = 0; i + SUPER_BLOCK <= n; i += SUPER_BLOCK)
        quantize_k((unsigned char *)column + i / SUPER_BLOCK * COLUMN_K_BYTES,
                   (const float *)x + i, true);
}

KERNEL_COLUMN(KERNEL(column_k_straight))
{
    for (size_t i = 0; i + SUPER_BLOCK <= n; i += SUPER_BLOCK)
        quantize_k((unsigned char *)column + i / SUPER_BLOCK * COLUMN_K_BYTES,
                   (const float *)x + i, false);
}
