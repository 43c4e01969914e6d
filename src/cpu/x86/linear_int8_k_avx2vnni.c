/* linear_int8_k_avx2vnni.c: K-quants times 8-bit activations with VNNI in 256
 * bits: dpbusd gives sums of 4 products, which fit 16 bits (at most 4 · 63 ·
 * 127); those of two sub-blocks, packed to words, are multiplied with the
 * scales and added by dpwssd. */
#include "cpu/x86/vector_avx2vnni.h"

#include "cpu/x86/linear_int8_k_body.h"

/* In each half four times one word of the eight, then four times another: i
 * and j in the lower half, k and l in the upper. */
INLINE __m256i words_by_fours(__m256i words, const int i, const int j,
                              const int k, const int l)
{
    const int one = 0x0202, low = 0x0100;
    const short a = (short)(i * one + low), b = (short)(j * one + low);
    const short c = (short)(k * one + low), d = (short)(l * one + low);
    return _mm256_shuffle_epi8(words,
                               _mm256_setr_epi16(a, a, a, a, b, b, b, b, c, c,
                                                 c, c, d, d, d, d));
}

INLINE __m256i dot_pair(const dtype type, __m256i sum, const __m256i q[2],
                        const __m256i x[2], __m256i words, const int s)
{
    const __m256i none = _mm256_setzero_si256();
    __m256i scale =
        type == DTYPE_Q6_K
            ? words_by_fours(words, 2 * s, 2 * s + 2, 2 * s + 1, 2 * s + 3)
            : words_by_fours(words, s, s + 1, s, s + 1);
    __m256i a = dot_bytes(none, q[0], x[0]), b = dot_bytes(none, q[1], x[1]);
    return dot_words(sum, _mm256_packs_epi32(a, b), scale);
}
