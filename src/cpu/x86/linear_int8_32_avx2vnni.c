/* linear_int8_32_avx2vnni.c: Q8_0 and Q4_0 times 8-bit activations with VNNI
 * in 256 bits. It multiplies unsigned by signed bytes: Σ w x = Σ (w + offset) x
 * - offset Σ x. For Q8_0 adding 128 is flipping the top bit.
 *
 * One column goes as in linear_int8_32_body.h. Several columns share the work
 * that turns eight rows of a block so that each has its bytes in a lane of its
 * own: then no sum has to be folded. Eight of 64 × 8192 on one core of an EPYC
 * 9004: 143 (Q8_0) and 153 (Q4_0) GFLOP/s with one sum a column and tiles of
 * four columns, 163 and 179 with two sums and eight columns. */
#include "cpu/x86/vector_avx2vnni.h"

#include "cpu/x86/linear_int8_32_body.h"
#include "cpu/x86/linear_int8_32_halves.h"

#define TURNED_COLUMNS 8

/* offset Σ x, everywhere. */
INLINE __m256i block_offset(const dtype type, const unsigned char *x)
{
    return offset_sum(x, type == DTYPE_Q8_0 ? 7 : 3);
}

/* 32 bytes of the blocks at a and b, plus the offset. */
INLINE void unpack(const dtype type, __m256i q[2], const unsigned char *a,
                   const unsigned char *b)
{
    const __m256i top = _mm256_set1_epi8((char)128);
    if (type == DTYPE_Q4_0) {
        unpack_q4_0(q, a, b);
        return;
    }
    unpack_q8_0(q, a, b);
    q[0] = _mm256_xor_si256(q[0], top);
    q[1] = _mm256_xor_si256(q[1], top);
}

INLINE __m256i block_sums(const dtype type, const unsigned char *const w[ROWS],
                          const unsigned char *x)
{
    const __m256i low = broadcast_16(x), high = broadcast_16(x + 16);
    __m256i s[4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++) {
        __m256i q[2];
        unpack(type, q, w[r], w[r + 4]);
        s[r] = dot_bytes(dot_bytes(_mm256_setzero_si256(), q[0], low), q[1],
                         high);
    }
    return _mm256_sub_epi32(fold_halves(s), block_offset(type, x));
}

/* t[j], lane r: dword j of what v[r % 4] has in row r's half. */
INLINE void turn(__m256i t[4], const __m256i v[4])
{
    __m256i a = _mm256_unpacklo_epi32(v[0], v[1]);
    __m256i b = _mm256_unpackhi_epi32(v[0], v[1]);
    __m256i c = _mm256_unpacklo_epi32(v[2], v[3]);
    __m256i d = _mm256_unpackhi_epi32(v[2], v[3]);
    t[0] = _mm256_unpacklo_epi64(a, c);
    t[1] = _mm256_unpackhi_epi64(a, c);
    t[2] = _mm256_unpacklo_epi64(b, d);
    t[3] = _mm256_unpackhi_epi64(b, d);
}

/* q[j], lane r: bytes 4 j … 4 j + 3 of the block of row r, plus the offset. */
INLINE void turned_block(const dtype type, __m256i q[8],
                         const unsigned char *const w[ROWS])
{
    __m256i v[2][4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++) {
        __m256i both[2];
        unpack(type, both, w[r], w[r + 4]);
        v[0][r] = both[0];
        v[1][r] = both[1];
    }
    turn(q, v[0]);
    turn(q + 4, v[1]);
}

/* Lane r: Σ w x of row r, whose bytes are turned. Two sums, since a product
 * must wait for the one before it. */
INLINE __m256i turned_sums(const dtype type, const __m256i q[8],
                           const unsigned char *x)
{
    __m256i sum[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++)
        sum[j % 2] = dot_bytes(sum[j % 2], q[j],
                               _mm256_set1_epi32(block_int(x + 4 * j)));
    return _mm256_sub_epi32(_mm256_add_epi32(sum[0], sum[1]),
                            block_offset(type, x));
}

/* sum[c] = the outputs of eight rows, for C columns. C is a constant. */
INLINE void turned_dot(const dtype type, const int C, __m256 *sum,
                       const unsigned char *const row[ROWS],
                       const void *const *x, size_t n_blocks,
                       const char *fetch)
{
    for (int c = 0; c < C; c++)
        sum[c] = _mm256_setzero_ps();
    for (size_t b = 0; b < n_blocks; b++) {
        const unsigned char *w[ROWS];
        __m256i q[8];
        for (int r = 0; r < ROWS; r++)
            w[r] = row[r] + b * block_bytes(type);
        if (fetch)
            ahead_fetch(fetch + ROWS * b * block_bytes(type),
                        ROWS * block_bytes(type));
        turned_block(type, q, w);
        __m256 d_w = scales_of(w);
#pragma GCC unroll 8
        for (int c = 0; c < C; c++) {
            const unsigned char *at =
                (const unsigned char *)x[c] + b * COLUMN_32_BYTES;
            sum[c] = add_block(sum[c], turned_sums(type, q, at), d_w, at);
        }
    }
}

/* A call's columns c … c + C - 1 of the rows r … r + rows - 1. */
INLINE void turned_tile(const dtype type, const int C, const linear_job *j,
                        const unsigned char *const row[ROWS], size_t r,
                        size_t rows, int c, const char *fetch)
{
    __m256 sum[TURNED_COLUMNS];
    turned_dot(type, C, sum, row, j->x + c, j->blocks, fetch);
    for (int i = 0; i < C; i++)
        store_rows(j->y[c + i], sum[i], j->bias, r, rows);
}

/* As strip, for two columns and more. */
INLINE void turned_strip(const dtype type, const linear_job *j, int columns,
                         size_t r, size_t row1)
{
    size_t rows = row1 - r < ROWS ? row1 - r : ROWS;
    const unsigned char *row[ROWS];
    rows_from(row, j, r, rows);
    const char *fetch = ahead_of(row[0], ROWS * j->row_bytes);
    int c = 0;
    for (; c + 8 <= columns; c += 8, fetch = NULL)
        turned_tile(type, 8, j, row, r, rows, c, fetch);
    for (; c + 4 <= columns; c += 4, fetch = NULL)
        turned_tile(type, 4, j, row, r, rows, c, fetch);
    for (; c + 2 <= columns; c += 2, fetch = NULL)
        turned_tile(type, 2, j, row, r, rows, c, fetch);
    for (; c < columns; c++)
        turned_tile(type, 1, j, row, r, rows, c, fetch);
}

#define LINEAR(type, name)                                              \
    KERNEL_LINEAR(KERNEL(linear_int8_##name))                           \
    {                                                                   \
        const linear_job j = {y, x, w, row_bytes, K / SUB_BLOCK, bias}; \
        for (size_t r = row0; r < row1; r += ROWS)                      \
            if (columns == 1)                                           \
                strip(DTYPE_##type, &j, 1, r, row1);                    \
            else                                                        \
                turned_strip(DTYPE_##type, &j, columns, r, row1);       \
    }
LINEAR(Q8_0, q8_0)
LINEAR(Q4_0, q4_0)
