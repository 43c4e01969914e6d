/* linear_int8_k_tiles.h: K-quants times 8-bit activations, tile by tile;
 * included behind what makes a tile of one super-block:
 *
 *   ROWS 4, COLUMNS 4
 *   super_block(type, C, total, w, x): total[c] += four rows of a super-block,
 *   lane r of row w[r], for C columns; type and C are constants
 *
 * Rows left over repeat the last one in the idle lanes. */
#ifndef MOSHI_CPU_X86_LINEAR_INT8_K_TILES_H
#define MOSHI_CPU_X86_LINEAR_INT8_K_TILES_H

#include "cpu/x86/ahead.h"

INLINE size_t bytes_of(const dtype type)
{
    return type == DTYPE_Q4_K   ? Q4_K_BYTES
           : type == DTYPE_Q5_K ? Q5_K_BYTES
                                : Q6_K_BYTES;
}

typedef struct tile {
    const unsigned char *row[ROWS];
    size_t blocks;     /* super-blocks of a row */
    const char *fetch; /* ahead.h; NULL: not */
} tile;

/* sum[c] = the outputs of four rows. */
INLINE void rows_dot(const dtype type, const int C, __m128 *sum, tile *t,
                     const void *const *column)
{
    for (int c = 0; c < C; c++)
        sum[c] = _mm_setzero_ps();
    for (size_t b = 0; b < t->blocks; b++) {
        const unsigned char *w[ROWS], *x[COLUMNS];
        for (int r = 0; r < ROWS; r++)
            w[r] = t->row[r] + b * bytes_of(type);
        for (int c = 0; c < C; c++)
            x[c] = (const unsigned char *)column[c] + b * COLUMN_K_BYTES;
        if (t->fetch)
            ahead_fetch(t->fetch + ROWS * b * bytes_of(type),
                        ROWS * bytes_of(type));
        super_block(type, C, sum, w, x);
    }
}

/* The first `rows` lanes, with bias. */
INLINE void store_rows(float *y, __m128 sum, const float *bias, size_t r,
                       size_t rows)
{
    if (rows == ROWS) {
        if (bias)
            sum = _mm_add_ps(sum, _mm_loadu_ps(bias + r));
        _mm_storeu_ps(y + r, sum);
        return;
    }
    float s[ROWS];
    _mm_storeu_ps(s, sum);
    for (size_t i = 0; i < rows; i++)
        y[r + i] = bias ? s[i] + bias[r + i] : s[i];
}

INLINE void linear(const dtype type, float *const *y, const void *const *x,
                   int columns, const unsigned char *w, size_t row_bytes,
                   size_t K, const float *bias, size_t row0, size_t row1)
{
    for (size_t r = row0; r < row1; r += ROWS) {
        size_t rows = row1 - r < ROWS ? row1 - r : ROWS;
        tile t = {.blocks = K / SUPER_BLOCK};
        for (size_t i = 0; i < ROWS; i++)
            t.row[i] = w + (r + (i < rows ? i : rows - 1)) * row_bytes;
        t.fetch = ahead_of(t.row[0], ROWS * row_bytes);
        __m128 sum[COLUMNS];
        int c = 0;
        for (; c + COLUMNS <= columns; c += COLUMNS, t.fetch = NULL) {
            rows_dot(type, COLUMNS, sum, &t, x + c);
            for (int j = 0; j < COLUMNS; j++)
                store_rows(y[c + j], sum[j], bias, r, rows);
        }
        for (; c < columns; c++, t.fetch = NULL) {
            rows_dot(type, 1, sum, &t, x + c);
            store_rows(y[c], sum[0], bias, r, rows);
        }
    }
}

#define LINEAR(type, name)                                            \
    KERNEL_LINEAR(KERNEL(linear_int8_##name))                         \
    {                                                                 \
        linear(DTYPE_##type, y, x, columns, w, row_bytes, K, bias,    \
               row0, row1);                                           \
    }
LINEAR(Q4_K, q4_k)
LINEAR(Q5_K, q5_k)
LINEAR(Q6_K, q6_k)

#endif
