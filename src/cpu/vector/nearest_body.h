/* nearest_body.h: the nearest row of a codebook, in the words of a vector
 * header. A row's sum has one register of doubles, whatever its neighbours
 * are, so equal rows give equal sums and the lowest index wins.
 *
 * Four rows are taken at a time, a quarter of the table apart: so memory is
 * read in four long streams, which its prefetching follows ([2048, 256] on one
 * core of an EPYC 9004: 17 GB/s, against 8 with rows next to each other). */
#ifndef MOSHI_CPU_VECTOR_NEAREST_BODY_H
#define MOSHI_CPU_VECTOR_NEAREST_BODY_H

#include <math.h>

#include "cpu/kernel_list.h"

#define DOUBLES     (LANES / 2)
#define ROWS_AT_ONCE 4 /* sums in flight; the order of each is its own */

/* dots[j] = r · row at `table` + j * apart, for `rows` ≤ ROWS_AT_ONCE. */
INLINE void dots_of(const int rows, double *dots, const float *r,
                    const float *table, size_t apart, size_t dim)
{
    vecd sum[ROWS_AT_ONCE];
    size_t i = 0, rest = dim % DOUBLES;
    for (int j = 0; j < rows; j++)
        sum[j] = vecd_zero();
    for (; i < dim - rest; i += DOUBLES) {
        vecd v = vecd_load(r + i);
#pragma GCC unroll 4
        for (int j = 0; j < rows; j++)
            sum[j] = vecd_fma(v, vecd_load(table + j * apart + i), sum[j]);
    }
    if (rest) {
        vecd v = vecd_load_first(r + i, rest);
#pragma GCC unroll 4
        for (int j = 0; j < rows; j++)
            sum[j] = vecd_fma(
                v, vecd_load_first(table + j * apart + i, rest), sum[j]);
    }
    for (int j = 0; j < rows; j++)
        dots[j] = vecd_sum(sum[j]);
}

KERNEL_NEAREST(KERNEL(nearest))
{
    /* Of each quarter, and of the rows left over, the first nearest row. */
    double least[ROWS_AT_ONCE + 1], dots[ROWS_AT_ONCE];
    size_t best[ROWS_AT_ONCE + 1] = {0}, quarter = n / ROWS_AT_ONCE;
    for (int s = 0; s <= ROWS_AT_ONCE; s++)
        least[s] = INFINITY;
    for (size_t j = 0; j < quarter; j++) {
        dots_of(ROWS_AT_ONCE, dots, r, table + j * dim, quarter * dim, dim);
        for (size_t s = 0; s < ROWS_AT_ONCE; s++) {
            double distance = half_norms[s * quarter + j] - dots[s];
            if (distance < least[s]) {
                least[s] = distance;
                best[s] = s * quarter + j;
            }
        }
    }
    for (size_t j = quarter * ROWS_AT_ONCE; j < n; j++) {
        dots_of(1, dots, r, table + j * dim, dim, dim);
        if (half_norms[j] - dots[0] < least[ROWS_AT_ONCE]) {
            least[ROWS_AT_ONCE] = half_norms[j] - dots[0];
            best[ROWS_AT_ONCE] = j;
        }
    }
    int nearest = 0;
    for (int s = 1; s <= ROWS_AT_ONCE; s++)
        if (least[s] < least[nearest])
            nearest = s;
    return (int32_t)best[nearest];
}

#endif
