/* attend_body.h: one query against the keys and values of one head, in the
 * words of a vector header.
 *
 * Three passes: scores, each with one register of sums over head_dim, four
 * keys at a time; softmax over the list of scores; the weighted sum of the
 * values, up to 8 registers of head_dim at a time, each adding one key after
 * another. Where the first run ends and the second begins changes nothing. */
#ifndef MOSHI_CPU_X86_ATTEND_BODY_H
#define MOSHI_CPU_X86_ATTEND_BODY_H

#include <math.h>

#include "cpu/kernel_list.h"

#define KEYS_AT_ONCE 4

/* sum[j] = lanes of q · key j */
INLINE void key_sums(const int keys, vec *sum, const float *q,
                     const float *k, size_t stride, size_t head_dim)
{
    size_t d = 0, rest = head_dim % LANES;
    for (int j = 0; j < keys; j++)
        sum[j] = vec_zero();
    for (; d < head_dim - rest; d += LANES) {
        vec v = vec_load(q + d);
#pragma GCC unroll 4
        for (int j = 0; j < keys; j++)
            sum[j] = vec_fma(v, vec_load(k + j * stride + d), sum[j]);
    }
    if (rest) {
        vec_mask m = vec_first(rest);
        vec v = vec_load_first(q + d, m);
#pragma GCC unroll 4
        for (int j = 0; j < keys; j++)
            sum[j] = vec_fma(v, vec_load_first(k + j * stride + d, m),
                             sum[j]);
    }
}

/* The scores of `n` keys from k on. */
INLINE void score_run(float *scores, const float *q, const float *k,
                      size_t stride, size_t n, size_t head_dim, float scale)
{
    vec sum[KEYS_AT_ONCE];
    size_t j = 0;
    for (; j + KEYS_AT_ONCE <= n; j += KEYS_AT_ONCE) {
        key_sums(KEYS_AT_ONCE, sum, q, k + j * stride, stride, head_dim);
        __m128 s = vec_sum4(sum[0], sum[1], sum[2], sum[3]);
        _mm_storeu_ps(scores + j, _mm_mul_ps(_mm_set1_ps(scale), s));
    }
    for (; j < n; j++) {
        key_sums(1, sum, q, k + j * stride, stride, head_dim);
        scores[j] = scale * vec_sum(sum[0]);
    }
}

INLINE float largest(const float *s, size_t n)
{
    vec most = vec_set1(-INFINITY);
    size_t j = 0;
    for (; j + LANES <= n; j += LANES)
        most = vec_max(most, vec_load(s + j));
    if (j < n) {
        vec_mask m = vec_first(n - j);
        most = vec_max(most,
                       vec_select(m, vec_load_first(s + j, m), most));
    }
    return vec_most(most);
}

INLINE void softmax(float *s, size_t n)
{
    vec most = vec_set1(largest(s, n)), sum = vec_zero();
    size_t j = 0, rest = n % LANES;
    vec_mask m = vec_first(rest);
    for (; j < n - rest; j += LANES) {
        vec e = vec_exp(vec_sub(vec_load(s + j), most));
        vec_store(s + j, e);
        sum = vec_add(sum, e);
    }
    if (rest) {
        vec e = vec_exp(vec_sub(vec_load_first(s + j, m), most));
        vec_store_first(s + j, e, m);
        sum = vec_add(sum, vec_keep(e, m));
    }
    vec total = vec_set1(vec_sum(sum));
    for (j = 0; j < n - rest; j += LANES)
        vec_store(s + j, vec_div(vec_load(s + j), total));
    if (rest)
        vec_store_first(s + j, vec_div(vec_load_first(s + j, m), total), m);
}

/* out[0 … V LANES - 1] = Σ p_j v_j over both runs. */
INLINE void mix(const int V, float *out, const float *p, const float *v,
                size_t stride, const kernel_run run[2])
{
    vec sum[8];
    for (int i = 0; i < V; i++)
        sum[i] = vec_zero();
    for (int part = 0; part < 2; part++) {
        const float *value = v + run[part].first * stride;
        for (size_t j = 0; j < run[part].count; j++, value += stride) {
            vec weight = vec_set1(*p++);
#pragma GCC unroll 8
            for (int i = 0; i < V; i++)
                sum[i] = vec_fma(weight, vec_load(value + i * LANES),
                                 sum[i]);
        }
    }
    for (int i = 0; i < V; i++)
        vec_store(out + i * LANES, sum[i]);
}

/* The same for the last n < LANES elements. */
INLINE void mix_first(float *out, const float *p, const float *v,
                      size_t stride, const kernel_run run[2], size_t n)
{
    vec_mask m = vec_first(n);
    vec sum = vec_zero();
    for (int part = 0; part < 2; part++) {
        const float *value = v + run[part].first * stride;
        for (size_t j = 0; j < run[part].count; j++, value += stride)
            sum = vec_fma(vec_set1(*p++), vec_load_first(value, m), sum);
    }
    vec_store_first(out, sum, m);
}

KERNEL_ATTEND(KERNEL(attend))
{
    score_run(scores, q, k + run[0].first * stride, stride, run[0].count,
              head_dim, scale);
    score_run(scores + run[0].count, q, k + run[1].first * stride, stride,
              run[1].count, head_dim, scale);
    softmax(scores, run[0].count + run[1].count);
    size_t d = 0;
    for (; d + 8 * LANES <= head_dim; d += 8 * LANES)
        mix(8, out + d, scores, v + d, stride, run);
    for (; d + 4 * LANES <= head_dim; d += 4 * LANES)
        mix(4, out + d, scores, v + d, stride, run);
    for (; d + LANES <= head_dim; d += LANES)
        mix(1, out + d, scores, v + d, stride, run);
    if (d < head_dim)
        mix_first(out + d, scores, v + d, stride, run, head_dim - d);
}

#endif
