/* linear_int8_k_avx2.c: K-quants times 8-bit activations in AVX2: maddubs gives
 * sums of 2 products in 16 bits (at most 2 · 63 · 127), which madd multiplies
 * with the scales and adds to 32 bits. */
#include "cpu/x86/vector_avx2.h"

#include "cpu/x86/linear_int8_k_body.h"

/* Word i of the eight in the lower half, word j in the upper. */
INLINE __m256i words_everywhere(__m256i words, const int i, const int j)
{
    const int low = (2 * i + 1) << 8 | 2 * i, high = (2 * j + 1) << 8 | 2 * j;
    return _mm256_shuffle_epi8(
        words, _mm256_set_m128i(_mm_set1_epi16((short)high),
                                _mm_set1_epi16((short)low)));
}

INLINE __m256i dot_pair(const dtype type, __m256i sum, const __m256i q[2],
                        const __m256i x[2], __m256i words, const int s)
{
#pragma GCC unroll 2
    for (int i = s; i < s + 2; i++) {
        __m256i scale = type == DTYPE_Q6_K
                            ? words_everywhere(words, 2 * i, 2 * i + 1)
                            : words_everywhere(words, i, i);
        __m256i p = _mm256_maddubs_epi16(q[i - s], x[i - s]);
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(p, scale));
    }
    return sum;
}
