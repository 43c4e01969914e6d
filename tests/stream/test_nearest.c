/* test_nearest.c: looking through a codebook with several threads.
 *
 * Goal: the code is the one that looking through the whole table finds, and of
 * equal rows the first, however the table is cut. Method: a table that is large
 * enough to be cut, with copies of rows in other parts of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/backend.h"
#include "plan/builder.h"

#define BINS 1001 /* not a multiple of any number of threads */
#define DIM  96
#define TRIALS 200

static float table[BINS * DIM], x[DIM];
static double half_norms[BINS];

static float random_float(void)
{
    static uint32_t seed = 5;
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) / 0x1p23f - 1;
}

/* Rows in 97 groups of equals: the first of each is the answer. */
static void make_table(void)
{
    for (size_t j = 0; j < BINS; j++) {
        half_norms[j] = 0;
        for (size_t i = 0; i < DIM; i++) {
            float *at = &table[j * DIM + i];
            *at = j < 97 ? random_float() : table[j % 97 * DIM + i];
            half_norms[j] += 0.5 * (double)*at * *at;
        }
    }
}

static int32_t find(int threads, const float *r)
{
    moshi_error err = {0};
    backend *be = NULL;
    plan *p = NULL;
    plan_runner *runner = NULL;
    plan_state *state = NULL;
    int32_t code = -1;
    builder *b = builder_open("nearest", 1, 1);
    tensor_id in = builder_frame(b, "r", DTYPE_F32, 1, DIM);
    tensor_id codes = builder_frame(b, "codes", DTYPE_I32, 1, 1);
    builder_pin(b, in);
    builder_pin(b, codes);
    plan_op *op = builder_append(b, OP_NEAREST, "nearest");
    op->in[0] = builder_weight(b, "table", DTYPE_F32, BINS, DIM, table);
    op->in[1] = in;
    op->out = codes;
    op->p.nearest.half_norms = half_norms;
    if (builder_finish(&b, &p, &err) ||
        cpu_backend_open(&be, threads, CPU_LEVEL_COUNT, &err) ||
        be->runner_open(be, p, 1, &runner, &err) ||
        be->state_open(be, p, &state, &err))
        fail_msg("%s", err.message);
    be->write(runner, in, 0, r);
    be->run(runner, &state, 1, NULL);
    be->read(runner, codes, 0, &code);
    be->state_close(&state);
    be->runner_close(&runner);
    be->close(&be);
    plan_close(&p);
    return code;
}

static void first_of_equals(void **state)
{
    (void)state;
    make_table();
    for (int trial = 0; trial < TRIALS; trial++) {
        for (size_t i = 0; i < DIM; i++)
            x[i] = random_float();
        int32_t want = find(1, x);
        assert_in_range(want, 0, 96);
        for (int threads = 2; threads <= 4; threads++)
            assert_int_equal(find(threads, x), want);
    }
    /* Each row finds itself, or its first copy. */
    for (size_t j = 0; j < BINS; j += 50)
        assert_int_equal(find(3, table + j * DIM), (int)(j % 97));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_of_equals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
