/* attend_neon.c: one query against the keys and values of one head, in NEON.
 *
 * Scores, each with one register of sums over head_dim, four keys at a time;
 * softmax over the list of scores; the weighted sum of the values, 8 registers
 * of head_dim at a time, each adding one key after another. Where the first run
 * ends and the second begins changes nothing. */
#include "cpu/arm/vector_neon.h"

#include <math.h>

#include "base/dtype.h"
#include "cpu/blocks.h"
#include "cpu/kernel_list.h"

/* Elements i … i + LANES - 1 of a key or value. */
INLINE vec cache_load(const dtype type, const unsigned char *at, size_t i)
{
    if (type == DTYPE_F32)
        return vec_load_f32(at + 4 * i);
    if (type == DTYPE_F16)
        return vec_load_f16(at + 2 * i);
    const unsigned char *block = block_at(at, i, SUB_BLOCK, Q8_0_BYTES);
    float d = vgetq_lane_f32(
        vec_from_f16(vdup_n_u16(block_half(block))), 0);
    return vec_mul(vec_set1(d),
                   vec_load_bytes(block + Q8_0_QUANTS + i % SUB_BLOCK));
}

/* The last n < LANES elements, from i on; Q8_0 has none. */
INLINE vec cache_load_first(const dtype type, const unsigned char *at,
                            size_t i, size_t n)
{
    if (type == DTYPE_F32)
        return vec_load_first(at + 4 * i, n);
    return vec_load_f16_first(at + 2 * i, n);
}

/* s[j] = scale q · key j, for `keys` keys. */
INLINE void score(const dtype type, const int keys, float *s, const float *q,
                  const unsigned char *k, size_t stride, size_t head_dim, float scale)
{
    vec sum[4];
    size_t d = 0;
    for (int j = 0; j < keys; j++)
        sum[j] = vec_zero();
    for (; d + LANES <= head_dim; d += LANES) {
        vec v = vec_load(q + d);
#pragma GCC unroll 4
        for (int j = 0; j < keys; j++)
            sum[j] = vec_fma(v, cache_load(type, k + (size_t)j * stride, d),
                             sum[j]);
    }
    if (d < head_dim && type != DTYPE_Q8_0) {
        vec_mask m = vec_first(head_dim - d);
        vec v = vec_load_first(q + d, m);
#pragma GCC unroll 4
        for (int j = 0; j < keys; j++)
            sum[j] = vec_fma(
                v, cache_load_first(type, k + (size_t)j * stride, d, m),
                sum[j]);
    }
    for (int j = 0; j < keys; j++)
        s[j] = scale * vec_sum(sum[j]);
}

INLINE void score_run(const dtype type, float *s, const float *q,
                      const unsigned char *k, size_t stride, size_t n, size_t head_dim, float scale)
{
    size_t j = 0;
    for (; j + 4 <= n; j += 4)
        score(type, 4, s + j, q, k + j * stride, stride, head_dim, scale);
    for (; j < n; j++)
        score(type, 1, s + j, q, k + j * stride, stride, head_dim, scale);
}

INLINE void softmax(float *s, size_t n)
{
    float most = -INFINITY;
    for (size_t j = 0; j < n; j++)
        most = s[j] > most ? s[j] : most;
    vec top = vec_set1(most), sum = vec_zero();
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vec e = vec_exp(vec_sub(vec_load(s + i), top));
        vec_store(s + i, e);
        sum = vec_add(sum, e);
    }
    if (i < n) {
        vec_mask m = vec_first(n - i);
        vec e = vec_exp(vec_sub(vec_load_first(s + i, m), top));
        vec_store_first(s + i, e, m);
        sum = vec_add(sum, vec_keep(e, m));
    }
    float total = vec_sum(sum);
    for (size_t j = 0; j < n; j++)
        s[j] /= total;
}

/* out[d … d + n - 1] = Σ p_j v_j over both runs; V registers hold n elements,
 * the last of them perhaps in part. */
INLINE void mix(const dtype type, const int V, float *out, const float *p,
                const unsigned char *v, size_t stride,
                const kernel_run run[2], size_t d, size_t n)
{
    vec sum[8];
    vec_mask last = vec_first(n - (size_t)(V - 1) * LANES);
    for (int i = 0; i < V; i++)
        sum[i] = vec_zero();
    for (int part = 0; part < 2; part++) {
        const unsigned char *value = v + run[part].first * stride;
        for (size_t j = 0; j < run[part].count; j++, value += stride) {
            vec weight = vec_set1(*p++);
#pragma GCC unroll 8
            for (int i = 0; i < V; i++) {
                size_t at = d + (size_t)i * LANES;
                sum[i] = vec_fma(
                    weight, V == 1 && last < LANES && type != DTYPE_Q8_0
                                ? cache_load_first(type, value, at, last)
                                : cache_load(type, value, at), sum[i]);
            }
        }
    }
    for (int i = 0; i < V; i++)
        vec_store_first(out + d + i * LANES, sum[i], V == 1 ? last : LANES);
}

INLINE void attend(const dtype type, float *out, const float *q,
                   const unsigned char *k, const unsigned char *v,
                   size_t stride, const kernel_run run[2], size_t head_dim,
                   float scale, float *scores)
{
    size_t d = 0;
    score_run(type, scores, q, k + run[0].first * stride, stride,
              run[0].count, head_dim, scale);
    score_run(type, scores + run[0].count, q, k + run[1].first * stride,
              stride, run[1].count, head_dim, scale);
    softmax(scores, run[0].count + run[1].count);
    for (; d + 8 * LANES <= head_dim; d += 8 * LANES)
        mix(type, 8, out, scores, v, stride, run, d, 8 * LANES);
    for (; d + LANES <= head_dim; d += LANES)
        mix(type, 1, out, scores, v, stride, run, d, LANES);
    if (d < head_dim)
        mix(type, 1, out, scores, v, stride, run, d, head_dim - d);
}

#define ATTEND(type, name, unused)                                        \
    KERNEL_ATTEND(KERNEL(attend_##name))                                  \
    {                                                                     \
        attend(DTYPE_##type, out, q, k, v, stride, run, head_dim, scale,  \
               scores);                                                   \
    }
KERNEL_CACHE_TYPES(ATTEND, )

/* Four halves, at any address. */
INLINE void halves_store(unsigned char *to, vec v)
{
    vst1_u8(to, vreinterpret_u8_f16(vcvt_f16_f32(v)));
}

KERNEL_TO_F16(KERNEL(to_f16))
{
    unsigned char *to = y, last[2 * LANES];
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        halves_store(to + 2 * i, vec_load(x + i));
    if (i < n) {
        halves_store(last, vec_load_first(x + i, vec_first(n - i)));
        memcpy(to + 2 * i, last, 2 * (n - i));
    }
}
