/* linear_int8_32_avx2.c: Q8_0 and Q4_0 times 8-bit activations in AVX2. Signed
 * bytes are widened to 16 bits, so that no pair of products can saturate,
 * whatever the weights are; those of Q4_0 are small enough as they are. */
#include "cpu/x86/vector_avx2.h"

#include "base/dtype.h"

INLINE __m256i widen(const unsigned char *p)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)p));
}

INLINE int block_offset(const dtype type)
{
    return type == DTYPE_Q8_0 ? 0 : 8;
}

INLINE __m256i block_lanes(const dtype type, const unsigned char *w,
                           const unsigned char *x);

#include "cpu/x86/linear_int8_32_body.h"

/* Eight partial sums of one block, plus the offset times the activations. */
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

#define LINEAR(type, name)                                              \
    KERNEL_LINEAR(KERNEL(linear_int8_##name))                           \
    {                                                                   \
        const linear_job j = {y, x, w, row_bytes, K / SUB_BLOCK, bias}; \
        for (size_t r = row0; r < row1; r += ROWS)                      \
            strip(DTYPE_##type, &j, columns, r, row1);                  \
    }
LINEAR(Q8_0, q8_0)
LINEAR(Q4_0, q4_0)
