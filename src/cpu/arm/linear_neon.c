/* linear_neon.c: matrix times columns, float activations, in NEON.
 *
 * A tile is 8 rows × 1 column or 4 rows × 2 or 4 columns. Each output has one
 * register as its sum, into which the products i, i + 4, i + 8 … of a lane go
 * in this order; the lanes are folded at the end. So an output does not depend
 * on the tile it fell in. */
#include "cpu/arm/vector_neon.h"

#include "cpu/arm/weights.h"
#include "cpu/kernel_list.h"

#define TILE_ROWS    8 /* at most */
#define TILE_COLUMNS 4

typedef struct linear_job {
    float *const *y;
    const void *const *x;
    const unsigned char *w;
    size_t row_bytes, K;
    const float *bias;
} linear_job;

/* R rows from r0 on × C columns from c0 on: constants, as is the type. */
INLINE void tile(const dtype type, const int R, const int C,
                 const linear_job *job, size_t r0, int c0)
{
    const unsigned char *w = job->w + r0 * job->row_bytes;
    const float *x[TILE_COLUMNS];
    const size_t step = weights_step(type), whole = job->K - job->K % step;
    vec sum[TILE_ROWS][TILE_COLUMNS];
    for (int c = 0; c < C; c++)
        x[c] = job->x[c0 + c];
    for (int r = 0; r < R; r++)
        for (int c = 0; c < C; c++)
            sum[r][c] = vec_zero();
    for (size_t i = 0; i < whole; i += step) {
#pragma GCC unroll 8
        for (int r = 0; r < R; r++) {
            vec v[VECS_OF_32];
            weights_load(type, v, w + (size_t)r * job->row_bytes, i);
#pragma GCC unroll 8
            for (size_t j = 0; j < step / LANES; j++)
#pragma GCC unroll 4
                for (int c = 0; c < C; c++)
                    sum[r][c] = vec_fma(v[j], vec_load(x[c] + i + j * LANES),
                                        sum[r][c]);
        }
    }
    size_t rest = job->K - whole;
    for (int r = 0; weights_plain(type) && rest && r < R; r++) {
        vec v = weights_load_first(type, w + (size_t)r * job->row_bytes,
                                   whole, rest);
        for (int c = 0; c < C; c++)
            sum[r][c] = vec_fma(
                v, vec_load_first(x[c] + whole, vec_first(rest)), sum[r][c]);
    }
    for (int c = 0; c < C; c++)
        for (int r = 0; r < R; r++) {
            float s = vec_sum(sum[r][c]);
            job->y[c0 + c][r0 + (size_t)r] =
                job->bias ? s + job->bias[r0 + (size_t)r] : s;
        }
}

INLINE void strip(const dtype type, const int R, const linear_job *job,
                  size_t r, int columns)
{
    int c = 0;
    for (; c + TILE_COLUMNS <= columns; c += TILE_COLUMNS)
        tile(type, R, TILE_COLUMNS, job, r, c);
    for (; c + 2 <= columns; c += 2)
        tile(type, R, 2, job, r, c);
    for (; c < columns; c++)
        tile(type, R, 1, job, r, c);
}

INLINE void linear(const dtype type, const linear_job *job, int columns,
                   size_t row0, size_t row1)
{
    size_t r = row0;
    for (; columns == 1 && r + 8 <= row1; r += 8)
        tile(type, 8, 1, job, r, 0);
    for (; r + 4 <= row1; r += 4)
        strip(type, 4, job, r, columns);
    for (; r < row1; r++)
        strip(type, 1, job, r, columns);
}

#define LINEAR(type, name, unused)                            \
    KERNEL_LINEAR(KERNEL(linear_##name))                      \
    {                                                         \
        const linear_job job = {y, x, w, row_bytes, K, bias}; \
        linear(DTYPE_##type, &job, columns, row0, row1);      \
    }
KERNEL_WEIGHT_TYPES(LINEAR, )
