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
#include "lab/synth_file.h"
#include "lab/synth_mimi.h"
#include "mimi/stream.h"
#include "models.h"

#define ALL 32
#define FRAMES 12
#define SAMPLES 1920

static char path[] = "/tmp/moshi-codebooks-XXXXXX";

static int write_codec(void **state)
{
    (void)state;
    moshi_error err = {0};
    mimi_config c = synth_mimi_tiny;
    synth_list list = {0};
    synth_meter meter = {0};
    c.codebooks = ALL;
    synth_mimi_add(&list, &c);
    close(mkstemp(path));
    moshi_status status = synth_file_write(
        &list, path, CHECKPOINT_SAFETENSORS, 3, &meter, &err);
    synth_list_release(&list);
    return status == MOSHI_OK ? 0 : -1;
}

static int remove_codec(void **state)
{
    (void)state;
    return unlink(path);
}

static mimi_model *open_with(int codebooks)
{
    moshi_error err = {0};
    mimi_model *m = NULL;
    /* The tiny codec's config says 8 codebooks; one without says nothing. */
    value *config = NULL;
    static const char text[] = "{\"transformer\": {\"num_heads\": 2, "
                               "\"context\": 12, \"max_period\": 10000}}";
    checkpoint *file = NULL;
    mimi_model_params p = {.config_path = "config", .codebooks = codebooks};
    if (checkpoint_open(&file, path, &err) ||
        value_parse_json(&config, text, sizeof text - 1, "config", &err) ||
        mimi_model_from_checkpoint(&m, &file, config, &p, &err))
        fail_msg("%s", err.message);
    value_close(&config);
    return m;
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
