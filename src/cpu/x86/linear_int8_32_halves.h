/* linear_int8_32_halves.h: how Q8_0 and Q4_0 are read in 256 bits, with VNNI
 * and without: a register holds 16 bytes of row r in its lower half and the
 * same 16 of row r + 4 in its upper. So eight rows are four registers, and what
 * is folded or turned within halves comes out with row i in lane i. */
#ifndef MOSHI_CPU_X86_LINEAR_INT8_32_HALVES_H
#define MOSHI_CPU_X86_LINEAR_INT8_32_HALVES_H

#include "cpu/blocks.h"

/* 16 bytes at a, then 16 at b. */
INLINE __m256i load_halves(const unsigned char *a, const unsigned char *b)
{
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)a)),
        _mm_loadu_si128((const __m128i *)b), 1);
}

INLINE __m256i broadcast_16(const unsigned char *p)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p));
}

/* Of the Q4_0 blocks at a and b, as they are stored (0 … 15): q[0] elements
 * 0 … 15, q[1] 16 … 31. */
INLINE void unpack_q4_0(__m256i q[2], const unsigned char *a,
                        const unsigned char *b)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    __m256i pairs = load_halves(a + Q4_0_QUANTS, b + Q4_0_QUANTS);
    q[0] = _mm256_and_si256(pairs, nibble);
    q[1] = _mm256_and_si256(_mm256_srli_epi16(pairs, 4), nibble);
}

/* The same of Q8_0. */
INLINE void unpack_q8_0(__m256i q[2], const unsigned char *a,
                        const unsigned char *b)
{
    q[0] = load_halves(a + Q8_0_QUANTS, b + Q8_0_QUANTS);
    q[1] = load_halves(a + Q8_0_QUANTS + 16, b + Q8_0_QUANTS + 16);
}

/* In each half [a0+a2, b0+b2, a1+a3, b1+b3]. */
INLINE __m256i add_pairs(__m256i a, __m256i b)
{
    return _mm256_add_epi32(_mm256_unpacklo_epi32(a, b),
                            _mm256_unpackhi_epi32(a, b));
}

/* Lane r: the sum of the four lanes that s[r % 4] has in row r's half. */
INLINE __m256i fold_halves(const __m256i s[4])
{
    __m256i ab = add_pairs(s[0], s[1]), cd = add_pairs(s[2], s[3]);
    return _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd),
                            _mm256_unpackhi_epi64(ab, cd));
}

/* offset Σ x, everywhere; the offset is a power of two. */
INLINE __m256i offset_sum(const unsigned char *x, const int log2_offset)
{
    return _mm256_slli_epi32(_mm256_set1_epi32(block_int(x + COLUMN_32_SUM)),
                             log2_offset);
}

#endif
