/* weights.h: weights of any type widened to float vectors in registers; the
 * values are bit-identical to the reference's to_f32. */
#ifndef MOSHI_CPU_ARM_WEIGHTS_H
#define MOSHI_CPU_ARM_WEIGHTS_H

#include "cpu/arm/unpack.h"
#include "cpu/weights_steps.h"

#define VECS_OF_32 (32 / LANES)

/* Q4_K and Q5_K: (d scale) q - (dmin min). */
INLINE void load_scaled(vec *w, const unsigned char *b, size_t s)
{
    int scale, min;
    block_scale_min(b + Q4_K_SCALES, s, &scale, &min);
    vec d = vec_set1(half_at(b) * (float)scale);
    vec m = vec_set1(half_at(b + Q4_K_DMIN) * (float)min);
    for (int j = 0; j < VECS_OF_32; j++)
        w[j] = vec_sub(vec_mul(d, w[j]), m);
}

INLINE void load_blocks(const dtype type, vec *w, const unsigned char *b,
                        size_t s)
{
    int8x16_t q[2];
    unpack_32(type, q, b, s);
    vec_from_bytes(w, q[0]);
    vec_from_bytes(w + 4, q[1]);
    if (type == DTYPE_Q4_K || type == DTYPE_Q5_K) {
        load_scaled(w, b, s);
        return;
    }
    for (size_t j = 0; j < VECS_OF_32; j++) {
        float d = type == DTYPE_Q6_K
                      ? half_at(b + Q6_K_D) *
                            (float)(int8_t)b[Q6_K_SCALES + 2 * s + j / 4]
                      : half_at(b);
        w[j] = vec_mul(vec_set1(d), w[j]);
    }
}

/* w = elements i … i + weights_step(type) - 1 of a row; i is a multiple of
 * the step. */
INLINE void weights_load(const dtype type, vec *w, const unsigned char *row,
                         size_t i)
{
    const unsigned char *b = row + weights_offset(type, i);
    switch (type) {
    case DTYPE_F32: w[0] = vec_load_f32(b); break;
    case DTYPE_F16: w[0] = vec_load_f16(b); break;
    case DTYPE_BF16: w[0] = vec_load_bf16(b); break;
    default: load_blocks(type, w, b, i % SUPER_BLOCK / SUB_BLOCK);
    }
}

/* The last n < LANES elements of a row of a plain type, from i on. */
INLINE vec weights_load_first(const dtype type, const unsigned char *row,
                              size_t i, size_t n)
{
    const unsigned char *at = row + weights_offset(type, i);
    if (type == DTYPE_F32)
        return vec_load_first(at, vec_first(n));
    return type == DTYPE_F16 ? vec_load_f16_first(at, n)
                             : vec_load_bf16_first(at, n);
}

#endif
