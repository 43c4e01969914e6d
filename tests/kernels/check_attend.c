/* check_attend.c: one head of attention: against the formula in double and
 * against the reference; and to the bit, the same keys as one run, as two
 * runs, as a wrapped ring, and with another stride. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "cpu/kernel_list.h"

/* A head: n keys and values of a type, as floats too. */
typedef struct head {
    dtype type;
    size_t n, head_dim, bytes, stride; /* bytes: of a key */
    float *q, *k, *v;                  /* what the cache holds, widened */
    unsigned char *k_cells, *v_cells;
    float scale;
} head;

/* n rows into cells of the type; the floats become what these hold. */
static unsigned char *make_cells(const kernel_table *table, const head *h,
                                 float *x)
{
    size_t element = h->type == DTYPE_F32 ? 4 : 2;
    unsigned char *cells = array(h->n * h->bytes / element, element,
                                 (place)random_below(PLACE_COUNT));
    for (size_t j = 0; j < h->n; j++) {
        unsigned char *cell = cells + j * h->bytes;
        float *row = x + j * h->head_dim;
        if (h->type == DTYPE_F32)
            memcpy(cell, row, h->bytes);
        else if (h->type == DTYPE_F16)
            table->to_f16(cell, row, h->head_dim);
        else
            table->quantize_q8_0(cell, row, h->head_dim);
        kernels_for(CPU_REF)->to_f32[h->type](row, cell, h->head_dim);
    }
    return cells;
}

static void exact_attend(const head *h, double *out, double *p)
{
    double most = -INFINITY, sum = 0;
    for (size_t j = 0; j < h->n; j++) {
        p[j] = 0;
        for (size_t d = 0; d < h->head_dim; d++)
            p[j] += (double)h->q[d] * h->k[j * h->head_dim + d];
        p[j] *= h->scale;
        most = p[j] > most ? p[j] : most;
    }
    for (size_t j = 0; j < h->n; j++)
        sum += p[j] = exp(p[j] - most);
    for (size_t d = 0; d < h->head_dim; d++) {
        out[d] = 0;
        for (size_t j = 0; j < h->n; j++)
            out[d] += p[j] / sum * h->v[j * h->head_dim + d];
    }
}

static void call(const kernel_table *table, float *out, const head *h,
                 kernel_run first, kernel_run second)
{
    const kernel_run run[2] = {first, second};
    float *scores = array(h->n, sizeof *scores, PLACE_END);
    table->attend[h->type](out, h->q, h->k_cells, h->v_cells, h->stride, run,
                           h->head_dim, h->scale, scores);
}

/* The keys as a ring that has wrapped: the oldest lie at its end. */
static void check_rings(const kernel_table *table, const head *h,
                        const float *y)
{
    size_t first = 1 + random_below(h->n), rest = h->n - first;
    size_t spare = random_below(3), gap = h->type == DTYPE_F32 ? 4 : 2;
    size_t stride = 2 * h->bytes + 3 * gap;
    float *out = array(h->head_dim, sizeof *out, PLACE_END);
    call(table, out, h, (kernel_run){0, first}, (kernel_run){first, rest});
    expect_same(out, y, h->head_dim, "two runs");

    head ring = *h;
    size_t bytes = (h->n + spare) * stride;
    unsigned char *cells = array(bytes / 2, 2, PLACE_END);
    memset(cells, 0xff, bytes); /* NaN: what is not this head's must not be
                                   read */
    ring.stride = stride;
    ring.k_cells = cells + gap;
    ring.v_cells = cells + gap + h->bytes;
    for (size_t j = 0; j < h->n; j++) {
        size_t slot = j < first ? rest + spare + j : j - first;
        memcpy(ring.k_cells + slot * stride, h->k_cells + j * h->bytes,
               h->bytes);
        memcpy(ring.v_cells + slot * stride, h->v_cells + j * h->bytes,
               h->bytes);
    }
    call(table, out, &ring, (kernel_run){rest + spare, first},
         (kernel_run){0, rest});
    expect_same(out, y, h->head_dim, "ring");
}

static void attend_case(const kernel_table *table, dtype type, size_t head_dim,
                        size_t n, float sharpness)
{
    head h = {.type = type, .n = n, .head_dim = head_dim};
    double *out = malloc(head_dim * sizeof *out), *p = malloc(n * sizeof *p);
    h.q = random_floats(head_dim, sharpness,
                        (place)random_below(PLACE_COUNT));
    h.k = random_floats(n * head_dim, 1, (place)random_below(PLACE_COUNT));
    h.v = random_floats(n * head_dim, 1, (place)random_below(PLACE_COUNT));
    h.scale = 1 / sqrtf((float)head_dim);
    if (sharpness > 100) /* all scores far below zero */
        for (size_t i = 0; i < n * head_dim; i++)
            h.k[i] -= h.q[i % head_dim] > 0 ? 1 : -1;
    dtype_row_bytes(type, head_dim, &h.bytes);
    h.stride = h.bytes;
    h.k_cells = make_cells(table, &h, h.k);
    h.v_cells = make_cells(table, &h, h.v);
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
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
        for (size_t j = 0; j < sizeof keys / sizeof *keys; j++)
            if (dims[i] % dtype_info(type)->block == 0)
                attend_case(table, type, dims[i], keys[j], 1);
    attend_case(table, type, 64, 750, 1);
    attend_case(table, type, 128, 3000, 1);
    attend_case(table, type, 128, 3000, 10);
    attend_case(table, type, 64, 101, 300); /* all but a few p vanish */
    attend_case(table, type, 64, 5, 3000);
}

/* Every length; values around the halves, the ends of their range. */
static void check_to_f16(const kernel_table *table, dtype type)
{
    (void)type;
    for (size_t i = 0; i < any_lengths_count; i++) {
        size_t n = any_lengths[i];
        float *x = random_floats(n, ldexpf(1, (int)random_below(60) - 40),
                                 (place)random_below(PLACE_COUNT));
        uint16_t *got = array(n, 2, (place)random_below(PLACE_COUNT));
        uint16_t *want = array(n, 2, PLACE_END);
        static const float special[] = {0, -0.0f, 65504, 65520, 65519.9f,
                                        INFINITY, -INFINITY, 1e-8f, 6e-8f,
                                        2049, 2051};
        for (size_t j = 0; j < n; j += 1 + random_below(9))
            x[j] = special[random_below(sizeof special / sizeof *special)];
        table->to_f16(got, x, n);
        kernels_for(CPU_REF)->to_f16(want, x, n);
        for (size_t j = 0; j < n; j++)
            expect_near(got[j], want[j], 0, "half", j);
        arrays_clear();
    }
}

const check checks_attend[] = {
    {"attend_f32", check_attend, DTYPE_F32},
    {"attend_f16", check_attend, DTYPE_F16},
    {"attend_q8_0", check_attend, DTYPE_Q8_0},
    {"to_f16", check_to_f16, DTYPE_COUNT},
    {NULL, NULL, DTYPE_COUNT},
};
