/* linear_q8_0_avx512.c: Q8_0 times Q8_0 with VNNI, which multiplies unsigned
 * by signed bytes: Σ w x = Σ (w + 128) x - 128 Σ x. Adding 128 is flipping
 * the top bit; the correction depends on the activations alone, so the eight
 * rows share it. */
#include "cpu/x86/vector_avx512.h"

/* 32 activations, and -128 Σ x in each lane of four. */
typedef struct column_block {
    __m256i x, correction;
} column_block;

INLINE column_block column_prepare(const unsigned char *q)
{
    __m256i x = _mm256_loadu_si256((const __m256i *)q);
    __m256i sum = _mm256_dpbusd_epi32(_mm256_setzero_si256(),
                                      _mm256_set1_epi8((char)128), x);
    return (column_block){x,
                          _mm256_sub_epi32(_mm256_setzero_si256(), sum)};
}

/* Eight partial sums of one block. */
INLINE __m256i block_lanes(const unsigned char *w, column_block x)
{
    __m256i biased =
        _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)w),
                         _mm256_set1_epi8((char)128));
    return _mm256_dpbusd_epi32(x.correction, biased, x.x);
}

#include "cpu/x86/linear_q8_0_body.h"
