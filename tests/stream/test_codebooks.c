/* test_codebooks.c: 8, 16 or 32 codebooks of one codec.
 *
 * Goal: the first codes do not depend on how many are computed; decoding with
 * fewer codebooks needs no other model, and equals a model that has only
 * those. Method: a small random codec of 32 codebooks, opened with 8, 16, 32. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "golden.h"
#include "mimi/stream.h"
#include "models.h"

#define ALL 32
#define FRAMES 12
#define SAMPLES 1920

static char path[] = "/tmp/moshi-codebooks-XXXXXX";

static int write_codec(void **state)
{
    (void)state;
    mimi_config c = synth_mimi_tiny;
    c.codebooks = ALL;
    return models_mimi_write(path, &c);
}

static int remove_codec(void **state)
{
    (void)state;
    return unlink(path);
}

static mimi_model *open_with(int codebooks)
{
    return models_mimi_open(path, (mimi_model_params){.codebooks = codebooks});
}

/* The first n of each row of ALL codes. */
static void decode(backend *be, const mimi_model *m, const int32_t *codes,
                   int n, float *pcm)
{
    moshi_error err = {0};
    mimi_runner *r = NULL;
    mimi_decoder *d = NULL;
    assert_int_equal(mimi_runner_open(&r, m, be, MIMI_DECODE, 1, &err), 0);
    assert_int_equal(mimi_decoder_open(&d, m, be, &err), 0);
    for (int f = 0; f < FRAMES; f++) {
        const int32_t *in = codes + f * ALL;
        float *out = pcm + f * SAMPLES;
        assert_int_equal(mimi_decode_frame(r, &d, 1, &in, n, &out, NULL), 0);
    }
    mimi_decoder_close(&d);
    mimi_runner_close(&r);
}

static void any_number(void **state)
{
    static const int counts[] = {1, 8, 16, 32};
    static int32_t all[FRAMES * ALL], some[FRAMES * ALL];
    static float full[FRAMES * SAMPLES], few[FRAMES * SAMPLES];
    static float before[FRAMES * SAMPLES];
    (void)state;
    backend *be = golden_backend(2);
    mimi_model *whole = open_with(0);
    assert_int_equal(whole->codebooks, ALL);
    models_encode(be, whole, FRAMES, all);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        int n = counts[i];
        mimi_model *m = open_with(n);
        models_encode(be, m, FRAMES, some);
        for (int f = 0; f < FRAMES; f++)
            assert_memory_equal(all + f * ALL, some + f * n,
                                (size_t)n * sizeof *all);
        decode(be, whole, all, n, full);
        decode(be, m, all, n, few);
        assert_memory_equal(full, few, sizeof full);
        assert_memory_not_equal(before, full, sizeof full);
        memcpy(before, full, sizeof full);
        mimi_model_close(&m);
    }
    mimi_model_close(&whole);
    be->close(&be);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_number)};
    return cmocka_run_group_tests_name("codebooks", tests, write_codec,
                                       remove_codec);
}
