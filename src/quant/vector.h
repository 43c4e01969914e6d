/* vector.h: eight floats at a time, for the searches of the quantisers.
 *
 * The compiler turns these into whatever the processor has; the order of every
 * sum is written here, so the bytes that come out are the same everywhere. */
#ifndef MOSHI_QUANT_VECTOR_H
#define MOSHI_QUANT_VECTOR_H

#include <stdint.h>
#include <string.h>

typedef float vec __attribute__((vector_size(32)));
typedef int32_t vec_mask __attribute__((vector_size(32)));
#define VEC 8

static inline vec vec_load(const float *x)
{
    vec v;
    memcpy(&v, x, sizeof v);
    return v;
}

static inline vec vec_choose(vec_mask m, vec yes, vec no)
{
    return (vec)(((vec_mask)yes & m) | ((vec_mask)no & ~m));
}

/* Within low … high; what is not a number becomes low. */
static inline vec vec_clamp(vec x, float low, float high)
{
    vec l = low - (vec){0}, h = high - (vec){0};
    x = vec_choose(x > l, x, l);
    return vec_choose(x < h, x, h);
}

/* To the nearest whole number, for |x| below 2^22: beyond 1.5 * 2^23 a float
 * has no room for a fraction. */
static inline vec vec_round(vec x)
{
    return (x + 12582912.0f) - 12582912.0f;
}

static inline float vec_sum(vec x)
{
    return ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7]));
}

#endif
