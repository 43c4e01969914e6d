/* linear_body.h: matrix times columns, float activations, in the words of a
 * vector header; included by linear_<isa>.c, which sets TILE_COLUMNS.
 *
 * A tile is 4 rows (1, for what is left) × up to TILE_COLUMNS columns, or 8
 * rows × a single column: 8 streams from memory at once reach its bandwidth
 * (bf16 on one core of an EPYC 9004: 24 GB/s, against 17 with 4 rows and
 * prefetching by hand).
 *
 * Each output has one vector register as its sum, into which the products
 * i, i + LANES, i + 2 LANES … of a lane go in this order; the lanes are
 * folded at the end. So an output does not depend on the tile it fell in. */
#ifndef MOSHI_CPU_X86_LINEAR_BODY_H
#define MOSHI_CPU_X86_LINEAR_BODY_H

#include "cpu/kernel_list.h"
#include "cpu/x86/ahead.h"
#include "cpu/x86/weights_body.h"

#define TILE_ROWS 8 /* at most */

/* What a call says, for the tiles. */
typedef struct linear_job {
    float *const *y;
    const void *const *x;
    const unsigned char *w;
    size_t row_bytes, K;
    const float *bias;
} linear_job;

/* sum[row][column] += the products of elements i … i + n - 1, n < LANES. */
INLINE void tile_tail(const dtype type, const int R, const int C,
                      vec sum[TILE_ROWS][TILE_COLUMNS],
                      const unsigned char *w, size_t row_bytes,
                      const void *const *x, size_t i, size_t n)
{
    vec_mask mask = vec_first(n);
    for (int r = 0; r < R; r++) {
        vec v = weights_load_first(type, w + r * row_bytes, i, n);
        for (int c = 0; c < C; c++) {
            vec column = vec_load_first((const float *)x[c] + i, mask);
            sum[r][c] = vec_fma(v, column, sum[r][c]);
        }
    }
}

/* apart: from row to row of the tile. */
INLINE void tile_store(const int R, const int C,
                       vec sum[TILE_ROWS][TILE_COLUMNS], float *const *y,
                       const float *bias, size_t r, size_t apart)
{
    for (int c = 0; c < C && R == 4 && apart > 1; c++) {
        float s[4];
        _mm_storeu_ps(s, vec_sum4(sum[0][c], sum[1][c], sum[2][c],
                                  sum[3][c]));
        for (size_t i = 0; i < 4; i++) {
            size_t row = r + i * apart;
            y[c][row] = bias ? s[i] + bias[row] : s[i];
        }
    }
    if (apart > 1)
        return;
    for (int c = 0; c < C; c++) {
        int i = 0;
        for (; i + 4 <= R; i += 4) {
            __m128 s = vec_sum4(sum[i][c], sum[i + 1][c], sum[i + 2][c],
                                sum[i + 3][c]);
            if (bias)
                s = _mm_add_ps(s, _mm_loadu_ps(bias + r + i));
            _mm_storeu_ps(y[c] + r + i, s);
        }
        for (; i < R; i++) {
            float s = vec_sum(sum[i][c]);
            y[c][r + i] = bias ? s + bias[r + i] : s;
        }
    }
}

/* Rows r, r + apart … (R of them), columns c0 … c0 + C - 1; type, R and C are constants
 * where this is inlined, so that all loops over them are unrolled. */
INLINE void tile(const dtype type, const int R, const int C,
                 const linear_job *job, size_t r0, size_t apart, int c0)
{
    const unsigned char *w = job->w + r0 * job->row_bytes;
    const size_t row_step = apart * job->row_bytes;
    const void *const *x = job->x + c0;
    const size_t step = weights_step(type);
    const size_t K = job->K, whole = K - K % step;
    vec sum[TILE_ROWS][TILE_COLUMNS];
    for (int r = 0; r < R; r++)
        for (int c = 0; c < C; c++)
            sum[r][c] = vec_zero();
    weights_scales scales[TILE_ROWS];
    /* The first columns: read from memory, most likely (bf16, eight columns,
     * one core of an EPYC 9004: 13.4 GB/s, against 10.0 without). Rows apart
     * are long streams, which the processor follows by itself. */
    const char *fetch = c0 == 0 && R >= 4 && apart == 1 && weights_plain(type)
                            ? ahead_of(w, (size_t)R * job->row_bytes) : NULL;
    const size_t bytes = (size_t)R * weights_offset(type, step);
    for (size_t i = 0; i < whole; i += step) {
        if (fetch)
            ahead_fetch(fetch + i / step * bytes, bytes);
        if (weights_super(type) && i % SUPER_BLOCK == 0)
            for (int r = 0; r < R; r++)
                scales_load(type, &scales[r], w + r * row_step, i);
#pragma GCC unroll 8
        for (int r = 0; r < R; r++) {
            const unsigned char *row = w + r * row_step;
            vec v[VECS_OF_32];
            weights_load(type, v, row, i, &scales[r]);
#pragma GCC unroll 4
            for (size_t j = 0; j < step / LANES; j++)
#pragma GCC unroll 4
                for (int c = 0; c < C; c++) {
                    const float *column = (const float *)x[c] + i;
                    sum[r][c] = vec_fma(v[j], vec_load(column + j * LANES),
                                        sum[r][c]);
                }
        }
    }
    if (weights_plain(type) && whole < K)
        tile_tail(type, R, C, sum, w, row_step, x, whole, K - whole);
    tile_store(R, C, sum, job->y + c0, job->bias, r0, apart);
}

/* R rows × all columns; the rows stay in the cache from tile to tile. */
INLINE void strip(const dtype type, const int R, const linear_job *job,
                  size_t r, int columns)
{
    int c = 0;
    for (; c + TILE_COLUMNS <= columns; c += TILE_COLUMNS)
        tile(type, R, TILE_COLUMNS, job, r, 1, c);
    for (; c + 2 <= columns; c += 2)
        tile(type, R, 2, job, r, 1, c);
    for (; c < columns; c++)
        tile(type, R, 1, job, r, 1, c);
}

INLINE void linear(const dtype type, const linear_job *job, int columns,
                   size_t row0, size_t row1)
{
    size_t r = row0;
    if (columns == 1)
        for (; r + 8 <= row1; r += 8)
            tile(type, 8, 1, job, r, 1, 0);
    /* Two steps of the codec's transformers, whose rows are short: the
     * quarters of the rows side by side are four long streams (float32
     * [2048, 512]: 23 GB/s, against 12 with rows next to each other). */
    if (columns == 2 && weights_plain(type)) {
        size_t quarter = (row1 - row0) / 4;
        for (size_t i = 0; i < quarter; i++)
            tile(type, 4, 2, job, row0 + i, quarter, 0);
        r += 4 * quarter;
    }
    for (; r + 4 <= row1; r += 4)
        strip(type, 4, job, r, columns);
    for (; r < row1; r++)
        strip(type, 1, job, r, columns);
}

#define LINEAR(type, name, unused)                                   \
    KERNEL_LINEAR(KERNEL(linear_##name))                             \
    {                                                                \
        const linear_job job = {y, x, w, row_bytes, K, bias};        \
        linear(DTYPE_##type, &job, columns, row0, row1);             \
    }
KERNEL_WEIGHT_TYPES(LINEAR, )

#endif
