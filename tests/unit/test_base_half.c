/* Goal: conversions between float32 and the 16-bit floats are exact, or rounded
 * to nearest even. Method: every 16-bit pattern against its definition in
 * doubles; rounding against the two neighbours found by bisection, at every
 * midpoint, just beside it, and on a sweep through all float32 exponents. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/half.h"

/* A 16-bit format: sign, exponent and mantissa bits, and what is tested. */
typedef struct format {
    int exponent_bits, mantissa_bits;
    float (*to_float)(uint16_t);
    uint16_t (*from_float)(float);
} format;

static const format half = {5, 10, half_to_float, half_from_float};
static const format bfloat = {8, 7, bfloat_to_float, bfloat_from_float};

/* The definition: (-1)^s 2^(e - bias) 1.m, or 2^(1 - bias) 0.m for e = 0. */
static double value_of(const format *f, unsigned bits)
{
    int bias = (1 << (f->exponent_bits - 1)) - 1;
    int e = (int)(bits >> f->mantissa_bits) & ((1 << f->exponent_bits) - 1);
    int m = (int)bits & ((1 << f->mantissa_bits) - 1);
    double sign = bits & 0x8000 ? -1.0 : 1.0;
    if (e == (1 << f->exponent_bits) - 1)
        return m ? NAN : sign * INFINITY;
    if (e == 0)
        return sign * ldexp(m, 1 - bias - f->mantissa_bits);
    return sign *
           ldexp(m + (1 << f->mantissa_bits), e - bias - f->mantissa_bits);
}

static unsigned infinity_bits(const format *f)
{
    return ((1u << f->exponent_bits) - 1) << f->mantissa_bits;
}

/* Round |x| to nearest even among the patterns 0 … infinity, which are in the
 * order of their values. What lies halfway beyond the largest number counts
 * as infinity: one more step of the same size would stand there. */
static unsigned nearest(const format *f, double x)
{
    unsigned low = 0, high = infinity_bits(f);
    double a = fabs(x), top = value_of(f, high - 1);
    double step = top - value_of(f, high - 2), below, above;
    unsigned sign = signbit(x) ? 0x8000 : 0;
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;
        if (value_of(f, middle) <= a)
            low = middle;
        else
            high = middle;
    }
    if (isinf(a))
        return sign | infinity_bits(f);
    below = a - value_of(f, low);
    above = (high == infinity_bits(f) ? top + step : value_of(f, high)) - a;
    if (below < above || (below == above && !(low & 1)))
        return sign | low;
    return sign | high;
}

static void check_number(const format *f, float x)
{
    unsigned want = nearest(f, x), got = f->from_float(x);
    if (want != got)
        fail_msg("%a: %04x instead of %04x", x, got, want);
}

static void every_pattern(const format *f)
{
    for (unsigned bits = 0; bits < 0x10000; bits++) {
        double want = value_of(f, bits);
        float got = f->to_float((uint16_t)bits);
        if (isnan(want)) {
            assert_true(isnan(got));
            assert_true(isnan(f->to_float(f->from_float(got))));
            continue;
        }
        if (got != (float)want || (double)(float)want != want ||
            !signbit(got) != !signbit(want))
            fail_msg("%04x: %a instead of %a", bits, got, want);
        assert_int_equal(f->from_float(got), bits);
    }
}

/* Halfway between neighbours, and the next floats on either side of it. */
static void every_midpoint(const format *f)
{
    for (unsigned bits = 0; bits < infinity_bits(f); bits++) {
        double a = value_of(f, bits);
        double step = bits ? a - value_of(f, bits - 1) : value_of(f, 1);
        double b = bits + 1 < infinity_bits(f) ? value_of(f, bits + 1)
                                               : a + step;
        float middle = (float)(a / 2 + b / 2);
        for (int sign = -1; sign <= 1; sign += 2) {
            float x = (float)sign * middle;
            check_number(f, x);
            check_number(f, nextafterf(x, 0));
            check_number(f, nextafterf(x, INFINITY * (float)sign));
        }
    }
}

/* All float32 exponents, with mantissas spread by a prime step. */
static void sweep(const format *f)
{
    for (uint64_t u = 0; u <= UINT32_MAX; u += 7919) {
        uint32_t bits = (uint32_t)u;
        float x;
        memcpy(&x, &bits, sizeof x);
        if (isnan(x))
            assert_true(isnan(f->to_float(f->from_float(x))));
        else
            check_number(f, x);
    }
}

static void half_is_exact(void **state)
{
    (void)state;
    every_pattern(&half);
    every_midpoint(&half);
    sweep(&half);
}

static void bfloat_is_exact(void **state)
{
    (void)state;
    every_pattern(&bfloat);
    every_midpoint(&bfloat);
    sweep(&bfloat);
}

static void known_values(void **state)
{
    (void)state;
    assert_int_equal(half_from_float(1), 0x3c00);
    assert_int_equal(half_from_float(-2), 0xc000);
    assert_int_equal(half_from_float(65504), 0x7bff);
    assert_int_equal(half_from_float(65520), 0x7c00);
    assert_int_equal(half_from_float(0x1p-24f), 0x0001);
    assert_int_equal(half_from_float(0x1p-25f), 0x0000);
    assert_int_equal(bfloat_from_float(1), 0x3f80);
    assert_int_equal(bfloat_from_float(3.4028235e38f), 0x7f80);
    assert_true(half_to_float(0x7bff) == 65504);
    assert_true(bfloat_to_float(0x4049) == 3.140625f);
    /* A NaN whose payload lies in the bits that are cut off stays one. */
    uint32_t bits = 0x7f800001;
    float x;
    memcpy(&x, &bits, sizeof x);
    assert_true((half_from_float(x) & 0x7fff) > 0x7c00);
    assert_true((bfloat_from_float(x) & 0x7fff) > 0x7f80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_is_exact), cmocka_unit_test(bfloat_is_exact),
        cmocka_unit_test(known_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
