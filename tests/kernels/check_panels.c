/* check_panels.c: products with weights in panels.
 *
 * Panels are made from floats; the products are held against sums in double
 * (the reference) and against the reference (the others), then, within one
 * level, to the bit against themselves cut in other ways. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "cpu/kernel_list.h"
#include "plan/panels.h"

#define COLUMNS_MAX 27

typedef struct product {
    kernel_panels *kernel;
    dtype type;
    size_t K, N, columns;
    void *w;
    float *bias;
    const float *x[COLUMNS_MAX];
    float *y[COLUMNS_MAX];
} product;

static void call(const product *p, kernel_panels *kernel, float *const *y,
                 size_t first, size_t columns, size_t panel0, size_t panel1)
{
    kernel(y, p->x + first, columns, p->w, p->K, p->N, p->bias, panel0,
           panel1);
}

static void *make_panels(dtype type, size_t N, size_t K)
{
    size_t bytes = panel_bytes(type, K), all = panels_of(N);
    unsigned char *w = array(all * bytes, 1, PLACE_END);
    for (size_t p = 0; p < all; p++)
        for (size_t k = 0; k < K; k += 32) {
            float values[32][PANEL_ROWS];
            size_t n = K - k < 32 ? K - k : 32;
            for (size_t i = 0; i < n; i++)
                for (size_t r = 0; r < PANEL_ROWS; r++)
                    values[i][r] = p * PANEL_ROWS + r < N ? random_float() : 0;
            panel_put(w + p * bytes, type, k, n, values);
        }
    return w;
}

/* Any columns and any panels, alone: the same bits, and nothing else written. */
static void check_part(const product *p, size_t first, size_t columns,
                       size_t panel0, size_t panel1)
{
    char what[96];
    float *y[COLUMNS_MAX] = {NULL};
    size_t row0 = panel0 * PANEL_ROWS, row1 = panel1 * PANEL_ROWS;
    row0 = row0 < p->N ? row0 : p->N;
    row1 = row1 < p->N ? row1 : p->N;
    for (size_t c = 0; c < columns; c++)
        y[c] = array(p->N, sizeof *y[c], (place)random_below(PLACE_COUNT));
    call(p, p->kernel, y, first, columns, panel0, panel1);
    snprintf(what, sizeof what, "K %zu, N %zu, columns %zu+%zu, panels "
             "%zu-%zu", p->K, p->N, first, columns, panel0, panel1);
    for (size_t c = 0; c < columns; c++) {
        expect_same(y[c] + row0, p->y[first + c] + row0, row1 - row0, what);
        if (!array_untouched(y[c], row0 * sizeof *y[c]) ||
            !array_untouched(y[c] + row1, (p->N - row1) * sizeof *y[c]))
            fail("%s: wrote outside the rows", what);
    }
}

/* Weight (row, k) back from its panel, by the words of plan/panels.h. */
static double weight(const product *p, size_t row, size_t k)
{
    const unsigned char *panel = (const unsigned char *)p->w +
                                 row / PANEL_ROWS * panel_bytes(p->type, p->K);
    size_t r = row % PANEL_ROWS;
    float f[PANEL_ROWS];
    if (p->type == DTYPE_Q8_0) {
        const unsigned char *group = panel + k / 32 * 34 * PANEL_ROWS;
        kernels_for(CPU_REF)->to_f32[DTYPE_F16](f, group, PANEL_ROWS);
        return (double)f[r] *
               (signed char)group[2 * PANEL_ROWS + k % 32 * PANEL_ROWS + r];
    }
    size_t bytes = PANEL_ROWS * dtype_info(p->type)->bytes;
    kernels_for(CPU_REF)->to_f32[p->type](f, panel + k * bytes, PANEL_ROWS);
    return f[r];
}

static void check_values(const product *p, bool is_ref)
{
    float *ref[COLUMNS_MAX];
    for (size_t c = 0; c < p->columns; c++)
        ref[c] = array(p->N, sizeof *ref[c], PLACE_END);
    call(p, kernels_for(CPU_REF)->panels[p->type], ref, 0, p->columns, 0,
         panels_of(p->N));
    for (size_t r = 0; r < p->N; r++)
        for (size_t c = 0; c < p->columns; c++) {
            double sum = p->bias ? p->bias[r] : 0, size = fabs(sum);
            for (size_t k = 0; k < p->K; k++) {
                double term = weight(p, r, k) * p->x[c][k];
                sum += term;
                size += fabs(term);
            }
            expect_near(p->y[c][r], is_ref ? sum : ref[c][r],
                        size * KERNEL_LINEAR_TOLERANCE, "row", r);
        }
}

static void panels_case(const kernel_table *table, dtype type, size_t N,
                        size_t K, size_t columns)
{
    product p = {.kernel = table->panels[type], .type = type, .K = K, .N = N,
                 .columns = columns};
    size_t all = panels_of(N);
    p.w = make_panels(type, N, K);
    for (size_t c = 0; c < columns; c++) {
        p.x[c] = random_floats(K, 1, (place)random_below(PLACE_COUNT));
        p.y[c] = array(N, sizeof(float), PLACE_END);
    }
    if (random_below(2))
        p.bias = random_floats(N, 1, (place)random_below(PLACE_COUNT));
    call(&p, p.kernel, p.y, 0, columns, 0, all);
    check_values(&p, table->level == CPU_REF);
    for (size_t c = 0; c < columns; c++)
        check_part(&p, c, 1, 0, all);
    for (int i = 0; i < 4; i++) {
        size_t panel0 = random_below(all + 1);
        size_t panel1 = panel0 + random_below(all - panel0 + 1);
        size_t n = 1 + random_below(columns);
        check_part(&p, random_below(columns - n + 1), n, panel0, panel1);
    }
    arrays_clear();
}

static void check_panels(const kernel_table *table, dtype type)
{
    size_t unit = type == DTYPE_Q8_0 ? 32 : 1;
    for (size_t columns = 1; columns <= COLUMNS_MAX; columns++)
        panels_case(table, type, 1 + random_below(100), 64, columns);
    for (size_t K = 0; K <= 8; K++)
        panels_case(table, type, 33, K * unit, 3);
    panels_case(table, type, 16, 512, 2);
    panels_case(table, type, 64, 544, 2);
    panels_case(table, type, 81, 1024, 13);
    panels_case(table, type, 9, 8192, 2);
}

const check checks_panels[] = {
    {"panels_f32", check_panels, DTYPE_F32},
    {"panels_bf16", check_panels, DTYPE_BF16},
    {"panels_q8_0", check_panels, DTYPE_Q8_0},
    {NULL, NULL, DTYPE_COUNT},
};
