/* nearest.c: reference: the nearest row of a codebook, in double. */
#include <math.h>

#include "cpu/kernel_list.h"

KERNEL_NEAREST(kernel_nearest_ref)
{
    double least = INFINITY;
    size_t best = 0;
    for (size_t j = 0; j < n; j++) {
        double dot = 0;
        for (size_t i = 0; i < dim; i++)
            dot += (double)r[i] * (double)table[j * dim + i];
        if (half_norms[j] - dot < least) {
            least = half_norms[j] - dot;
            best = j;
        }
    }
    return (int32_t)best;
}
