/* panels_body.h: weights in panels times columns, in the words of a vector
 * header; included by panels_<isa>.c, which says how much of the registers a
 * tile may take:
 *   WIDE_PANELS  × up to WIDE_COLUMNS columns where there are many: bound by
 *                the multipliers;
 *   FEW_PANELS   × 1 or 2 columns where there are few: bound by memory, which
 *                is read in FEW_PANELS streams.
 *
 * An output has one lane of one register as its sum, into which products go in
 * the order of k; after PANEL_BLOCK of them it is added to the total and begun
 * anew (a sum of 8,192 in one run would lose a digit). So an output does not
 * depend on the tile it fell in. */
#ifndef MOSHI_CPU_VECTOR_PANELS_BODY_H
#define MOSHI_CPU_VECTOR_PANELS_BODY_H

#include "cpu/kernel_list.h"
#include "plan/panels.h"

#define PANEL_VECS   ((int)PANEL_ROWS / LANES)
#define VECS_MAX     8 /* in a tile's rows */
#define Q8_0_GROUP   (34u * PANEL_ROWS)
#define GROUP_QUANTS (2u * PANEL_ROWS)

/* What a call says, for the tiles. */
typedef struct panels_job {
    float *const *y;
    const float *const *x;
    const unsigned char *w;
    size_t K, N, panel_bytes;
    const float *bias;
} panels_job;

typedef vec tile_sums[VECS_MAX][WIDE_COLUMNS];

INLINE size_t weight_bytes(const dtype type)
{
    return type == DTYPE_F32 ? 4 : type == DTYPE_BF16 ? 2 : 1;
}

/* LANES elements of a panel, from byte `at` on. */
INLINE vec weight_vec(const dtype type, const unsigned char *at)
{
    if (type == DTYPE_F32)
        return vec_load((const float *)at);
    if (type == DTYPE_BF16)
        return vec_load_bf16(at);
    return vec_load_bytes(at);
}

/* sum = products of k … k + n - 1. w: element k of the first panel. */
INLINE void tile_run(const dtype type, const int P, const int C,
                     tile_sums sum, const unsigned char *w, size_t step,
                     const float *const *x, size_t k, size_t n)
{
    const int V = P * PANEL_VECS;
    const size_t row = PANEL_ROWS * weight_bytes(type);
#pragma GCC unroll 8
    for (int v = 0; v < V; v++)
#pragma GCC unroll 12
        for (int c = 0; c < C; c++)
            sum[v][c] = vec_zero();
#pragma GCC unroll 4
    for (size_t i = 0; i < n; i++) {
        vec weight[VECS_MAX];
#pragma GCC unroll 8
        for (int v = 0; v < V; v++)
            weight[v] = weight_vec(
                type, w + (size_t)(v / PANEL_VECS) * step + i * row +
                          (size_t)(v % PANEL_VECS) * LANES *
                              weight_bytes(type));
#pragma GCC unroll 12
        for (int c = 0; c < C; c++) {
            vec b = vec_set1(x[c][k + i]);
#pragma GCC unroll 8
            for (int v = 0; v < V; v++)
                sum[v][c] = vec_fma(weight[v], b, sum[v][c]);
        }
    }
}

INLINE void tile_add(const int V, const int C, tile_sums total,
                     const tile_sums sum)
{
#pragma GCC unroll 8
    for (int v = 0; v < V; v++)
#pragma GCC unroll 12
        for (int c = 0; c < C; c++)
            total[v][c] = vec_add(total[v][c], sum[v][c]);
}

INLINE void tile_q8_0(const int P, const int C, tile_sums total,
                      const panels_job *job, const unsigned char *w,
                      const float *const *x)
{
    for (size_t k = 0; k < job->K; k += 32, w += Q8_0_GROUP) {
        tile_sums sum;
        tile_run(DTYPE_Q8_0, P, C, sum, w + GROUP_QUANTS, job->panel_bytes, x,
                 k, 32);
#pragma GCC unroll 8
        for (int v = 0; v < P * PANEL_VECS; v++) {
            vec d = vec_load_f16(
                w + (size_t)(v / PANEL_VECS) * job->panel_bytes +
                (size_t)(v % PANEL_VECS) * LANES * 2);
#pragma GCC unroll 12
            for (int c = 0; c < C; c++)
                total[v][c] = vec_fma(d, sum[v][c], total[v][c]);
        }
    }
}

/* Rows beyond N are not there in y and bias. */
INLINE void tile_store(const int V, const int C, const tile_sums total,
                       const panels_job *job, size_t r0, size_t c0)
{
    for (int v = 0; v < V; v++) {
        size_t r = r0 + (size_t)v * LANES;
        if (r >= job->N)
            return;
        size_t n = job->N - r;
        if (n >= LANES) {
            vec bias = job->bias ? vec_load(job->bias + r) : vec_zero();
            for (int c = 0; c < C; c++)
                vec_store(job->y[c0 + c] + r, vec_add(total[v][c], bias));
        } else {
            vec_mask m = vec_first(n);
            vec bias = job->bias ? vec_load_first(job->bias + r, m)
                                 : vec_zero();
            for (int c = 0; c < C; c++)
                vec_store_first(job->y[c0 + c] + r,
                                vec_add(total[v][c], bias), m);
        }
    }
}

/* P panels from `panel` on × C columns from c0 on: constants where this is
 * inlined. */
INLINE void tile(const dtype type, const int P, const int C,
                 const panels_job *job, size_t panel, size_t c0)
{
    const int V = P * PANEL_VECS;
    const unsigned char *w = job->w + panel * job->panel_bytes;
    const float *const *x = job->x + c0;
    tile_sums total;
    for (int v = 0; v < V; v++)
        for (int c = 0; c < C; c++)
            total[v][c] = vec_zero();
    if (type == DTYPE_Q8_0) {
        tile_q8_0(P, C, total, job, w, x);
    } else {
        for (size_t k = 0; k < job->K; k += PANEL_BLOCK) {
            size_t left = job->K - k;
            tile_sums sum;
            tile_run(type, P, C, sum,
                     w + k * PANEL_ROWS * weight_bytes(type),
                     job->panel_bytes, x, k,
                     left < PANEL_BLOCK ? left : PANEL_BLOCK);
            tile_add(V, C, total, sum);
        }
    }
    tile_store(V, C, total, job, panel * PANEL_ROWS, c0);
}

/* P panels × all columns; the panels stay in the cache from tile to tile. */
INLINE void strip(const dtype type, const int P, const panels_job *job,
                  size_t panel, size_t columns)
{
    size_t c = 0;
    while (c < columns) {
        size_t left = columns - c;
        /* Two middling tiles rather than a wide one and scraps. */
        if (left >= WIDE_COLUMNS && left != 2 * MIDDLE_COLUMNS) {
            tile(type, P, WIDE_COLUMNS, job, panel, c);
            c += WIDE_COLUMNS;
        } else if (left >= MIDDLE_COLUMNS) {
            tile(type, P, MIDDLE_COLUMNS, job, panel, c);
            c += MIDDLE_COLUMNS;
        } else if (MIDDLE_COLUMNS > 4 && left >= 4) {
            tile(type, P, 4, job, panel, c);
            c += 4;
        } else if (left >= 2) {
            tile(type, P, 2, job, panel, c);
            c += 2;
        } else {
            tile(type, P, 1, job, panel, c);
            c++;
        }
    }
}

INLINE void panels(const dtype type, const panels_job *job, size_t columns,
                   size_t panel0, size_t panel1)
{
    size_t p = panel0;
    for (; columns == 2 && p + FEW_PANELS <= panel1; p += FEW_PANELS)
        tile(type, FEW_PANELS, 2, job, p, 0);
    for (; columns == 1 && p + FEW_PANELS <= panel1; p += FEW_PANELS)
        tile(type, FEW_PANELS, 1, job, p, 0);
    for (; p + WIDE_PANELS <= panel1; p += WIDE_PANELS)
        strip(type, WIDE_PANELS, job, p, columns);
    for (; p < panel1; p++)
        strip(type, 1, job, p, columns);
}

#define PANELS(type, name)                                            \
    KERNEL_PANELS(KERNEL(panels_##name))                              \
    {                                                                 \
        const panels_job job = {                                      \
            y, x, w, K, N, panel_bytes(DTYPE_##type, K), bias};       \
        panels(DTYPE_##type, &job, columns, panel0, panel1);          \
    }
PANELS(F32, f32)
PANELS(BF16, bf16)
PANELS(Q8_0, q8_0)

#endif
