/* check_pointwise.c: functions of single elements: the reference against the
 * same formula in double, other levels against the reference; one element
 * alone has the bits it has among others; in place gives the same. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "cpu/kernel_list.h"

/* Values at which exponentials, masks and signs can go wrong. */
static const float corners[] = {
    0,      -0.0f,   1,       -1,     1e-8f,    -1e-8f,  1e-40f, -1e-40f,
    0.5f,   -0.5f,   3,       -3,     5.9f,     -5.9f,   6.1f,   -6.1f,
    8,      -8,      17,      -17,    33,       -33,     87,     -87,
    88.5f,  -88.5f,  88.9f,   -88.9f, 103,      -103,    105,    -105,
    1e4f,   -1e4f,   3e38f,   -3e38f, INFINITY, -INFINITY, NAN,  2,
};
#define N_CORNERS (sizeof corners / sizeof *corners)

/* Points of a sweep that is finer than the polynomials wiggle. */
#define SWEEP 100000

typedef struct function {
    kernel_pointwise *kernel, *ref;
    double (*exact)(double x);
    double (*most)(double x); /* tolerance at x */
    const char *name;
} function;

static double elu(double x)
{
    return x > 0 ? x : expm1(x);
}

static double elu_most(double x)
{
    return x > 0 ? 0 : KERNEL_ELU_TOLERANCE;
}

static double gelu(double x)
{
    return x / 2 * erfc(-x * M_SQRT1_2);
}

static double gelu_most(double x)
{
    return fabs(x) * KERNEL_GELU_TOLERANCE;
}

static void check_values(const function *f, const float *x, const float *y,
                         size_t n)
{
    float *ref = array(n, sizeof *ref, PLACE_END);
    f->ref(ref, x, n);
    for (size_t i = 0; i < n; i++) {
        if (isinf(x[i]))
            continue; /* the reference alone says what infinity gives */
        expect_near(y[i], f->exact(x[i]), f->most(x[i]), f->name, i);
    }
    for (size_t i = 0; i < n; i++)
        expect_near(y[i], ref[i], f->most(x[i]), "against ref", i);
}

static void pointwise_case(const function *f, const float *x, size_t n)
{
    float *y = array(n, sizeof *y, (place)random_below(PLACE_COUNT));
    f->kernel(y, x, n);
    check_values(f, x, y, n);
    for (size_t i = 0; i < n; i++) {
        float one;
        f->kernel(&one, x + i, 1);
        if (!expect_same(&one, y + i, 1, "alone"))
            break;
    }
    float *same = array(n, sizeof *same, (place)random_below(PLACE_COUNT));
    memcpy(same, x, n * sizeof *same);
    f->kernel(same, same, n);
    expect_same(same, y, n, "in place");
}

static void check_function(const function *f)
{
    for (size_t i = 0; i <= any_lengths_count; i++) {
        size_t n = i ? any_lengths[i - 1] : 0;
        float scale = ldexpf(1, (int)random_below(8));
        float *x = random_floats(n, scale,
                                 (place)random_below(PLACE_COUNT));
        pointwise_case(f, x, n);
        arrays_clear();
    }
    float *x = array(N_CORNERS, sizeof *x, PLACE_END);
    memcpy(x, corners, sizeof corners);
    pointwise_case(f, x, N_CORNERS);
    x = array(SWEEP, sizeof *x, PLACE_END);
    float *y = array(SWEEP, sizeof *y, PLACE_END);
    for (int i = 0; i < SWEEP; i++)
        x[i] = (float)(i - SWEEP / 2) * (24.0f / SWEEP);
    f->kernel(y, x, SWEEP);
    check_values(f, x, y, SWEEP);
    arrays_clear();
}

static void check_elu(const kernel_table *table, dtype type)
{
    (void)type;
    function f = {table->elu, kernels_for(CPU_REF)->elu, elu, elu_most,
                  "elu"};
    check_function(&f);
}

static void check_gelu(const kernel_table *table, dtype type)
{
    (void)type;
    function f = {table->gelu, kernels_for(CPU_REF)->gelu, gelu, gelu_most,
                  "gelu"};
    check_function(&f);
}

static void silu_case(const kernel_table *table, float *gate, float *up,
                      size_t n)
{
    float *y = array(n, sizeof *y, (place)random_below(PLACE_COUNT));
    float *ref = array(n, sizeof *ref, PLACE_END);
    table->silu_gate(y, gate, up, n);
    kernels_for(CPU_REF)->silu_gate(ref, gate, up, n);
    for (size_t i = 0; i < n; i++) {
        double g = gate[i], u = up[i], exact = g / (1 + exp(-g)) * u;
        /* Where e^-g overflows, the result is 0 instead of some 1e-36. */
        double most = fabs(exact) * KERNEL_SILU_GATE_TOLERANCE + 1e-35;
        if (isfinite(g) && isfinite((float)exact))
            expect_near(y[i], exact, most, "silu_gate", i);
        expect_near(y[i], ref[i], most, "against ref", i);
    }
    for (size_t i = 0; i < n; i += 1 + n / 5000) {
        float one;
        table->silu_gate(&one, gate + i, up + i, 1);
        if (!expect_same(&one, y + i, 1, "alone"))
            break;
    }
    table->silu_gate(gate, gate, up, n);
    expect_same(gate, y, n, "in place");
    arrays_clear();
}

static void check_silu_gate(const kernel_table *table, dtype type)
{
    (void)type;
    for (size_t i = 0; i <= any_lengths_count; i++) {
        size_t n = i ? any_lengths[i - 1] : 0;
        float scale = ldexpf(1, (int)random_below(8));
        silu_case(table,
                  random_floats(n, scale, (place)random_below(PLACE_COUNT)),
                  random_floats(n, 10, (place)random_below(PLACE_COUNT)), n);
    }
    float *gate = array(N_CORNERS, sizeof *gate, PLACE_END);
    float *up = array(N_CORNERS, sizeof *up, PLACE_END);
    memcpy(gate, corners, sizeof corners);
    for (size_t i = 0; i < N_CORNERS; i++)
        up[i] = i % 2 ? 1 : -0.5f;
    silu_case(table, gate, up, N_CORNERS);
    gate = array(SWEEP, sizeof *gate, PLACE_END);
    up = random_floats(SWEEP, 1, PLACE_END);
    for (int i = 0; i < SWEEP; i++)
        gate[i] = (float)(i - SWEEP / 2) * (170.0f / SWEEP);
    silu_case(table, gate, up, SWEEP);
}

static void add_case(const kernel_table *table, size_t n, bool scaled)
{
    float *a = random_floats(n, 1, (place)random_below(PLACE_COUNT));
    float *b = random_floats(n, 1, (place)random_below(PLACE_COUNT));
    float *scale = scaled ? random_floats(n, 2, PLACE_END) : NULL;
    float *y = array(n, sizeof *y, (place)random_below(PLACE_COUNT));
    float *ref = array(n, sizeof *ref, PLACE_END);
    if (n > 2) {
        a[n / 2] = INFINITY;
        b[n / 3] = 1e-40f;
    }
    table->add(y, a, b, scale, n);
    kernels_for(CPU_REF)->add(ref, a, b, scale, n);
    expect_same(y, ref, n, "add");
    table->add(a, a, b, scale, n);
    expect_same(a, y, n, "in place");
    arrays_clear();
}

static void check_add(const kernel_table *table, dtype type)
{
    (void)type;
    float one = 1, two = 2, three = 3, y;
    table->add(&y, &one, &two, &three, 1);
    expect_near(y, 7, 0, "1 + 3 * 2", 0);
    table->add(&y, &one, &two, NULL, 1);
    expect_near(y, 3, 0, "1 + 2", 0);
    for (size_t i = 0; i <= any_lengths_count; i++) {
        size_t n = i ? any_lengths[i - 1] : 0;
        add_case(table, n, false);
        add_case(table, n, true);
    }
}

const check checks_pointwise[] = {
    {"add", check_add, DTYPE_COUNT},
    {"elu", check_elu, DTYPE_COUNT},
    {"gelu", check_gelu, DTYPE_COUNT},
    {"silu_gate", check_silu_gate, DTYPE_COUNT},
    {NULL, NULL, DTYPE_COUNT},
};
