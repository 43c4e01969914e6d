/* test_run_codes.c: where did decoded codes come from?
 *
 * Goal: the right source of every codebook, whatever was done to the codes; no
 * fault where none is. Method: tables of numbers that say where they belong,
 * put together rightly, with other delays, with codebooks exchanged, and with
 * the axes exchanged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab/run_codes.h"

#define K 4
#define STEPS 40
#define FRAMES (STEPS - 3)

static int32_t tokens[STEPS][1 + K], decoded[FRAMES][K];
static const int delays[K] = {0, 1, 1, 1};

static const trace_tokens run = {.steps = STEPS, .own = K,
                                 .tokens = &tokens[0][0]};
static const trace_tokens codes = {.steps = FRAMES, .own = K,
                                   .decoded = &decoded[0][0]};

static int fill(void **state)
{
    (void)state;
    for (int s = 0; s < STEPS; s++)
        for (int k = 0; k <= K; k++)
            tokens[s][k] = 1000 * k + s * s;
    return 0;
}

/* Codebook k of each frame from codebook from[k], delay[k] steps later. */
static void put_together(const int *from, const int *delay)
{
    for (int f = 0; f < FRAMES; f++)
        for (int k = 0; k < K; k++)
            decoded[f][k] = tokens[f + delay[k]][1 + from[k]];
}

static void expect_sources(const int *from, const int *delay)
{
    for (int k = 0; k < K; k++) {
        run_source s = run_codes_source(&run, &codes, k, delays[k]);
        assert_int_equal(s.book, from[k]);
        assert_int_equal(s.delay, delay[k]);
        assert_true(s.share > 0.99);
    }
}

static void sources_are_found(void **state)
{
    (void)state;
    const int order[K] = {0, 1, 2, 3}, swapped[K] = {0, 2, 1, 3};
    const int late[K] = {0, 2, 2, 2}, none[K] = {0, 0, 0, 0};
    put_together(order, delays);
    expect_sources(order, delays);
    assert_true(run_codes_transposed(&run, &codes, delays) < 0.2);
    put_together(order, late);
    expect_sources(order, late);
    put_together(order, none);
    expect_sources(order, none);
    put_together(swapped, delays);
    expect_sources(swapped, delays);
}

static void standing_codes_prove_nothing(void **state)
{
    (void)state;
    for (int s = 0; s < STEPS; s++)
        for (int k = 0; k <= K; k++)
            tokens[s][k] = 7; /* silence */
    for (int f = 0; f < FRAMES; f++)
        for (int k = 0; k < K; k++)
            decoded[f][k] = 7;
    const int order[K] = {0, 1, 2, 3};
    expect_sources(order, delays);
}

static void strangers_have_no_source(void **state)
{
    (void)state;
    for (int f = 0; f < FRAMES; f++)
        for (int k = 0; k < K; k++)
            decoded[f][k] = -1 - f;
    for (int k = 0; k < K; k++)
        assert_true(run_codes_source(&run, &codes, k, delays[k]).share < 0.1);
    assert_true(run_codes_transposed(&run, &codes, delays) < 0.1);
}

static void exchanged_axes_are_seen(void **state)
{
    (void)state;
    int32_t right[K * FRAMES];
    for (int way = 0; way < 2; way++) {
        for (int f = 0; f < FRAMES; f++)
            for (int k = 0; k < K; k++)
                right[way ? f * K + k : k * FRAMES + f] =
                    tokens[f + delays[k]][1 + k];
        for (int f = 0; f < FRAMES; f++)
            for (int k = 0; k < K; k++)
                decoded[f][k] = right[way ? k * FRAMES + f : f * K + k];
        assert_true(run_codes_transposed(&run, &codes, delays) > 0.99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sources_are_found, fill),
        cmocka_unit_test_setup(standing_codes_prove_nothing, fill),
        cmocka_unit_test_setup(strangers_have_no_source, fill),
        cmocka_unit_test_setup(exchanged_axes_are_seen, fill),
    };
    return cmocka_run_group_tests_name("run_codes", tests, NULL, NULL);
}
