/* check_attend.c: one head of attention: against the formula in double and
 * against the reference; and to the bit, the same keys as one run, as two
 * runs, as a wrapped ring, and with another stride. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "cpu/kernel_list.h"

/* A head: n keys and values of head_dim floats, interleaved. */
typedef struct head {
    size_t n, head_dim, stride;
    float *q, *k, *v;
    float scale;
} head;

static void exact_attend(const head *h, double *out, double *p)
{
    double most = -INFINITY, sum = 0;
    for (size_t j = 0; j < h->n; j++) {
        p[j] = 0;
        for (size_t d = 0; d < h->head_dim; d++)
            p[j] += (double)h->q[d] * h->k[j * h->stride + d];
        p[j] *= h->scale;
        most = p[j] > most ? p[j] : most;
    }
    for (size_t j = 0; j < h->n; j++)
        sum += p[j] = exp(p[j] - most);
    for (size_t d = 0; d < h->head_dim; d++) {
        out[d] = 0;
        for (size_t j = 0; j < h->n; j++)
            out[d] += p[j] / sum * h->v[j * h->stride + d];
    }
}

static void call(const kernel_table *table, float *out, const head *h,
                 kernel_run first, kernel_run second)
{
    const kernel_run run[2] = {first, second};
    float *scores = array(h->n, sizeof *scores, PLACE_END);
    table->attend(out, h->q, h->k, h->v, h->stride, run, h->head_dim,
                  h->scale, scores);
}

/* The keys as a ring that has wrapped: the oldest lie at its end. */
static void check_rings(const kernel_table *table, const head *h,
                        const float *y)
{
    size_t first = 1 + random_below(h->n), rest = h->n - first;
    size_t spare = random_below(3), stride = 2 * h->head_dim + 3;
    float *out = array(h->head_dim, sizeof *out, PLACE_END);
    call(table, out, h, (kernel_run){0, first}, (kernel_run){first, rest});
    expect_same(out, y, h->head_dim, "two runs");

    head ring = *h;
    float *cells = array((h->n + spare) * stride, sizeof *cells, PLACE_END);
    for (size_t i = 0; i < (h->n + spare) * stride; i++)
        cells[i] = NAN; /* what is not this head's must not be read */
    ring.stride = stride;
    ring.k = cells + 1;
    ring.v = cells + 1 + h->head_dim;
    for (size_t j = 0; j < h->n; j++) {
        size_t slot = j < first ? rest + spare + j : j - first;
        memcpy(ring.k + slot * stride, h->k + j * h->stride,
               h->head_dim * sizeof(float));
        memcpy(ring.v + slot * stride, h->v + j * h->stride,
               h->head_dim * sizeof(float));
    }
    call(table, out, &ring, (kernel_run){rest + spare, first},
         (kernel_run){0, rest});
    expect_same(out, y, h->head_dim, "ring");
}

static void attend_case(const kernel_table *table, size_t head_dim, size_t n,
                        float sharpness)
{
    head h = {.n = n, .head_dim = head_dim, .stride = head_dim};
    double *out = malloc(head_dim * sizeof *out), *p = malloc(n * sizeof *p);
    h.q = random_floats(head_dim, sharpness,
                        (place)random_below(PLACE_COUNT));
    h.k = random_floats(n * head_dim, 1, (place)random_below(PLACE_COUNT));
    h.v = random_floats(n * head_dim, 1, (place)random_below(PLACE_COUNT));
    h.scale = 1 / sqrtf((float)head_dim);
    if (sharpness > 100) /* all scores far below zero */
        for (size_t i = 0; i < n * head_dim; i++)
            h.k[i] -= h.q[i % head_dim] > 0 ? 1 : -1;
    float *y = array(head_dim, sizeof *y, (place)random_below(PLACE_COUNT));
    float *ref = array(head_dim, sizeof *ref, PLACE_END);
    call(table, y, &h, (kernel_run){0, n}, (kernel_run){0, 0});
    call(kernels_for(CPU_REF), ref, &h, (kernel_run){0, n},
         (kernel_run){0, 0});
    exact_attend(&h, out, p);
    /* A score's rounding grows with its size, and moves p by as much. */
    double most = KERNEL_ATTEND_TOLERANCE * (1 + sharpness);
    for (size_t d = 0; d < head_dim; d++) {
        expect_near(y[d], out[d], most, "attend", d);
        expect_near(y[d], ref[d], most, "against ref", d);
    }
    check_rings(table, &h, y);
    free(out);
    free(p);
    arrays_clear();
}

static void check_attend(const kernel_table *table, dtype type)
{
    static const size_t dims[] = {1,  3,  4,  7,  8,  15, 16, 17, 31, 32,
                                  33, 48, 64, 80, 96, 100, 128, 160, 256};
    static const size_t keys[] = {1,  2,  3,  4,  5,  7,  8,  9,
                                  15, 16, 17, 33, 63, 250};
    (void)type;
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
        for (size_t j = 0; j < sizeof keys / sizeof *keys; j++)
            attend_case(table, dims[i], keys[j], 1);
    attend_case(table, 64, 750, 1);
    attend_case(table, 128, 3000, 1);
    attend_case(table, 128, 3000, 10);
    attend_case(table, 64, 101, 300); /* all but a few p vanish */
    attend_case(table, 64, 5, 3000);
}

const check checks_attend[] = {
    {"attend", check_attend, DTYPE_COUNT},
    {NULL, NULL, DTYPE_COUNT},
};
