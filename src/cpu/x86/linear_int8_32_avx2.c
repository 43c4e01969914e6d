/* linear_int8_32_avx2.c: Q8_0 and Q4_0 times 8-bit activations in AVX2. Signed
 * bytes are widened to 16 bits, so that no pair of products can saturate,
 * whatever the weights are; those of Q4_0 are small enough as they are. */
#include "cpu/x86/vector_avx2.h"

#include "cpu/x86/linear_int8_32_body.h"

INLINE __m256i widen(const unsigned char *p)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)p));
}

/* Element i of a Q4_0 block as byte i, 0 … 15. */
INLINE __m256i unpack_q4_0(const unsigned char *w)
{
    __m256i pairs = _mm256_broadcastsi128_si256(
        _mm_loadu_si128((const __m128i *)(w + Q4_0_QUANTS)));
    return _mm256_and_si256(
        _mm256_srlv_epi32(pairs, _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4)),
        _mm256_set1_epi8(15));
}

/* Eight partial sums of one block; of Q4_0 without its offset. */
INLINE __m256i block_lanes(const dtype type, const unsigned char *w,
                           const unsigned char *x)
{
    if (type == DTYPE_Q4_0)
        return _mm256_madd_epi16(
            _mm256_maddubs_epi16(unpack_q4_0(w),
                                 _mm256_loadu_si256((const __m256i *)x)),
            _mm256_set1_epi16(1));
    return _mm256_add_epi32(
        _mm256_madd_epi16(widen(w + Q8_0_QUANTS), widen(x)),
        _mm256_madd_epi16(widen(w + Q8_0_QUANTS + 16), widen(x + 16)));
}

/* [a0+a2, b0+b2, a1+a3, b1+b3] in each half. */
INLINE __m256i add_pairs(__m256i a, __m256i b)
{
    return _mm256_add_epi32(_mm256_unpacklo_epi32(a, b),
                            _mm256_unpackhi_epi32(a, b));
}

/* The sums of a half's four lanes, of four vectors. */
INLINE __m256i add_fours(__m256i ab, __m256i cd)
{
    return _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd),
                            _mm256_unpackhi_epi64(ab, cd));
}

INLINE __m256i block_sums(const dtype type, const unsigned char *const w[ROWS],
                          const unsigned char *x)
{
    __m256i s[ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++)
        s[r] = block_lanes(type, w[r], x);
    __m256i low = add_fours(add_pairs(s[0], s[1]), add_pairs(s[2], s[3]));
    __m256i high = add_fours(add_pairs(s[4], s[5]), add_pairs(s[6], s[7]));
    __m256i all =
        _mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20),
                         _mm256_permute2x128_si256(low, high, 0x31));
    if (type == DTYPE_Q8_0)
        return all;
    return _mm256_sub_epi32(
        all, _mm256_set1_epi32(8 * block_int(x + COLUMN_32_SUM)));
}

#define LINEAR(type, name)                                              \
    KERNEL_LINEAR(KERNEL(linear_int8_##name))                           \
    {                                                                   \
        const linear_job j = {y, x, w, row_bytes, K / SUB_BLOCK, bias}; \
        for (size_t r = row0; r < row1; r += ROWS)                      \
            strip(DTYPE_##type, &j, columns, r, row1);                  \
    }
LINEAR(Q8_0, q8_0)
LINEAR(Q4_0, q4_0)
