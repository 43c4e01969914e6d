/* linear_int8_32_body.h: Q8_0 and Q4_0 weights times 8-bit activations;
 * included by linear_int8_32_<isa>.c, which defines block_sums (the exact sums
 * of a block of eight rows).
 *
 * Eight rows at a time, one per lane: the integer sum of a block is exact in
 * any order, and each lane then does (float)sum * d_w * d_x and adds, block
 * after block, just as the reference does. So the bits are the reference's.
 *
 * Rows left over repeat the last row in the idle lanes. */
#ifndef MOSHI_CPU_X86_LINEAR_INT8_32_BODY_H
#define MOSHI_CPU_X86_LINEAR_INT8_32_BODY_H

#include "base/dtype.h"
#include "cpu/blocks.h"
#include "cpu/kernel_list.h"
#include "cpu/x86/ahead.h"

#define ROWS 8

/* What a call says, for the tiles. */
typedef struct linear_job {
    float *const *y;
    const void *const *x;
    const unsigned char *w;
    size_t row_bytes, blocks;
    const float *bias;
} linear_job;

INLINE size_t block_bytes(const dtype type)
{
    return type == DTYPE_Q8_0 ? Q8_0_BYTES : Q4_0_BYTES;
}

/* Lane r: Σ w x of the block at w[r], x: 32 bytes and their sum. */
INLINE __m256i block_sums(const dtype type, const unsigned char *const w[ROWS],
                          const unsigned char *x);

/* The scales of the blocks at w[0] … w[7]: each loaded with the two bytes behind
 * it, which costs no more than a load. */
INLINE __m256 scales_of(const unsigned char *const w[ROWS])
{
    __m128i d[ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++)
        d[r] = _mm_cvtsi32_si128(block_int(w[r]));
#pragma GCC unroll 4
    for (int r = 0; r < ROWS; r += 2)
        d[r] = _mm_unpacklo_epi16(d[r], d[r + 1]);
    d[0] = _mm_unpacklo_epi32(d[0], d[2]);
    d[4] = _mm_unpacklo_epi32(d[4], d[6]);
    return _mm256_cvtph_ps(_mm_unpacklo_epi64(d[0], d[4]));
}

INLINE __m256 column_scale(const unsigned char *x)
{
    return _mm256_broadcast_ss((const float *)(x + COLUMN_32_D));
}

/* sum plus a block of eight rows: their integer sums with the column's block at
 * x, in the reference's order of products. */
INLINE __m256 add_block(__m256 sum, __m256i sums, __m256 d_w,
                        const unsigned char *x)
{
    __m256 product = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), d_w);
    return _mm256_add_ps(sum, _mm256_mul_ps(product, column_scale(x)));
}

/* sum[c] = the outputs of eight rows, for C columns. C is a constant. */
INLINE void rows_dot(const dtype type, const int C, __m256 *sum,
                     const unsigned char *const row[ROWS],
                     const void *const *x, size_t n_blocks, const char *fetch)
{
    for (int c = 0; c < C; c++)
        sum[c] = _mm256_setzero_ps();
    for (size_t b = 0; b < n_blocks; b++) {
        const unsigned char *w[ROWS];
        for (int r = 0; r < ROWS; r++)
            w[r] = row[r] + b * block_bytes(type);
        if (fetch)
            ahead_fetch(fetch + ROWS * b * block_bytes(type),
                        ROWS * block_bytes(type));
        __m256 d_w = scales_of(w);
#pragma GCC unroll 4
        for (int c = 0; c < C; c++) {
            const unsigned char *at =
                (const unsigned char *)x[c] + b * COLUMN_32_BYTES;
            sum[c] = add_block(sum[c], block_sums(type, w, at), d_w, at);
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

/* The `rows` rows from r on; the idle lanes repeat the last. */
INLINE void rows_from(const unsigned char *row[ROWS], const linear_job *j,
                      size_t r, size_t rows)
{
    for (size_t i = 0; i < ROWS; i++)
        row[i] = j->w + (r + (i < rows ? i : rows - 1)) * j->row_bytes;
}

/* Rows r … row1 - 1, at most 8, and all columns. */
INLINE void strip(const dtype type, const linear_job *j, int columns,
                  size_t r, size_t row1)
{
    size_t rows = row1 - r < ROWS ? row1 - r : ROWS;
    const unsigned char *row[ROWS];
    rows_from(row, j, r, rows);
    const char *fetch = ahead_of(row[0], ROWS * j->row_bytes);
    __m256 sum[4];
    int c = 0;
    for (; c + 4 <= columns; c += 4) {
        rows_dot(type, 4, sum, row, j->x + c, j->blocks, fetch);
        for (int i = 0; i < 4; i++)
            store_rows(j->y[c + i], sum[i], j->bias, r, rows);
        fetch = NULL;
    }
    for (; c < columns; c++) {
        rows_dot(type, 1, sum, row, j->x + c, j->blocks, fetch);
        store_rows(j->y[c], sum[0], j->bias, r, rows);
        fetch = NULL;
    }
}

#endif
