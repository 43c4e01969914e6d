/* Quantisers. Goal: each type is as near to the numbers as its bits allow,
 * whatever the numbers, and the same bytes come from every instruction set.
 * Method: encode, decode with the kernels that models use, and compare: with
 * bounds for numbers spread as weights are, with a plain quantiser that takes
 * the range as it is, and with numbers that the type can hold exactly. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu_flags.h"
#include "base/half.h"
#include "cpu/kernels.h"
#include "quant/blocks.h"
#include "quant/encode.h"

#define N ((size_t)256 * 256)

static float numbers[N], decoded[N];
static unsigned char blocks[N * 4 + 64];

static const dtype all_types[] = {DTYPE_F32,  DTYPE_F16,  DTYPE_BF16,
                                  DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_Q4_K,
                                  DTYPE_Q5_K, DTYPE_Q6_K};
#define TYPES (sizeof all_types / sizeof *all_types)

static double uniform(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0;
}

static double normal(void)
{
    double u = 1 - uniform(), v = uniform();
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* Root mean square of the error over that of the numbers. */
static double error_of(dtype type, const float *x, size_t n)
{
    double error = 0, power = 0;
    size_t bytes = n / dtype_info(type)->block * dtype_info(type)->bytes;
    memset(blocks, 0xA5, sizeof blocks);
    quant_encode(type, blocks, x, n);
    for (size_t i = bytes; i < bytes + 32; i++)
        assert_int_equal(blocks[i], 0xA5); /* nothing beyond is touched */
    quant_decode(type, decoded, blocks, n);
    for (size_t i = 0; i < n; i++) {
        assert_true(isfinite(decoded[i]));
        error += ((double)decoded[i] - x[i]) * ((double)decoded[i] - x[i]);
        power += (double)x[i] * x[i];
    }
    return power > 0 ? sqrt(error / power) : sqrt(error);
}

static void weights_are_kept(void **state)
{
    static const struct { dtype type; double bound; } cases[] = {
        {DTYPE_F32, 0},       {DTYPE_F16, 3e-4},    {DTYPE_BF16, 2e-3},
        {DTYPE_Q8_0, 0.0055}, {DTYPE_Q4_0, 0.0825}, {DTYPE_Q4_K, 0.072},
        {DTYPE_Q5_K, 0.0355}, {DTYPE_Q6_K, 0.0175}};
    (void)state;
    for (size_t i = 0; i < N; i++)
        numbers[i] = (float)(0.02 * normal());
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        double e = error_of(cases[c].type, numbers, N);
        printf("%s: %.5f\n", dtype_info(cases[c].type)->name, e);
        assert_true(e <= cases[c].bound);
    }
}

/* The range of each group taken as it is: what no search may be worse than. */
static double plain_error(const float *x, size_t n, size_t group, int levels,
                          bool symmetric)
{
    double error = 0, power = 0;
    for (size_t at = 0; at < n; at += group) {
        double low = 0, high = 0;
        for (size_t i = 0; i < group; i++) {
            low = x[at + i] < low ? x[at + i] : low;
            high = x[at + i] > high ? x[at + i] : high;
        }
        double most = -low > high ? -low : high;
        double d = symmetric ? most / (levels / 2 - 1)
                             : (high - low) / (levels - 1);
        double origin = symmetric ? 0 : low;
        for (size_t i = 0; i < group; i++) {
            double q = d > 0 ? round((x[at + i] - origin) / d) : 0;
            double e = q * d + origin - x[at + i];
            error += e * e;
            power += (double)x[at + i] * x[at + i];
        }
    }
    return power > 0 ? sqrt(error / power) : 0;
}

/* Numbers as weights may be, and as they should not be. */
static float sample(int kind, size_t i)
{
    switch (kind) {
    case 0:
        return (float)normal();
    case 1:
        return (float)(2 * uniform() - 1);
    case 2: /* outliers */
        return (float)(normal() * (i % 61 == 0 ? 20 : 1));
    case 3: /* all of one sign */
        return (float)(-1 - uniform());
    case 4:
        return (float)(3 + 0.01 * normal());
    case 5: /* many zeros */
        return i % 5 ? 0 : (float)normal();
    case 6: /* rows of very different size */
        return (float)(normal() * pow(10, (double)(i / 256 % 7) - 3));
    default: /* the range of halves is enough for the scales */
        return (float)(normal() * 1e4);
    }
}

static void no_worse_than_the_plain_range(void **state)
{
    static const struct {
        dtype type;
        size_t group;
        int levels;
        bool symmetric;
    } cases[] = {{DTYPE_Q4_0, 32, 16, true},
                 {DTYPE_Q4_K, 32, 16, false},
                 {DTYPE_Q5_K, 32, 32, false},
                 {DTYPE_Q6_K, 16, 64, true}};
    (void)state;
    for (int kind = 0; kind < 8; kind++) {
        for (size_t i = 0; i < N; i++)
            numbers[i] = sample(kind, i);
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
            double plain = plain_error(numbers, N, cases[c].group,
                                       cases[c].levels, cases[c].symmetric);
            double e = error_of(cases[c].type, numbers, N);
            printf("%s, numbers of kind %d: %.5f, plain %.5f\n",
                   dtype_info(cases[c].type)->name, kind, e, plain);
            /* Its scales are exact; the type's are whole numbers and halves. */
            assert_true(e <= plain * 1.06 + 1e-6);
        }
    }
}

/* What a type has decoded once it encodes without loss, or nearly so: another
 * grid may hold the same numbers as well. */
static void exact_numbers_stay(void **state)
{
    static float again[N];
    (void)state;
    for (size_t i = 0; i < N; i++)
        numbers[i] = (float)(0.02 * normal());
    for (size_t t = 0; t < TYPES; t++) {
        dtype type = all_types[t];
        double first = error_of(type, numbers, N);
        memcpy(again, decoded, sizeof again);
        double second = error_of(type, again, N);
        printf("%s: %.5f, then %.6f\n", dtype_info(type)->name, first, second);
        assert_true(second <= first / 4);
    }
}

static void simple_blocks(void **state)
{
    (void)state;
    for (size_t t = 0; t < TYPES; t++) {
        dtype type = all_types[t];
        for (size_t i = 0; i < 256; i++)
            numbers[i] = 0;
        assert_true(error_of(type, numbers, 256) == 0);
        for (size_t i = 0; i < 256; i++)
            numbers[i] = 0.25f;
        assert_true(error_of(type, numbers, 256) < 0.02);
        for (size_t i = 0; i < 256; i++)
            numbers[i] = -0.25f;
        assert_true(error_of(type, numbers, 256) < 0.02);
        for (size_t i = 0; i < 256; i++)
            numbers[i] = i == 77 ? -1 : 0;
        assert_true(error_of(type, numbers, 256) < 0.02);
        /* So small that the scale is no half any more: zeros are right. */
        for (size_t i = 0; i < 256; i++)
            numbers[i] = i % 2 ? 1e-30f : -1e-30f;
        assert_true(error_of(type, numbers, 256) <= 1);
        for (size_t i = 0; i < 256; i++)
            numbers[i] = i % 3 ? 1e-45f : 0;
        assert_true(error_of(type, numbers, 256) <= 1);
    }
}

/* Numbers that are none: any bytes may come, but no crash (the sanitizers
 * look on), and a block beside them is as it should be. */
static void damaged_numbers(void **state)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f};
    (void)state;
    for (size_t t = 0; t < TYPES; t++)
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
            size_t block = dtype_info(all_types[t])->block;
            double power = 0, error = 0;
            for (size_t i = 0; i < 512; i++)
                numbers[i] = (float)normal();
            numbers[3] = numbers[40] = numbers[200] = bad[b];
            quant_encode(all_types[t], blocks, numbers, 512);
            quant_decode(all_types[t], decoded, blocks, 512);
            for (size_t i = 256; i < 512; i++) {
                double e = (double)decoded[i] - numbers[i];
                error += e * e;
                power += (double)numbers[i] * numbers[i];
            }
            assert_true(block <= 256 && error <= 0.01 * power);
        }
}

#if defined(__x86_64__)
static void same_bytes_everywhere(void **state)
{
    static const struct {
        quant_block *any, *avx2;
        size_t elements, bytes;
    } pairs[] = {{quant_q4_0_any, quant_q4_0_avx2, 32, 18},
                 {quant_q4_k_any, quant_q4_k_avx2, 256, 144},
                 {quant_q5_k_any, quant_q5_k_avx2, 256, 176},
                 {quant_q6_k_any, quant_q6_k_avx2, 256, 210}};
    unsigned char a[256], b[256];
    (void)state;
    if (cpu_level_best() < CPU_AVX2)
        skip();
    for (int kind = 0; kind < 8; kind++) {
        for (size_t i = 0; i < N; i++)
            numbers[i] = sample(kind, i);
        for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++)
            for (size_t at = 0; at < N; at += pairs[p].elements) {
                memset(a, 1, sizeof a);
                memset(b, 2, sizeof b);
                pairs[p].any(a, numbers + at);
                pairs[p].avx2(b, numbers + at);
                assert_memory_equal(a, b, pairs[p].bytes);
            }
    }
}
#endif

static void types_are_chosen(void **state)
{
    static const size_t wide[] = {8, 512}, odd[] = {8, 7040}, narrow[] = {8, 16},
                        cube[] = {1, 1, 512};
    (void)state;
    assert_int_equal(quant_type_for(DTYPE_Q4_K, 2, wide), DTYPE_Q4_K);
    assert_int_equal(quant_type_for(DTYPE_Q4_K, 2, odd), DTYPE_Q4_0);
    assert_int_equal(quant_type_for(DTYPE_Q5_K, 2, odd), DTYPE_Q8_0);
    assert_int_equal(quant_type_for(DTYPE_Q6_K, 2, odd), DTYPE_Q8_0);
    assert_int_equal(quant_type_for(DTYPE_Q8_0, 2, odd), DTYPE_Q8_0);
    assert_int_equal(quant_type_for(DTYPE_Q4_0, 2, odd), DTYPE_Q4_0);
    for (size_t t = 3; t < TYPES; t++) {
        assert_int_equal(quant_type_for(all_types[t], 2, narrow), DTYPE_F32);
        assert_int_equal(quant_type_for(all_types[t], 3, cube), DTYPE_F32);
        assert_int_equal(quant_type_for(all_types[t], 1, wide), DTYPE_F32);
    }
    assert_int_equal(quant_type_for(DTYPE_BF16, 2, narrow), DTYPE_BF16);
    assert_true(quant_bits(DTYPE_Q4_K) == 4.5);
    assert_true(quant_bits(DTYPE_BF16) == 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_kept),
        cmocka_unit_test(no_worse_than_the_plain_range),
        cmocka_unit_test(exact_numbers_stay),
        cmocka_unit_test(simple_blocks),
        cmocka_unit_test(damaged_numbers),
#if defined(__x86_64__)
        cmocka_unit_test(same_bytes_everywhere),
#endif
        cmocka_unit_test(types_are_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
