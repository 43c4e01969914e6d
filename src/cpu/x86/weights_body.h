/* weights_body.h: weights of any type widened to float vectors in registers,
 * in the words of a vector header. The block formats are described in
 * cpu/blocks.h; the values are bit-identical to the reference's to_f32. */
#ifndef MOSHI_CPU_X86_WEIGHTS_BODY_H
#define MOSHI_CPU_X86_WEIGHTS_BODY_H

#include <stdbool.h>

#include "base/dtype.h"
#include "cpu/blocks.h"
#include "cpu/weights_steps.h"

INLINE bool weights_super(const dtype type)
{
    return type == DTYPE_Q4_K || type == DTYPE_Q5_K || type == DTYPE_Q6_K;
}

INLINE float weights_half(const unsigned char *at)
{
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(block_half(at))));
}

INLINE __m256i bytes_load(const unsigned char *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

/* 32 bytes shifted right by `shift` bits and masked. */
INLINE __m256i bytes_field(__m256i bytes, size_t shift, int mask)
{
    __m128i count = _mm_cvtsi32_si128((int)shift);
    return _mm256_and_si256(_mm256_srl_epi16(bytes, count),
                            _mm256_set1_epi8((char)mask));
}

INLINE void load_q8_0(vec *w, const unsigned char *b)
{
    vec d = vec_set1(weights_half(b));
    vec_from_bytes(w, bytes_load(b + Q8_0_QUANTS));
    for (int j = 0; j < VECS_OF_32; j++)
        w[j] = vec_mul(d, w[j]);
}

INLINE void load_q4_0(vec *w, const unsigned char *b)
{
    vec d = vec_set1(weights_half(b));
    __m128i pairs = _mm_loadu_si128((const __m128i *)(b + Q4_0_QUANTS));
    __m256i q = _mm256_and_si256(
        _mm256_set_m128i(_mm_srli_epi16(pairs, 4), pairs),
        _mm256_set1_epi8(15));
    vec_from_bytes(w, _mm256_sub_epi8(q, _mm256_set1_epi8(8)));
    for (int j = 0; j < VECS_OF_32; j++)
        w[j] = vec_mul(d, w[j]);
}

/* What a super-block multiplies by and subtracts, unpacked for all of its
 * sub-blocks: d scale (Q6_K: two for each sub-block) and dmin min. */
typedef struct weights_scales {
    float d[16], m[8];
} weights_scales;

/* y = d times 8 unsigned bytes */
INLINE void scales_put(float *y, float d, uint32_t low, uint32_t high)
{
    __m128i bytes = _mm_setr_epi32((int)low, (int)high, 0, 0);
    __m256 v = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
    _mm256_storeu_ps(y, _mm256_mul_ps(_mm256_set1_ps(d), v));
}

/* Scales and mins of 6 bits: see block_scale_min; here four at a time. */
INLINE void scales_load_k(weights_scales *s, const unsigned char *b)
{
    uint32_t part[3];
    memcpy(part, b + Q4_K_SCALES, sizeof part);
    scales_put(s->d, weights_half(b), part[0] & 0x3f3f3f3f,
               (part[2] & 0x0f0f0f0f) | (part[0] >> 2 & 0x30303030));
    scales_put(s->m, weights_half(b + Q4_K_DMIN), part[1] & 0x3f3f3f3f,
               (part[2] >> 4 & 0x0f0f0f0f) | (part[1] >> 2 & 0x30303030));
}

/* The parts of a Q6_K block are read in an order that the hardware's prefetch
 * does not follow: the block to come is fetched by hand (3.9 -> 7.6 GB/s from
 * memory on an EPYC 9004). */
INLINE void scales_load_q6_k(weights_scales *s, const unsigned char *b)
{
#pragma GCC unroll 4
    for (int at = 0; at < 256; at += 64)
        _mm_prefetch((const char *)b + 256 + at, _MM_HINT_T0);
    __m128i bytes = _mm_loadu_si128((const __m128i *)(b + Q6_K_SCALES));
    __m256 d = _mm256_set1_ps(weights_half(b + Q6_K_D));
    __m256 low = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
    __m256 high = _mm256_cvtepi32_ps(
        _mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8)));
    _mm256_storeu_ps(s->d, _mm256_mul_ps(d, low));
    _mm256_storeu_ps(s->d + 8, _mm256_mul_ps(d, high));
}

/* The scales of the super-block at element i of a row. */
INLINE void scales_load(const dtype type, weights_scales *s,
                        const unsigned char *row, size_t i)
{
    const unsigned char *b = row + weights_offset(type, i);
    if (type == DTYPE_Q6_K)
        scales_load_q6_k(s, b);
    else
        scales_load_k(s, b);
}

/* Q4_K and Q5_K: q are the quants of sub-block s. */
INLINE void load_scaled(vec *w, const weights_scales *scales, size_t s,
                        __m256i q)
{
    vec d = vec_set1(scales->d[s]), m = vec_set1(scales->m[s]);
    vec_from_bytes(w, q);
    for (int j = 0; j < VECS_OF_32; j++)
        w[j] = vec_sub(vec_mul(d, w[j]), m);
}

INLINE void load_q4_k(vec *w, const unsigned char *b, size_t s,
                      const weights_scales *scales)
{
    __m256i pairs = bytes_load(b + Q4_K_QUANTS + s / 2 * 32);
    load_scaled(w, scales, s, bytes_field(pairs, s % 2 * 4, 15));
}

INLINE void load_q5_k(vec *w, const unsigned char *b, size_t s,
                      const weights_scales *scales)
{
    __m256i pairs = bytes_load(b + Q5_K_QUANTS + s / 2 * 32);
    __m256i high = bytes_field(bytes_load(b + Q5_K_HIGH), s, 1);
    __m256i q = _mm256_or_si256(bytes_field(pairs, s % 2 * 4, 15),
                                _mm256_slli_epi16(high, 4));
    load_scaled(w, scales, s, q);
}

INLINE void load_q6_k(vec *w, const unsigned char *b, size_t s,
                      const weights_scales *scales)
{
    size_t half = s / 4, g = s % 4;
    __m256i pairs = bytes_load(b + 64 * half + 32 * (g % 2));
    __m256i high = bytes_load(b + Q6_K_HIGH + 32 * half);
    __m256i q = _mm256_or_si256(
        bytes_field(pairs, g / 2 * 4, 15),
        _mm256_slli_epi16(bytes_field(high, 2 * g, 3), 4));
    vec_from_bytes(w, _mm256_sub_epi8(q, _mm256_set1_epi8(32)));
    for (int j = 0; j < VECS_OF_32; j++) {
        float d = scales->d[2 * s + j / (VECS_OF_32 / 2)];
        w[j] = vec_mul(vec_set1(d), w[j]);
    }
}

/* w = elements i … i + weights_step(type) - 1 of a row; i is a multiple of
 * the step. scales: of the super-block that i lies in, if it is in one. */
INLINE void weights_load(const dtype type, vec *w, const unsigned char *row,
                         size_t i, const weights_scales *scales)
{
    const unsigned char *b = row + weights_offset(type, i);
    size_t s = i % SUPER_BLOCK / SUB_BLOCK;
    switch (type) {
    case DTYPE_F32: w[0] = vec_load((const float *)b); break;
    case DTYPE_F16: w[0] = vec_load_f16(b); break;
    case DTYPE_BF16: w[0] = vec_load_bf16(b); break;
    case DTYPE_Q8_0: load_q8_0(w, b); break;
    case DTYPE_Q4_0: load_q4_0(w, b); break;
    case DTYPE_Q4_K: load_q4_k(w, b, s, scales); break;
    case DTYPE_Q5_K: load_q5_k(w, b, s, scales); break;
    default: load_q6_k(w, b, s, scales);
    }
}

/* The last n < LANES elements of a row of a plain type, from i on. */
INLINE vec weights_load_first(const dtype type, const unsigned char *row,
                              size_t i, size_t n)
{
    const unsigned char *at = row + weights_offset(type, i);
    if (type == DTYPE_F32)
        return vec_load_first((const float *)at, vec_first(n));
    if (type == DTYPE_F16)
        return vec_load_f16_first(at, n);
    return vec_load_bf16_first(at, n);
}

#endif
