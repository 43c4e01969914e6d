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
#include <stdbool.h>

#include "base/dtype.h"
#include "cpu/blocks.h"
#include "cpu/kernel_list.h"
#include "cpu/x86/ahead.h"

#define KEYS_AT_ONCE 4

/* Elements i … i + LANES - 1 of a key or value. */
INLINE vec cache_load(const dtype type, const unsigned char *at, size_t i)
{
    if (type == DTYPE_F32)
        return vec_load((const float *)at + i);
    if (type == DTYPE_F16)
        return vec_load_f16(at + 2 * i);
    const unsigned char *block = block_at(at, i, SUB_BLOCK, Q8_0_BYTES);
    vec d = vec_set1(_mm_cvtss_f32(
        _mm_cvtph_ps(_mm_cvtsi32_si128(block_half(block)))));
    return vec_mul(d, vec_load_bytes(block + Q8_0_QUANTS + i % SUB_BLOCK));
}

/* The last n < LANES elements, from i on; Q8_0 has none. */
INLINE vec cache_load_first(const dtype type, const unsigned char *at,
                            size_t i, size_t n)
{
    if (type == DTYPE_F32)
        return vec_load_first((const float *)at + i, vec_first(n));
    return vec_load_f16_first(at + 2 * i, n);
}

INLINE size_t cache_bytes(const dtype type, size_t elements)
{
    return type == DTYPE_F32   ? 4 * elements
           : type == DTYPE_F16 ? 2 * elements
                               : elements / SUB_BLOCK * Q8_0_BYTES;
}

/* Is a cache of that type fetched ahead? What gained (docs/SPEED.md, where to
 * prefetch): halves in registers of 16 already come as fast as they can, and
 * Q8_0 is bound by its arithmetic. */
INLINE bool cache_ahead(const dtype type)
{
    return type == DTYPE_F32 || (type == DTYPE_F16 && LANES == 8);
}

/* Elements d … d + n - 1 of the key or value that is read some keys later, if
 * they lie one behind the other as far as that. */
INLINE void cache_fetch(const dtype type, const unsigned char *at, size_t d,
                        size_t n)
{
    if (!cache_ahead(type))
        return;
    const char *from = (const char *)at + cache_bytes(type, d) + AHEAD_BYTES;
    for (size_t i = 0; i < cache_bytes(type, n); i += 64)
        __builtin_prefetch(from + i, 0, 2);
}

/* sum[j] = lanes of q · key j */
INLINE void key_sums(const dtype type, const int keys, vec *sum,
                     const float *q, const unsigned char *k, size_t stride,
                     size_t head_dim)
{
    size_t d = 0, rest = head_dim % LANES;
    for (int j = 0; j < keys; j++)
        sum[j] = vec_zero();
    for (; d < head_dim - rest; d += LANES) {
        vec v = vec_load(q + d);
#pragma GCC unroll 4
        for (int j = 0; j < keys; j++)
            sum[j] = vec_fma(v, cache_load(type, k + j * stride, d), sum[j]);
    }
    if (rest && type != DTYPE_Q8_0) {
        vec v = vec_load_first(q + d, vec_first(rest));
#pragma GCC unroll 4
        for (int j = 0; j < keys; j++)
            sum[j] = vec_fma(
                v, cache_load_first(type, k + j * stride, d, rest), sum[j]);
    }
}

/* The scores of `n` keys from k on. */
INLINE void score_run(const dtype type, float *scores, const float *q,
                      const unsigned char *k, size_t stride, size_t n,
                      size_t head_dim, float scale)
{
    vec sum[KEYS_AT_ONCE];
    size_t j = 0;
    for (; j + KEYS_AT_ONCE <= n; j += KEYS_AT_ONCE) {
        cache_fetch(type, k + j * stride, 0, KEYS_AT_ONCE * head_dim);
        key_sums(type, KEYS_AT_ONCE, sum, q, k + j * stride, stride,
                 head_dim);
        __m128 s = vec_sum4(sum[0], sum[1], sum[2], sum[3]);
        _mm_storeu_ps(scores + j, _mm_mul_ps(_mm_set1_ps(scale), s));
    }
    for (; j < n; j++) {
        key_sums(type, 1, sum, q, k + j * stride, stride, head_dim);
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

/* out[d … d + V LANES - 1] = Σ p_j v_j over both runs. */
INLINE void mix(const dtype type, const int V, float *out, const float *p,
                const unsigned char *v, size_t stride,
                const kernel_run run[2], size_t d)
{
    vec sum[8];
    for (int i = 0; i < V; i++)
        sum[i] = vec_zero();
    for (int part = 0; part < 2; part++) {
        const unsigned char *value = v + run[part].first * stride;
        for (size_t j = 0; j < run[part].count; j++, value += stride) {
            vec weight = vec_set1(*p++);
            cache_fetch(type, value, d, (size_t)V * LANES);
#pragma GCC unroll 8
            for (int i = 0; i < V; i++)
                sum[i] = vec_fma(weight,
                                 cache_load(type, value, d + i * LANES),
                                 sum[i]);
        }
    }
    for (int i = 0; i < V; i++)
        vec_store(out + d + i * LANES, sum[i]);
}

/* The same for the last n < LANES elements. */
INLINE void mix_first(const dtype type, float *out, const float *p,
                      const unsigned char *v, size_t stride,
                      const kernel_run run[2], size_t d, size_t n)
{
    vec sum = vec_zero();
    for (int part = 0; part < 2; part++) {
        const unsigned char *value = v + run[part].first * stride;
        for (size_t j = 0; j < run[part].count; j++, value += stride)
            sum = vec_fma(vec_set1(*p++), cache_load_first(type, value, d, n),
                          sum);
    }
    vec_store_first(out + d, sum, vec_first(n));
}

INLINE void attend(const dtype type, float *out, const float *q,
                   const unsigned char *k, const unsigned char *v,
                   size_t stride, const kernel_run run[2], size_t head_dim,
                   float scale, float *scores)
{
    score_run(type, scores, q, k + run[0].first * stride, stride,
              run[0].count, head_dim, scale);
    score_run(type, scores + run[0].count, q, k + run[1].first * stride,
              stride, run[1].count, head_dim, scale);
    softmax(scores, run[0].count + run[1].count);
    size_t d = 0;
    for (; d + 8 * LANES <= head_dim; d += 8 * LANES)
        mix(type, 8, out, scores, v, stride, run, d);
    for (; d + 4 * LANES <= head_dim; d += 4 * LANES)
        mix(type, 4, out, scores, v, stride, run, d);
    for (; d + LANES <= head_dim; d += LANES)
        mix(type, 1, out, scores, v, stride, run, d);
    if (d < head_dim && type != DTYPE_Q8_0)
        mix_first(type, out, scores, v, stride, run, d, head_dim - d);
}

#define ATTEND(type, name, unused)                                        \
    KERNEL_ATTEND(KERNEL(attend_##name))                                  \
    {                                                                     \
        attend(DTYPE_##type, out, q, k, v, stride, run, head_dim, scale,  \
               scores);                                                   \
    }
KERNEL_CACHE_TYPES(ATTEND, )

/* The last ones by way of the stack. */
KERNEL_TO_F16(KERNEL(to_f16))
{
    unsigned char *to = y;
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm_storeu_si128((__m128i *)(to + 2 * i),
                         _mm256_cvtps_ph(_mm256_loadu_ps(x + i),
                                         _MM_FROUND_TO_NEAREST_INT));
    if (i == n)
        return;
    float last[8] = {0};
    uint16_t halves[8];
    memcpy(last, x + i, (n - i) * sizeof *last);
    _mm_storeu_si128((__m128i *)halves,
                     _mm256_cvtps_ph(_mm256_loadu_ps(last),
                                     _MM_FROUND_TO_NEAREST_INT));
    memcpy(to + 2 * i, halves, (n - i) * sizeof *halves);
}

#endif
