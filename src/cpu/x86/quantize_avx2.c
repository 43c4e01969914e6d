/* quantize_avx2.c: floats to Q8_0 blocks in AVX2: the same bytes as the
 * reference for any input (see ref/quantize.c). AVX-512 uses it too. */
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

KERNEL_QUANTIZE(kernel_quantize_q8_0_avx2)
{
    /* Packing works within halves: this puts the eighths back in order. */
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    unsigned char *block = blocks;
    for (size_t i = 0; i + 32 <= n; i += 32, block += Q8_0_BYTES) {
        vec v[4];
        for (int j = 0; j < 4; j++)
            v[j] = vec_load(x + i + 8 * j);
        float d = block_most(v) / 127, inverse = d > 0 ? 1 / d : 0;
        uint16_t half = (uint16_t)_mm_extract_epi16(
            _mm_cvtps_ph(_mm_set_ss(d), _MM_FROUND_TO_NEAREST_INT), 0);
        memcpy(block, &half, sizeof half);
        __m256i q[4];
        for (int j = 0; j < 4; j++)
            q[j] = quants(vec_mul(v[j], vec_set1(inverse)));
        __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]),
                                            _mm256_packs_epi32(q[2], q[3]));
        packed = _mm256_permutevar8x32_epi32(packed, order);
        _mm256_storeu_si256((__m256i *)(block + Q8_0_QUANTS), packed);
    }
}
