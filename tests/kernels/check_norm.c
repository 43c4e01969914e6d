/* check_norm.c: the two normalisations, against the formula in double and,
 * in place, against themselves. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "cpu/kernel_list.h"

#define EPS 1e-5f

static double mean_of(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

/* 1 / sqrt(mean((x - center)²) + eps) */
static double factor_of(const float *x, size_t n, double center)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - center) * (x[i] - center);
    return 1 / sqrt(sum / (double)n + (double)EPS);
}

static void rms_case(const kernel_table *table, size_t n, float scale)
{
    float *x = random_floats(n, scale, (place)random_below(PLACE_COUNT));
    float *alpha = random_floats(n, 2, (place)random_below(PLACE_COUNT));
    float *y = array(n, sizeof *y, (place)random_below(PLACE_COUNT));
    float *ref = array(n, sizeof *ref, PLACE_END);
    double factor = factor_of(x, n, 0);
    table->rms_norm(y, x, alpha, n, EPS);
    kernels_for(CPU_REF)->rms_norm(ref, x, alpha, n, EPS);
    for (size_t i = 0; i < n; i++) {
        double want = x[i] * factor * alpha[i];
        double most = fabs(want) * KERNEL_NORM_TOLERANCE;
        expect_near(y[i], want, most, "rms_norm", i);
        expect_near(y[i], ref[i], most, "against ref", i);
    }
    table->rms_norm(x, x, alpha, n, EPS);
    expect_same(x, y, n, "in place");
    arrays_clear();
}

static void layer_case(const kernel_table *table, size_t n, float offset)
{
    float *x = random_floats(n, 1, (place)random_below(PLACE_COUNT));
    float *weight = random_floats(n, 2, (place)random_below(PLACE_COUNT));
    float *bias = random_floats(n, 2, (place)random_below(PLACE_COUNT));
    float *y = array(n, sizeof *y, (place)random_below(PLACE_COUNT));
    float *ref = array(n, sizeof *ref, PLACE_END);
    for (size_t i = 0; i < n; i++)
        x[i] += offset;
    double mean = mean_of(x, n), factor = factor_of(x, n, mean);
    table->layer_norm(y, x, weight, bias, n, EPS);
    kernels_for(CPU_REF)->layer_norm(ref, x, weight, bias, n, EPS);
    for (size_t i = 0; i < n; i++) {
        double gain = factor * weight[i];
        double want = (x[i] - mean) * gain + bias[i];
        double size = fabs((x[i] - mean) * gain) + fabsf(bias[i]);
        double most = size * KERNEL_NORM_TOLERANCE;
        /* The mean itself is rounded to float before it is subtracted. */
        double rounding = fabs(offset * 6e-8 * gain);
        expect_near(y[i], want, most + rounding, "layer_norm", i);
        expect_near(y[i], ref[i], most + rounding, "against ref", i);
    }
    table->layer_norm(x, x, weight, bias, n, EPS);
    expect_same(x, y, n, "in place");
    arrays_clear();
}

static void check_rms_norm(const kernel_table *table, dtype type)
{
    (void)type;
    for (size_t i = 0; i < any_lengths_count; i++)
        rms_case(table, any_lengths[i], 1);
    rms_case(table, 4096, 1e-6f);
    rms_case(table, 4096, 1e18f); /* its squares overflow a float sum */
    rms_case(table, 4097, 1e-20f);
}

static void check_layer_norm(const kernel_table *table, dtype type)
{
    (void)type;
    for (size_t i = 0; i < any_lengths_count; i++)
        layer_case(table, any_lengths[i], 0);
    layer_case(table, 512, 100);
    layer_case(table, 515, -1000);
}

const check checks_norm[] = {
    {"rms_norm", check_rms_norm, DTYPE_COUNT},
    {"layer_norm", check_layer_norm, DTYPE_COUNT},
    {NULL, NULL, DTYPE_COUNT},
};
