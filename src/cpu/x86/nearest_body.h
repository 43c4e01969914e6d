/* nearest_body.h: the nearest row of a codebook, in the words of a vector
 * header. A row's sum has one register of doubles, whatever its neighbours
 * are, so equal rows give equal sums and the lowest index wins. */
#ifndef MOSHI_CPU_X86_NEAREST_BODY_H
#define MOSHI_CPU_X86_NEAREST_BODY_H

#include <math.h>

#include "cpu/kernel_list.h"

#define DOUBLES     (LANES / 2)
#define ROWS_AT_ONCE 4 /* sums in flight; the order of each is its own */

/* dots[j] = r · row j, for `rows` ≤ ROWS_AT_ONCE rows. */
INLINE void dots_of(const int rows, double *dots, const float *r,
                    const float *table, size_t dim)
{
    vecd sum[ROWS_AT_ONCE];
    size_t i = 0, rest = dim % DOUBLES;
    for (int j = 0; j < rows; j++)
        sum[j] = vecd_zero();
    for (; i < dim - rest; i += DOUBLES) {
        vecd v = vecd_load(r + i);
#pragma GCC unroll 4
        for (int j = 0; j < rows; j++)
            sum[j] = vecd_fma(v, vecd_load(table + j * dim + i), sum[j]);
    }
    if (rest) {
        vecd v = vecd_load_first(r + i, rest);
#pragma GCC unroll 4
        for (int j = 0; j < rows; j++)
            sum[j] = vecd_fma(
                v, vecd_load_first(table + j * dim + i, rest), sum[j]);
    }
    for (int j = 0; j < rows; j++)
        dots[j] = vecd_sum(sum[j]);
}

KERNEL_NEAREST(KERNEL(nearest))
{
    double least = INFINITY, dots[ROWS_AT_ONCE];
    size_t best = 0;
    for (size_t j = 0; j < n;) {
        size_t rows = n - j >= ROWS_AT_ONCE ? ROWS_AT_ONCE : 1;
        if (rows == ROWS_AT_ONCE)
            dots_of(ROWS_AT_ONCE, dots, r, table + j * dim, dim);
        else
            dots_of(1, dots, r, table + j * dim, dim);
        for (size_t i = 0; i < rows; i++, j++)
            if (half_norms[j] - dots[i] < least) {
                least = half_norms[j] - dots[i];
                best = j;
            }
    }
    return (int32_t)best;
}

#endif
