/* check_nearest.c: the nearest codebook row: the index that squared
 * distances in double give, and the lowest of equal rows. */
#include <math.h>

#include "check.h"

/* The first row of least ‖r - row‖², in long double. */
static size_t by_distance(const float *r, const float *rows, size_t n,
                          size_t dim)
{
    size_t best = 0;
    long double least = INFINITY;
    for (size_t j = 0; j < n; j++) {
        long double d = 0;
        for (size_t i = 0; i < dim; i++) {
            long double e = (long double)r[i] - rows[j * dim + i];
            d += e * e;
        }
        if (d < least) {
            least = d;
            best = j;
        }
    }
    return best;
}

static void nearest_case(const kernel_table *table, size_t n, size_t dim)
{
    float *r = random_floats(dim, 1, (place)random_below(PLACE_COUNT));
    float *rows =
        random_floats(n * dim, 1, (place)random_below(PLACE_COUNT));
    double *half_norms = array(n, sizeof *half_norms, PLACE_END);
    size_t source = random_below(n), copy = random_below(n);
    /* Every other time, two equal rows that are the nearest. */
    if (n % 2)
        for (size_t i = 0; i < dim; i++)
            rows[copy * dim + i] = rows[source * dim + i] =
                r[i] + 0.001f * random_float();
    for (size_t j = 0; j < n; j++) {
        half_norms[j] = 0;
        for (size_t i = 0; i < dim; i++)
            half_norms[j] +=
                0.5 * rows[j * dim + i] * (double)rows[j * dim + i];
    }
    int32_t got = table->nearest(r, rows, half_norms, n, dim);
    expect_near(got, (double)by_distance(r, rows, n, dim), 0, "row", n);
    arrays_clear();
}

static void check_nearest(const kernel_table *table, dtype type)
{
    (void)type;
    for (size_t dim = 1; dim <= 33; dim++)
        for (size_t n = 1; n <= 10; n++)
            nearest_case(table, n, dim);
    for (int i = 0; i < 8; i++) {
        nearest_case(table, 2048, 256);
        nearest_case(table, 2047, 256);
    }
    float r[1] = {NAN}, rows[3] = {1, 2, 3};
    double half_norms[3] = {0.5, 2, 4.5};
    expect_near(table->nearest(r, rows, half_norms, 3, 1), 0, 0, "NaN", 0);
}

const check checks_nearest[] = {
    {"nearest", check_nearest, DTYPE_COUNT},
    {NULL, NULL, DTYPE_COUNT},
};
