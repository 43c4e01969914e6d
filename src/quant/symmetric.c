/* symmetric.c: Q4_0 and Q6_K: values d q, with q around zero.
 *
 * For given whole numbers q the best scale is d = Σxq / Σq², and it leaves the
 * error Σx² - (Σxq)² / Σq² (least squares). q follows from a trial scale; a
 * row of trials around the one that puts the number of largest magnitude at
 * the end of the range finds the best. */
#include <math.h>

#include "base/half.h"
#include "cpu/blocks.h"
#include "quant/blocks.h"
#include "quant/vector.h"

#define TRIALS 21 /* scales that are tried */

/* q = round(x / d) within low … high. */
static vec levels_of(vec x, float inverse, float low, float high)
{
    return vec_clamp(vec_round(vec_clamp(x * inverse, low, high)), low, high);
}

/* The number of largest magnitude, with its sign. */
static float extreme_of(const float *x, int n)
{
    float most = 0;
    for (int i = 0; i < n; i++)
        if (fabsf(x[i]) > fabsf(most))
            most = x[i];
    return most;
}

/* The d that fits n numbers best; 0 for zeros. The extreme goes to the longer,
 * negative end of the range, give or take `slack` levels. */
static float fit_scale(const float *x, int n, float low, float high,
                       float slack)
{
    float extreme = extreme_of(x, n), best = 0, d = 0;
    for (int t = 0; t < TRIALS; t++) {
        float shift = slack * (float)(2 * t - (TRIALS - 1)) / (TRIALS - 1);
        float inverse = (low + shift) / extreme;
        vec xq = {0}, qq = {0};
        if (!isfinite(inverse)) /* zeros, or too small to be divided by */
            return 0;
        for (int i = 0; i < n; i += VEC) {
            vec v = vec_load(x + i), q = levels_of(v, inverse, low, high);
            xq += v * q;
            qq += q * q;
        }
        float a = vec_sum(xq), b = vec_sum(qq);
        if (b > 0 && a * a > best * b) {
            best = a * a / b;
            d = a / b;
        }
    }
    return d;
}

static float error_of(const float *x, int n, float d, float low, float high)
{
    float inverse = d != 0 ? 1 / d : 0;
    vec sum = {0};
    if (!isfinite(inverse))
        inverse = 0;
    for (int i = 0; i < n; i += VEC) {
        vec v = vec_load(x + i);
        vec e = v - d * levels_of(v, inverse, low, high);
        sum += e * e;
    }
    return vec_sum(sum);
}

/* The whole numbers for d, offset to start at 0. */
static void take_levels(unsigned char *q, const float *x, int n, float d,
                        float low, float high)
{
    float inverse = d != 0 ? 1 / d : 0;
    if (!isfinite(inverse))
        inverse = 0;
    for (int i = 0; i < n; i += VEC) {
        vec v = levels_of(vec_load(x + i), inverse, low, high) - low;
        for (int j = 0; j < VEC; j++)
            q[i + j] = (unsigned char)v[j];
    }
}

static void put_half(unsigned char *at, uint16_t h)
{
    memcpy(at, &h, sizeof h);
}

QUANT_BLOCK(q4_0)
{
    unsigned char q[SUB_BLOCK];
    uint16_t d = half_from_float(fit_scale(x, SUB_BLOCK, -8, 7, 1.2f));
    take_levels(q, x, SUB_BLOCK, half_to_float(d), -8, 7);
    put_half(block, d);
    for (int i = 0; i < SUB_BLOCK / 2; i++)
        block[Q4_0_QUANTS + i] =
            (unsigned char)(q[i] | q[i + SUB_BLOCK / 2] << 4);
}

/* --- Q6_K: sixteen scales of 8 bits, in units of one half --- */

#define GROUP  16 /* elements of one scale */
#define GROUPS (SUPER_BLOCK / GROUP)

/* The whole number near s / d that leaves the smallest error. */
static int fit_group(const float *x, float s, float d)
{
    float near = roundf(s / d), best = INFINITY;
    int chosen = 0;
    for (int step = -1; step <= 1; step++) {
        float scale = near + (float)step;
        if (!(scale >= -128 && scale <= 127))
            continue;
        float e = error_of(x, GROUP, d * scale, -32, 31);
        if (e < best) {
            best = e;
            chosen = (int)scale;
        }
    }
    return chosen;
}

static void pack_q6_k(unsigned char *block, const unsigned char *q)
{
    for (int half = 0; half < 2; half++) {
        const unsigned char *from = q + 128 * half;
        unsigned char *low = block + 64 * half;
        unsigned char *high = block + Q6_K_HIGH + 32 * half;
        for (int l = 0; l < 32; l++) {
            low[l] = (unsigned char)((from[l] & 15) | (from[l + 64] & 15) << 4);
            low[l + 32] = (unsigned char)((from[l + 32] & 15) |
                                          (from[l + 96] & 15) << 4);
            high[l] = (unsigned char)(from[l] >> 4 | from[l + 32] >> 4 << 2 |
                                      from[l + 64] >> 4 << 4 |
                                      from[l + 96] >> 4 << 6);
        }
    }
}

QUANT_BLOCK(q6_k)
{
    unsigned char q[SUPER_BLOCK];
    float scales[GROUPS], extreme = 0;
    for (int g = 0; g < GROUPS; g++) {
        scales[g] = fit_scale(x + GROUP * g, GROUP, -32, 31, 1.6f);
        if (fabsf(scales[g]) > fabsf(extreme))
            extreme = scales[g];
    }
    /* The largest scale becomes -128, the longer end of a signed byte. */
    uint16_t half = half_from_float(extreme / -128);
    float d = half_to_float(half);
    if (d == 0 || !isfinite(d)) {
        half = 0;
        d = 0;
    }
    for (int g = 0; g < GROUPS; g++) {
        int scale = d != 0 ? fit_group(x + GROUP * g, scales[g], d) : 0;
        block[Q6_K_SCALES + g] = (unsigned char)(int8_t)scale;
        take_levels(q + GROUP * g, x + GROUP * g, GROUP, d * (float)scale, -32,
                    31);
    }
    pack_q6_k(block, q);
    put_half(block + Q6_K_D, half);
}
