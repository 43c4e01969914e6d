/* vector_avx512.h: the vocabulary of the x86 kernels in AVX-512: 16 floats,
 * or 8 doubles. The names are explained in vector_avx2.h. */
#ifndef MOSHI_CPU_X86_VECTOR_AVX512_H
#define MOSHI_CPU_X86_VECTOR_AVX512_H

#if !defined(__AVX512F__) || !defined(__AVX512BW__) ||    \
    !defined(__AVX512DQ__) || !defined(__AVX512VL__) ||   \
    !defined(__AVX512VNNI__) || !defined(__F16C__)
#error "needs -mavx512f, bw, dq, vl and vnni, -mfma and -mf16c"
#endif

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#define LANES        16
#define KERNEL(name) kernel_##name##_avx512

typedef __m512 vec;
typedef __mmask16 vec_mask;
typedef __m512d vecd;

INLINE vec vec_zero(void) { return _mm512_setzero_ps(); }
INLINE vec vec_set1(float f) { return _mm512_set1_ps(f); }
INLINE vec vec_load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void vec_store(float *p, vec v) { _mm512_storeu_ps(p, v); }
INLINE vec vec_add(vec a, vec b) { return _mm512_add_ps(a, b); }
INLINE vec vec_sub(vec a, vec b) { return _mm512_sub_ps(a, b); }
INLINE vec vec_mul(vec a, vec b) { return _mm512_mul_ps(a, b); }
INLINE vec vec_div(vec a, vec b) { return _mm512_div_ps(a, b); }
INLINE vec vec_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vec vec_fnma(vec a, vec b, vec c) { return _mm512_fnmadd_ps(a, b, c); }
INLINE vec vec_min(vec a, vec b) { return _mm512_min_ps(a, b); }
INLINE vec vec_max(vec a, vec b) { return _mm512_max_ps(a, b); }
INLINE vec vec_abs(vec v) { return _mm512_abs_ps(v); }

INLINE vec vec_round(vec v)
{
    return _mm512_roundscale_ps(
        v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

INLINE vec vec_if_positive(vec x, vec a, vec b)
{
    __mmask16 m = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ);
    return _mm512_mask_blend_ps(m, b, a);
}

INLINE vec_mask vec_first(size_t n)
{
    return (__mmask16)((1u << n) - 1);
}

INLINE vec vec_keep(vec v, vec_mask m) { return _mm512_maskz_mov_ps(m, v); }

INLINE vec vec_select(vec_mask m, vec v, vec other)
{
    return _mm512_mask_blend_ps(m, other, v);
}

INLINE vec vec_load_first(const float *p, vec_mask m)
{
    return _mm512_maskz_loadu_ps(m, p);
}

INLINE void vec_store_first(float *p, vec v, vec_mask m)
{
    _mm512_mask_storeu_ps(p, m, v);
}

INLINE vec vec_load_f16(const void *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}

INLINE vec vec_load_f16_first(const void *p, size_t n)
{
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(vec_first(n), p));
}

INLINE vec vec_from_bf16(__m256i h)
{
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}

INLINE vec vec_load_bf16(const void *p)
{
    return vec_from_bf16(_mm256_loadu_si256((const __m256i *)p));
}

INLINE vec vec_load_bf16_first(const void *p, size_t n)
{
    return vec_from_bf16(_mm256_maskz_loadu_epi16(vec_first(n), p));
}

INLINE vec vec_load_bytes(const void *p)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)p);
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
}

#define VECS_OF_32 (32 / LANES)
INLINE void vec_from_bytes(vec v[VECS_OF_32], __m256i bytes)
{
    __m128i low = _mm256_castsi256_si128(bytes);
    __m128i high = _mm256_extracti128_si256(bytes, 1);
    v[0] = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(low));
    v[1] = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(high));
}

INLINE vec vec_scale(vec v, vec n) { return _mm512_scalef_ps(v, n); }

INLINE __m128 vec_fold(vec v)
{
    __m256 s = _mm256_add_ps(_mm512_castps512_ps256(v),
                             _mm512_extractf32x8_ps(v, 1));
    return _mm_add_ps(_mm256_castps256_ps128(s),
                      _mm256_extractf128_ps(s, 1));
}

INLINE float vec_most(vec v) { return _mm512_reduce_max_ps(v); }

INLINE vecd vecd_zero(void) { return _mm512_setzero_pd(); }
INLINE vecd vecd_set1(double d) { return _mm512_set1_pd(d); }
INLINE vecd vecd_add(vecd a, vecd b) { return _mm512_add_pd(a, b); }
INLINE vecd vecd_sub(vecd a, vecd b) { return _mm512_sub_pd(a, b); }
INLINE vecd vecd_fma(vecd a, vecd b, vecd c)
{
    return _mm512_fmadd_pd(a, b, c);
}
INLINE vecd vecd_load(const float *p)
{
    return _mm512_cvtps_pd(_mm256_loadu_ps(p));
}
INLINE vecd vecd_load_first(const float *p, size_t n)
{
    __mmask8 m = (__mmask8)((1u << n) - 1);
    return _mm512_cvtps_pd(_mm256_maskz_loadu_ps(m, p));
}
INLINE vecd vecd_keep(vecd v, size_t n)
{
    return _mm512_maskz_mov_pd((__mmask8)((1u << n) - 1), v);
}
INLINE double vecd_sum(vecd v)
{
    __m256d h = _mm256_add_pd(_mm512_castpd512_pd256(v),
                              _mm512_extractf64x4_pd(v, 1));
    __m128d s = _mm_add_pd(_mm256_castpd256_pd128(h),
                           _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
}

#include "cpu/x86/vector_math.h"

#endif
