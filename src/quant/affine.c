/* affine.c: Q4_K and Q5_K: values s q - m, with q from zero and m ≥ 0.
 *
 * A super-block has eight sub-blocks of 32, each with its own s and m, which
 * are whole numbers (6 bits) in units of two halves. For given q, s and m are
 * a straight line through 32 points (least squares); q follows from a trial
 * scale, and a row of trials finds the best line. Then the units are fixed and
 * the whole numbers around each line are tried. */
#include <math.h>

#include "base/half.h"
#include "cpu/blocks.h"
#include "quant/blocks.h"
#include "quant/vector.h"

#define SUBS      (SUPER_BLOCK / SUB_BLOCK)
#define TRIALS    18
#define REFITS    2  /* times that the best line chooses its points anew */
#define SCALE_MAX 63 /* of the six bits */

/* value = scale q - min */
typedef struct line {
    float scale, min, error; /* error: Σ (value - x)² */
} line;

static vec levels_of(vec x, float inverse, float min, float top)
{
    return vec_round(vec_clamp((x + min) * inverse, 0, top));
}

/* The best line for the whole numbers that `from` gives. */
static line fit_line(const float *x, line from, float top)
{
    vec vq = {0}, vqq = {0}, vx = {0}, vxq = {0}, vxx = {0};
    float inverse = 1 / from.scale;
    for (int i = 0; i < SUB_BLOCK; i += VEC) {
        vec v = vec_load(x + i), q = levels_of(v, inverse, from.min, top);
        vq += q;
        vqq += q * q;
        vx += v;
        vxq += v * q;
        vxx += v * v;
    }
    float q = vec_sum(vq), qq = vec_sum(vqq), sx = vec_sum(vx),
          xq = vec_sum(vxq), n = SUB_BLOCK, det = n * qq - q * q;
    line l = {.min = -sx / n}; /* if all are alike, and below zero */
    if (det > 0) {
        l.scale = (n * xq - sx * q) / det;
        l.min = (q * xq - qq * sx) / det;
    }
    if (l.min < 0) { /* a min cannot lift */
        l.min = 0;
        l.scale = xq / qq;
    }
    l.error = vec_sum(vxx) - 2 * l.scale * xq + 2 * l.min * sx +
              l.scale * l.scale * qq - 2 * l.scale * l.min * q +
              n * l.min * l.min;
    return l;
}

static line best_line(const float *x, float top)
{
    float low = 0, high = x[0];
    for (int i = 0; i < SUB_BLOCK; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    line best = {.min = -low, .error = INFINITY};
    float range = high - low;
    if (!isfinite(top / range)) /* one value, or too near to it */
        return best;
    for (int t = 0; t < TRIALS; t++) {
        /* A range that is too short cuts outliers, one too long wastes the
         * last level. */
        line from = {.scale = range / (top - 1 + 0.25f * (float)t),
                     .min = -low};
        line l = fit_line(x, from, top);
        if (l.error < best.error)
            best = l;
    }
    for (int r = 0; r < REFITS && best.scale > 0; r++) {
        line l = fit_line(x, best, top);
        if (l.error < best.error)
            best = l;
    }
    return best;
}

static float error_of(const float *x, float scale, float min, float top)
{
    vec sum = {0};
    float inverse = scale > 0 ? 1 / scale : 0;
    if (!isfinite(inverse))
        inverse = 0;
    for (int i = 0; i < SUB_BLOCK; i += VEC) {
        vec v = vec_load(x + i);
        vec e = scale * levels_of(v, inverse, min, top) - min - v;
        sum += e * e;
    }
    return vec_sum(sum);
}

/* Whole numbers of one sub-block. */
typedef struct pair {
    int scale, min;
} pair;

/* The unit of eight numbers, the largest of which becomes 63. */
static uint16_t unit_of(float largest)
{
    uint16_t h = half_from_float(largest / SCALE_MAX);
    return isfinite(half_to_float(h)) ? h : 0;
}

static int whole(float x, float unit, int step)
{
    float n = unit > 0 ? roundf(x / unit) + (float)step : 0;
    return n < 0 ? 0 : n > SCALE_MAX ? SCALE_MAX : (int)n;
}

/* The pair around a line that leaves the smallest error. */
static pair fit_pair(const float *x, line l, float d, float dmin, float top)
{
    pair best = {0, 0};
    float least = INFINITY;
    for (int s = -1; s <= 1; s++)
        for (int m = -1; m <= 1; m++) {
            pair p = {whole(l.scale, d, s), whole(l.min, dmin, m)};
            float e = error_of(x, d * (float)p.scale, dmin * (float)p.min,
                               top);
            if (e < least) {
                least = e;
                best = p;
            }
        }
    return best;
}

static void pack_pairs(unsigned char *packed, const pair *p)
{
    for (int i = 0; i < 4; i++) {
        pair low = p[i], high = p[i + 4];
        packed[i] = (unsigned char)(low.scale | high.scale >> 4 << 6);
        packed[i + 4] = (unsigned char)(low.min | high.min >> 4 << 6);
        packed[i + 8] = (unsigned char)((high.scale & 15) |
                                        (high.min & 15) << 4);
    }
}

/* The head of a block, d to the packed scales, and the whole numbers q. */
static void quantize(unsigned char *block, unsigned char *q, const float *x,
                     float top)
{
    line lines[SUBS];
    pair pairs[SUBS];
    float scale = 0, min = 0;
    for (int s = 0; s < SUBS; s++) {
        lines[s] = best_line(x + SUB_BLOCK * s, top);
        scale = lines[s].scale > scale ? lines[s].scale : scale;
        min = lines[s].min > min ? lines[s].min : min;
    }
    uint16_t half[2] = {unit_of(scale), unit_of(min)};
    float d = half_to_float(half[0]), dmin = half_to_float(half[1]);
    for (int s = 0; s < SUBS; s++) {
        const float *from = x + SUB_BLOCK * s;
        pairs[s] = fit_pair(from, lines[s], d, dmin, top);
        float unit = d * (float)pairs[s].scale;
        float inverse = unit > 0 && isfinite(1 / unit) ? 1 / unit : 0;
        for (int i = 0; i < SUB_BLOCK; i += VEC) {
            vec v = levels_of(vec_load(from + i), inverse,
                              dmin * (float)pairs[s].min, top);
            for (int j = 0; j < VEC; j++)
                q[SUB_BLOCK * s + i + j] = (unsigned char)v[j];
        }
    }
    memcpy(block, half, sizeof half);
    pack_pairs(block + Q4_K_SCALES, pairs);
}

/* Low four bits: a byte holds an element of one sub-block and of the next. */
static void pack_nibbles(unsigned char *out, const unsigned char *q)
{
    for (int s = 0; s < SUBS; s += 2)
        for (int l = 0; l < SUB_BLOCK; l++)
            out[s / 2 * SUB_BLOCK + l] =
                (unsigned char)((q[SUB_BLOCK * s + l] & 15) |
                                (q[SUB_BLOCK * (s + 1) + l] & 15) << 4);
}

QUANT_BLOCK(q4_k)
{
    unsigned char q[SUPER_BLOCK];
    quantize(block, q, x, 15);
    pack_nibbles(block + Q4_K_QUANTS, q);
}

QUANT_BLOCK(q5_k)
{
    unsigned char q[SUPER_BLOCK];
    quantize(block, q, x, 31);
    for (int l = 0; l < SUB_BLOCK; l++) {
        unsigned bits = 0;
        for (int s = 0; s < SUBS; s++)
            bits |= (unsigned)(q[SUB_BLOCK * s + l] >> 4) << s;
        block[Q5_K_HIGH + l] = (unsigned char)bits;
    }
    pack_nibbles(block + Q5_K_QUANTS, q);
}
