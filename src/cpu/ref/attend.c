/* attend.c: reference: one query against the keys and values of one head. */
#include <math.h>

#include "cpu/kernel_list.h"

static float dot(const float *a, const float *b, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
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

KERNEL_ATTEND(kernel_attend_ref)
{
    size_t n = 0;
    for (int i = 0; i < 2; i++)
        for (size_t j = 0; j < run[i].count; j++)
            scores[n++] =
                scale * dot(q, k + (run[i].first + j) * stride, head_dim);
    softmax(scores, n);
    for (size_t d = 0; d < head_dim; d++)
        out[d] = 0;
    const float *p = scores;
    for (int i = 0; i < 2; i++)
        for (size_t j = 0; j < run[i].count; j++, p++)
            for (size_t d = 0; d < head_dim; d++)
                out[d] += *p * v[(run[i].first + j) * stride + d];
}
