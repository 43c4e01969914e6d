/* linear_int8_32_avx2.c: Q8_0 and Q4_0 times 8-bit activations in AVX2, which
 * multiplies unsigned by signed bytes and adds pairs in 16 bits. For Q8_0 the
 * sign of a weight goes to the activation; since that is within ±127, a pair is
 * at most 2 · 128 · 127 and cannot saturate, whatever the weights are. */
#include "cpu/x86/vector_avx2.h"

#include "cpu/x86/linear_int8_32_body.h"
#include "cpu/x86/linear_int8_32_halves.h"

/* Four partial sums of each half; of Q4_0 without its offset. */
INLINE __m256i halves_dot(const dtype type, const unsigned char *a,
                          const unsigned char *b, const __m256i x[2])
{
    const __m256i one = _mm256_set1_epi16(1);
    __m256i q[2], p[2];
    if (type == DTYPE_Q4_0) { /* four products are still small */
        unpack_q4_0(q, a, b);
        p[0] = _mm256_maddubs_epi16(q[0], x[0]);
        p[1] = _mm256_maddubs_epi16(q[1], x[1]);
        return _mm256_madd_epi16(_mm256_add_epi16(p[0], p[1]), one);
    }
    unpack_q8_0(q, a, b);
    for (int i = 0; i < 2; i++)
        p[i] = _mm256_madd_epi16(
            _mm256_maddubs_epi16(_mm256_abs_epi8(q[i]),
                                 _mm256_sign_epi8(x[i], q[i])), one);
    return _mm256_add_epi32(p[0], p[1]);
}

INLINE __m256i block_sums(const dtype type, const unsigned char *const w[ROWS],
                          const unsigned char *x)
{
    const __m256i halves[2] = {broadcast_16(x), broadcast_16(x + 16)};
    __m256i s[4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++)
        s[r] = halves_dot(type, w[r], w[r + 4], halves);
    __m256i all = fold_halves(s);
    return type == DTYPE_Q8_0 ? all
                              : _mm256_sub_epi32(all, offset_sum(x, 3));
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
