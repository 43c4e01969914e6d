/* vector_avx2.h: the vocabulary of the x86 kernels in AVX2: 8 floats, or 4
 * doubles. vector_avx512.h defines the same names for its width; the bodies
 * (*_body.h) are written in these words and compiled once per set.
 *
 * "first" forms touch only the first n < LANES elements in memory; the other
 * lanes read as zero. */
#ifndef MOSHI_CPU_X86_VECTOR_AVX2_H
#define MOSHI_CPU_X86_VECTOR_AVX2_H

#if !defined(__AVX2__) || !defined(__FMA__) || !defined(__F16C__)
#error "needs -mavx2 -mfma -mf16c"
#endif

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Everything here must vanish into the kernels: no function compiled for
 * this instruction set may be found by generic code. */
#define INLINE static inline __attribute__((always_inline))

#define LANES        8
#define KERNEL(name) kernel_##name##_avx2

typedef __m256 vec;
typedef __m256i vec_mask;
typedef __m256d vecd;

INLINE vec vec_zero(void) { return _mm256_setzero_ps(); }
INLINE vec vec_set1(float f) { return _mm256_set1_ps(f); }
INLINE vec vec_load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void vec_store(float *p, vec v) { _mm256_storeu_ps(p, v); }
INLINE vec vec_add(vec a, vec b) { return _mm256_add_ps(a, b); }
INLINE vec vec_sub(vec a, vec b) { return _mm256_sub_ps(a, b); }
INLINE vec vec_mul(vec a, vec b) { return _mm256_mul_ps(a, b); }
INLINE vec vec_div(vec a, vec b) { return _mm256_div_ps(a, b); }
/* a b + c, and c - a b, rounded once */
INLINE vec vec_fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vec vec_fnma(vec a, vec b, vec c) { return _mm256_fnmadd_ps(a, b, c); }
/* The second operand is returned where either is NaN. */
INLINE vec vec_min(vec a, vec b) { return _mm256_min_ps(a, b); }
INLINE vec vec_max(vec a, vec b) { return _mm256_max_ps(a, b); }

INLINE vec vec_abs(vec v)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), v);
}

INLINE vec vec_round(vec v)
{
    return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* x > 0 ? a : b */
INLINE vec vec_if_positive(vec x, vec a, vec b)
{
    return _mm256_blendv_ps(
        b, a, _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ));
}

INLINE vec_mask vec_first(size_t n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lane);
}

/* v where the mask is set, else 0. */
INLINE vec vec_keep(vec v, vec_mask m)
{
    return _mm256_and_ps(v, _mm256_castsi256_ps(m));
}

/* v where the mask is set, else other. */
INLINE vec vec_select(vec_mask m, vec v, vec other)
{
    return _mm256_blendv_ps(other, v, _mm256_castsi256_ps(m));
}

INLINE vec vec_load_first(const float *p, vec_mask m)
{
    return _mm256_maskload_ps(p, m);
}

INLINE void vec_store_first(float *p, vec v, vec_mask m)
{
    _mm256_maskstore_ps(p, m, v);
}

INLINE vec vec_load_f16(const void *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}

INLINE vec vec_load_bf16(const void *p)
{
    __m128i h = _mm_loadu_si128((const __m128i *)p);
    return _mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}

/* There is no masked load of 16-bit elements: by way of the stack. */
INLINE vec vec_load_f16_first(const void *p, size_t n)
{
    uint16_t h[LANES] = {0};
    memcpy(h, p, n * sizeof *h);
    return vec_load_f16(h);
}

INLINE vec vec_load_bf16_first(const void *p, size_t n)
{
    uint16_t h[LANES] = {0};
    memcpy(h, p, n * sizeof *h);
    return vec_load_bf16(h);
}

/* LANES signed bytes as floats. */
INLINE vec vec_load_bytes(const void *p)
{
    __m128i bytes = _mm_loadl_epi64((const __m128i *)p);
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
}

/* 32 signed bytes as floats. */
#define VECS_OF_32 (32 / LANES)
INLINE void vec_from_bytes(vec v[VECS_OF_32], __m256i bytes)
{
    __m128i low = _mm256_castsi256_si128(bytes);
    __m128i high = _mm256_extracti128_si256(bytes, 1);
    v[0] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(low));
    v[1] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(low, 8)));
    v[2] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(high));
    v[3] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(high, 8)));
}

/* v 2^n for integral n from -150 to 128, in two steps so that neither power
 * leaves the range of exponents. */
INLINE vec vec_scale(vec v, vec n)
{
    const __m256i bias = _mm256_set1_epi32(127);
    __m256i whole = _mm256_cvtps_epi32(n);
    __m256i half = _mm256_srai_epi32(whole, 1);
    __m256i rest = _mm256_sub_epi32(whole, half);
    half = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
    rest = _mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23);
    v = _mm256_mul_ps(v, _mm256_castsi256_ps(half));
    return _mm256_mul_ps(v, _mm256_castsi256_ps(rest));
}

/* The lanes folded to four, in the order that all sums use. */
INLINE __m128 vec_fold(vec v)
{
    return _mm_add_ps(_mm256_castps256_ps128(v),
                      _mm256_extractf128_ps(v, 1));
}

INLINE float vec_most(vec v)
{
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(v),
                          _mm256_extractf128_ps(v, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

INLINE vecd vecd_zero(void) { return _mm256_setzero_pd(); }
INLINE vecd vecd_set1(double d) { return _mm256_set1_pd(d); }
INLINE vecd vecd_add(vecd a, vecd b) { return _mm256_add_pd(a, b); }
INLINE vecd vecd_sub(vecd a, vecd b) { return _mm256_sub_pd(a, b); }
INLINE vecd vecd_fma(vecd a, vecd b, vecd c)
{
    return _mm256_fmadd_pd(a, b, c);
}
/* LANES / 2 floats, widened; `first` with n < LANES / 2. */
INLINE vecd vecd_load(const float *p)
{
    return _mm256_cvtps_pd(_mm_loadu_ps(p));
}
INLINE vecd vecd_load_first(const float *p, size_t n)
{
    const __m128i lane = _mm_setr_epi32(0, 1, 2, 3);
    __m128i mask = _mm_cmpgt_epi32(_mm_set1_epi32((int)n), lane);
    return _mm256_cvtps_pd(_mm_maskload_ps(p, mask));
}
/* v in the first n lanes, else 0. */
INLINE vecd vecd_keep(vecd v, size_t n)
{
    const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3);
    __m256i mask =
        _mm256_cmpgt_epi64(_mm256_set1_epi64x((long long)n), lane);
    return _mm256_and_pd(v, _mm256_castsi256_pd(mask));
}
INLINE double vecd_sum(vecd v)
{
    __m128d s = _mm_add_pd(_mm256_castpd256_pd128(v),
                           _mm256_extractf128_pd(v, 1));
    return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
}

#include "cpu/x86/vector_math.h"

#endif
