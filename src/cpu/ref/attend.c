/* attend.c: reference: one query against the keys and values of one head. */
#include <math.h>

#include "base/half.h"
#include "cpu/blocks.h"
#include "cpu/kernel_list.h"

/* Element i of a key or value. */
static float element(dtype type, const unsigned char *at, size_t i)
{
    if (type == DTYPE_F32)
        return block_float(at + i * sizeof(float));
    if (type == DTYPE_F16)
        return half_to_float(block_half(at + i * sizeof(uint16_t)));
    const unsigned char *block = block_at(at, i, SUB_BLOCK, Q8_0_BYTES);
    return half_to_float(block_half(block)) *
           (float)(int8_t)block[Q8_0_QUANTS + i % SUB_BLOCK];
}

static float dot(dtype type, const float *a, const unsigned char *b, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * element(type, b, i);
    return sum;
}

/* p = exp(s - max) / Σ exp(s - max), in place; the sum in double. */
static void softmax(float *s, size_t n)
{
    float most = s[0];
    for (size_t j = 1; j < n; j++)
        if (s[j] > most)
            most = s[j];
    double sum = 0;
    for (size_t j = 0; j < n; j++) {
        s[j] = expf(s[j] - most);
        sum += s[j];
    }
    for (size_t j = 0; j < n; j++)
        s[j] /= (float)sum;
}

static void attend(dtype type, float *out, const float *q,
                   const unsigned char *k, const unsigned char *v,
                   size_t stride, const kernel_run run[2], size_t head_dim,
                   float scale, float *scores)
{
    size_t n = 0;
    for (int i = 0; i < 2; i++)
        for (size_t j = 0; j < run[i].count; j++)
            scores[n++] = scale * dot(type, q, k + (run[i].first + j) * stride,
                                      head_dim);
    softmax(scores, n);
    for (size_t d = 0; d < head_dim; d++)
        out[d] = 0;
    const float *p = scores;
    for (int i = 0; i < 2; i++)
        for (size_t j = 0; j < run[i].count; j++, p++)
            for (size_t d = 0; d < head_dim; d++)
                out[d] += *p * element(type, v + (run[i].first + j) * stride,
                                       d);
}

#define ATTEND(type, name, unused)                                         \
    KERNEL_ATTEND(kernel_attend_##name##_ref)                              \
    {                                                                      \
        attend(DTYPE_##type, out, q, k, v, stride, run, head_dim, scale,   \
               scores);                                                    \
    }
KERNEL_CACHE_TYPES(ATTEND, )

KERNEL_TO_F16(kernel_to_f16_ref)
{
    uint16_t *to = y;
    for (size_t i = 0; i < n; i++)
        to[i] = half_from_float(x[i]);
}
