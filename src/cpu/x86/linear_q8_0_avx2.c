/* linear_q8_0_avx2.c: Q8_0 times Q8_0 in AVX2: bytes are widened to 16 bits,
 * so that no pair of products can saturate, whatever the weights are. */
#include "cpu/x86/vector_avx2.h"

/* 32 activations, widened. */
typedef struct column_block {
    __m256i low, high;
} column_block;

INLINE __m256i widen(const unsigned char *p)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)p));
}

INLINE column_block column_prepare(const unsigned char *q)
{
    return (column_block){widen(q), widen(q + 16)};
}

/* Eight partial sums of one block. */
INLINE __m256i block_lanes(const unsigned char *w, column_block x)
{
    return _mm256_add_epi32(_mm256_madd_epi16(widen(w), x.low),
                            _mm256_madd_epi16(widen(w + 16), x.high));
}

#include "cpu/x86/linear_q8_0_body.h"
