/* quantize_avx2.c: floats to Q8_0 blocks and to the columns of K-quants in
 * AVX2: the same bytes as the reference for any input (see ref/quantize.c).
 * AVX-512 uses it too. */
#include "cpu/x86/vector_avx2.h"

#include "cpu/blocks.h"
#include "cpu/kernel_list.h"

/* The largest |x| of a block; NaN counts as nothing, since the maximum
 * returns its second operand when the first is NaN. */
INLINE float block_most(const vec v[4])
{
    vec most = vec_zero();
    for (int j = 0; j < 4; j++)
        most = vec_max(vec_abs(v[j]), most);
    return vec_most(most);
}

/* Round half away from zero after clamping to ±127; NaN becomes 0. v - t is
 * exact, so the comparison with one half is, too. */
INLINE __m256i quants(vec v)
{
    v = _mm256_and_ps(v, _mm256_cmp_ps(v, v, _CMP_ORD_Q));
    v = vec_max(vec_set1(-127), vec_min(vec_set1(127), v));
    vec t = _mm256_round_ps(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    vec rest = vec_sub(v, t);
    vec sign = _mm256_and_ps(v, vec_set1(-0.0f));
    vec away = _mm256_and_ps(
        _mm256_or_ps(vec_set1(1), sign),
        _mm256_cmp_ps(vec_abs(rest), vec_set1(0.5f), _CMP_GE_OQ));
    return _mm256_cvttps_epi32(vec_add(t, away));
}

/* 32 floats times `inverse`, rounded to bytes. */
INLINE __m256i pack(const vec v[4], float inverse)
{
    /* Packing works within halves: this puts the eighths back in order. */
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i q[4];
    for (int j = 0; j < 4; j++)
        q[j] = quants(vec_mul(v[j], vec_set1(inverse)));
    __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]),
                                        _mm256_packs_epi32(q[2], q[3]));
    return _mm256_permutevar8x32_epi32(packed, order);
}

INLINE void load_32(vec v[4], const float *x)
{
    for (int j = 0; j < 4; j++)
        v[j] = vec_load(x + 8 * j);
}

KERNEL_QUANTIZE(kernel_quantize_q8_0_avx2)
{
    unsigned char *block = blocks;
    for (size_t i = 0; i + 32 <= n; i += 32, block += Q8_0_BYTES) {
        vec v[4];
        load_32(v, x + i);
        float d = block_most(v) / 127, inverse = d > 0 ? 1 / d : 0;
        uint16_t half = (uint16_t)_mm_extract_epi16(
            _mm_cvtps_ph(_mm_set_ss(d), _MM_FROUND_TO_NEAREST_INT), 0);
        memcpy(block, &half, sizeof half);
        _mm256_storeu_si256((__m256i *)(block + Q8_0_QUANTS),
                            pack(v, inverse));
    }
}

/* The sums of 16 bytes each, in the lowest 32 bits of either half. */
INLINE __m256i sums_of_16(__m256i bytes)
{
    __m256i s = _mm256_madd_epi16(
        _mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes),
        _mm256_set1_epi16(1));
    s = _mm256_hadd_epi32(s, s);
    return _mm256_hadd_epi32(s, s);
}

KERNEL_COLUMN(kernel_column_q8_0_avx2)
{
    const unsigned char *from = x;
    unsigned char *to = column;
    for (size_t i = 0; i + 32 <= n; i += 32) {
        __m256i q =
            _mm256_loadu_si256((const __m256i *)(from + Q8_0_QUANTS));
        __m256i s = sums_of_16(q);
        int32_t sum = _mm256_extract_epi32(s, 0) + _mm256_extract_epi32(s, 4);
        float d = _mm_cvtss_f32(
            _mm_cvtph_ps(_mm_cvtsi32_si128(block_half(from))));
        _mm256_storeu_si256((__m256i *)to, q);
        memcpy(to + COLUMN_32_D, &d, sizeof d);
        memcpy(to + COLUMN_32_SUM, &sum, sizeof sum);
        from += Q8_0_BYTES;
        to += COLUMN_32_BYTES;
    }
}

INLINE float super_most(const float *x)
{
    float most = 0;
    for (size_t i = 0; i < SUPER_BLOCK; i += SUB_BLOCK) {
        vec v[4];
        load_32(v, x + i);
        float m = block_most(v);
        most = m > most ? m : most;
    }
    return most;
}

/* See ref/quantize.c. */
INLINE void quantize_k(unsigned char *block, const float *x, const int paired)
{
    float d = super_most(x) / 127, inverse = d > 0 ? 1 / d : 0;
    int16_t sums[16] = {0};
    for (size_t s = 0; s < SUPER_BLOCK / SUB_BLOCK; s++) {
        vec v[4];
        load_32(v, x + s * SUB_BLOCK);
        __m256i q = pack(v, inverse);
        size_t at = paired ? column_k_place(s) : s;
        _mm256_storeu_si256((__m256i *)(block + at * SUB_BLOCK), q);
        __m256i sum = sums_of_16(q);
        int low = _mm256_extract_epi32(sum, 0);
        int high = _mm256_extract_epi32(sum, 4);
        if (paired) {
            sums[s] = (int16_t)(low + high);
        } else {
            sums[2 * s] = (int16_t)low;
            sums[2 * s + 1] = (int16_t)high;
        }
    }
    memset(block + COLUMN_K_SUMS, 0, COLUMN_K_BYTES - COLUMN_K_SUMS);
    memcpy(block + COLUMN_K_SUMS, sums, sizeof sums);
    memcpy(block + COLUMN_K_D, &d, sizeof d);
}

KERNEL_COLUMN(kernel_column_k_paired_avx2)
{
    for (size_t i = 0; i + SUPER_BLOCK <= n; i += SUPER_BLOCK)
        quantize_k((unsigned char *)column + i / SUPER_BLOCK * COLUMN_K_BYTES,
                   (const float *)x + i, 1);
}

KERNEL_COLUMN(kernel_column_k_straight_avx2)
{
    for (size_t i = 0; i + SUPER_BLOCK <= n; i += SUPER_BLOCK)
        quantize_k((unsigned char *)column + i / SUPER_BLOCK * COLUMN_K_BYTES,
                   (const float *)x + i, 0);
}
