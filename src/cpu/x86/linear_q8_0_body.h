/* linear_q8_0_body.h: Q8_0 weights times Q8_0 activations; included by
 * linear_q8_0_<isa>.c, which defines how a block of activations is prepared
 * (column_block, column_prepare) and multiplied (block_lanes).
 *
 * Eight rows at a time, one per lane: the integer sum of a block is exact in
 * any order, and each lane then does (float)sum * d_w * d_x and adds, block
 * after block, just as the reference does. So the bits are the reference's.
 *
 * Rows left over repeat the last row in the idle lanes. */
#ifndef MOSHI_CPU_X86_LINEAR_Q8_0_BODY_H
#define MOSHI_CPU_X86_LINEAR_Q8_0_BODY_H

#include "cpu/blocks.h"
#include "cpu/kernel_list.h"

#define ROWS 8

/* The sums of the lanes of eight vectors. */
INLINE __m256i sum_each(const __m256i s[ROWS])
{
    __m256i a = _mm256_hadd_epi32(_mm256_hadd_epi32(s[0], s[1]),
                                  _mm256_hadd_epi32(s[2], s[3]));
    __m256i b = _mm256_hadd_epi32(_mm256_hadd_epi32(s[4], s[5]),
                                  _mm256_hadd_epi32(s[6], s[7]));
    return _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20),
                            _mm256_permute2x128_si256(a, b, 0x31));
}

/* The scales of the blocks at w[0] … w[7]. */
INLINE __m256 scales_of(const unsigned char *const w[ROWS])
{
    uint16_t d[ROWS];
    for (int r = 0; r < ROWS; r++)
        d[r] = block_half(w[r]);
    return _mm256_cvtph_ps(_mm_setr_epi16(
        (short)d[0], (short)d[1], (short)d[2], (short)d[3], (short)d[4],
        (short)d[5], (short)d[6], (short)d[7]));
}

/* sum[c] = the outputs of eight rows, for C columns. C is a constant. */
INLINE void rows_dot(const int C, __m256 *sum,
                     const unsigned char *const row[ROWS],
                     const void *const *x, size_t n_blocks)
{
    for (int c = 0; c < C; c++)
        sum[c] = _mm256_setzero_ps();
    for (size_t b = 0; b < n_blocks; b++) {
        const unsigned char *w[ROWS];
        for (int r = 0; r < ROWS; r++)
            w[r] = row[r] + b * Q8_0_BYTES;
        __m256 d_w = scales_of(w);
        for (int c = 0; c < C; c++) {
            const unsigned char *at =
                (const unsigned char *)x[c] + b * Q8_0_BYTES;
            column_block column = column_prepare(at + Q8_0_QUANTS);
            __m128 half =
                _mm_cvtph_ps(_mm_cvtsi32_si128(block_half(at)));
            __m256 d_x = _mm256_broadcastss_ps(half);
            __m256i s[ROWS];
#pragma GCC unroll 8
            for (int r = 0; r < ROWS; r++)
                s[r] = block_lanes(w[r] + Q8_0_QUANTS, column);
            __m256 product = _mm256_cvtepi32_ps(sum_each(s));
            product = _mm256_mul_ps(_mm256_mul_ps(product, d_w), d_x);
            sum[c] = _mm256_add_ps(sum[c], product);
        }
    }
}

INLINE void store_rows(float *y, __m256 sum, const float *bias, size_t r,
                       size_t rows)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)rows), lane);
    if (bias)
        sum = _mm256_add_ps(sum, _mm256_maskload_ps(bias + r, mask));
    _mm256_maskstore_ps(y + r, mask, sum);
}

KERNEL_LINEAR(KERNEL(linear_q8_0_q8_0))
{
    size_t n_blocks = K / SUB_BLOCK;
    for (size_t r = row0; r < row1; r += ROWS) {
        size_t rows = row1 - r < ROWS ? row1 - r : ROWS;
        const unsigned char *row[ROWS];
        for (size_t i = 0; i < ROWS; i++)
            row[i] = (const unsigned char *)w +
                     (r + (i < rows ? i : rows - 1)) * row_bytes;
        __m256 sum[4];
        int c = 0;
        for (; c + 4 <= columns; c += 4) {
            rows_dot(4, sum, row, x + c, n_blocks);
            for (int j = 0; j < 4; j++)
                store_rows(y[c + j], sum[j], bias, r, rows);
        }
        for (; c < columns; c++) {
            rows_dot(1, sum, row, x + c, n_blocks);
            store_rows(y[c], sum[0], bias, r, rows);
        }
    }
}

#endif
