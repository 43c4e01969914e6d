/* norm_body.h: normalisation of one vector, in the words of a vector header.
 * The sums are in double, as in the reference; their order is fixed by n. */
#ifndef MOSHI_CPU_VECTOR_NORM_BODY_H
#define MOSHI_CPU_VECTOR_NORM_BODY_H

#include <math.h>

#include "cpu/kernel_list.h"

#define DOUBLES (LANES / 2)

/* Σ (x - mean)² */
INLINE double sum_squares(const float *x, size_t n, double mean)
{
    vecd sum = vecd_zero(), m = vecd_set1(mean);
    size_t i = 0;
    for (; i + DOUBLES <= n; i += DOUBLES) {
        vecd v = vecd_sub(vecd_load(x + i), m);
        sum = vecd_fma(v, v, sum);
    }
    if (i < n) {
        vecd v = vecd_sub(vecd_load_first(x + i, n - i), m);
        v = vecd_keep(v, n - i);
        sum = vecd_fma(v, v, sum);
    }
    return vecd_sum(sum);
}

/* Σ x */
INLINE double sum_plain(const float *x, size_t n)
{
    vecd sum = vecd_zero();
    size_t i = 0;
    for (; i + DOUBLES <= n; i += DOUBLES)
        sum = vecd_add(sum, vecd_load(x + i));
    if (i < n)
        sum = vecd_add(sum, vecd_load_first(x + i, n - i));
    return vecd_sum(sum);
}

INLINE float factor_of(double squares, size_t n, float eps)
{
    return (float)(1 / sqrt(squares / (double)n + (double)eps));
}

KERNEL_RMS_NORM(KERNEL(rms_norm))
{
    vec factor = vec_set1(factor_of(sum_squares(x, n, 0), n, eps));
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vec v = vec_mul(vec_load(x + i), factor);
        vec_store(y + i, vec_mul(v, vec_load(alpha + i)));
    }
    if (i < n) {
        vec_mask m = vec_first(n - i);
        vec v = vec_mul(vec_load_first(x + i, m), factor);
        vec_store_first(y + i, vec_mul(v, vec_load_first(alpha + i, m)), m);
    }
}

KERNEL_LAYER_NORM(KERNEL(layer_norm))
{
    double mean_d = sum_plain(x, n) / (double)n;
    vec factor = vec_set1(factor_of(sum_squares(x, n, mean_d), n, eps));
    vec mean = vec_set1((float)mean_d);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vec v = vec_mul(vec_sub(vec_load(x + i), mean), factor);
        v = vec_add(vec_mul(v, vec_load(weight + i)), vec_load(bias + i));
        vec_store(y + i, v);
    }
    if (i < n) {
        vec_mask m = vec_first(n - i);
        vec v = vec_mul(vec_sub(vec_load_first(x + i, m), mean), factor);
        v = vec_add(vec_mul(v, vec_load_first(weight + i, m)),
                    vec_load_first(bias + i, m));
        vec_store_first(y + i, v, m);
    }
}

#endif
