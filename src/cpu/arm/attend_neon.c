/* attend_neon.c: one query against the keys and values of one head, in NEON.
 *
 * Scores, each with one register of sums over head_dim, four keys at a time;
 * softmax over the list of scores; the weighted sum of the values, 8 registers
 * of head_dim at a time, each adding one key after another. Where the first run
 * ends and the second begins changes nothing. */
#include "cpu/arm/vector_neon.h"

#include <math.h>

#include "cpu/kernel_list.h"

/* s[j] = scale q · key j, for `keys` keys. */
INLINE void score(const int keys, float *s, const float *q, const float *k,
                  size_t stride, size_t head_dim, float scale)
{
    vec sum[4];
    size_t d = 0;
    for (int j = 0; j < keys; j++)
        sum[j] = vec_zero();
    for (; d + LANES <= head_dim; d += LANES) {
        vec v = vec_load(q + d);
#pragma GCC unroll 4
        for (int j = 0; j < keys; j++)
            sum[j] = vec_fma(v, vec_load(k + (size_t)j * stride + d), sum[j]);
    }
    if (d < head_dim) {
        vec_mask m = vec_first(head_dim - d);
        vec v = vec_load_first(q + d, m);
#pragma GCC unroll 4
        for (int j = 0; j < keys; j++)
            sum[j] = vec_fma(v, vec_load_first(k + (size_t)j * stride + d, m),
                             sum[j]);
    }
    for (int j = 0; j < keys; j++)
        s[j] = scale * vec_sum(sum[j]);
}

INLINE void score_run(float *s, const float *q, const float *k, size_t stride,
                      size_t n, size_t head_dim, float scale)
{
    size_t j = 0;
    for (; j + 4 <= n; j += 4)
        score(4, s + j, q, k + j * stride, stride, head_dim, scale);
    for (; j < n; j++)
        score(1, s + j, q, k + j * stride, stride, head_dim, scale);
}

INLINE void softmax(float *s, size_t n)
{
    float most = -INFINITY;
    for (size_t j = 0; j < n; j++)
        most = s[j] > most ? s[j] : most;
    vec top = vec_set1(most), sum = vec_zero();
    for (size_t j = 0; j < n; j += LANES) {
        vec_mask m = vec_first(n - j < LANES ? n - j : LANES);
        vec e = vec_exp(vec_sub(vec_load_first(s + j, m), top));
        vec_store_first(s + j, e, m);
        sum = vec_add(sum, vec_keep(e, m));
    }
    float total = vec_sum(sum);
    for (size_t j = 0; j < n; j++)
        s[j] /= total;
}

/* out[0 … n - 1] = Σ p_j v_j over both runs; V registers hold n elements, the
 * last of them perhaps in part. */
INLINE void mix(const int V, float *out, const float *p, const float *v,
                size_t stride, const kernel_run run[2], size_t n)
{
    vec sum[8];
    vec_mask last = vec_first(n - (size_t)(V - 1) * LANES);
    for (int i = 0; i < V; i++)
        sum[i] = vec_zero();
    for (int part = 0; part < 2; part++) {
        const float *value = v + run[part].first * stride;
        for (size_t j = 0; j < run[part].count; j++, value += stride) {
            vec weight = vec_set1(*p++);
#pragma GCC unroll 8
            for (int i = 0; i < V; i++) {
                const float *at = value + i * LANES;
                sum[i] = vec_fma(weight, V == 1 && last < LANES
                                             ? vec_load_first(at, last)
                                             : vec_load(at), sum[i]);
            }
        }
    }
    for (int i = 0; i < V; i++)
        vec_store_first(out + i * LANES, sum[i], V == 1 ? last : LANES);
}

KERNEL_ATTEND(KERNEL(attend))
{
    size_t d = 0;
    score_run(scores, q, k + run[0].first * stride, stride, run[0].count,
              head_dim, scale);
    score_run(scores + run[0].count, q, k + run[1].first * stride, stride,
              run[1].count, head_dim, scale);
    softmax(scores, run[0].count + run[1].count);
    for (; d + 8 * LANES <= head_dim; d += 8 * LANES)
        mix(8, out + d, scores, v + d, stride, run, 8 * LANES);
    for (; d + LANES <= head_dim; d += LANES)
        mix(1, out + d, scores, v + d, stride, run, LANES);
    if (d < head_dim)
        mix(1, out + d, scores, v + d, stride, run, head_dim - d);
}
