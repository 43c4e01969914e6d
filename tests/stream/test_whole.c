/* test_whole.c: a recording encoded as a whole.
 *
 * Goal: the codes are those of a new encoder that hears it frame by frame,
 * whatever its length and the number of threads, and a sample that is no
 * number is refused. Method: noise and a tone through the tiny codec, longer
 * than the attention looks back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <moshi/codec.h>

#include "golden.h"

#define FRAMES 37

static moshi_codec *open_codec(int threads)
{
    moshi_codec *c = NULL;
    moshi_error err = {0};
    char path[1024], config[1024];
    snprintf(path, sizeof path, "%s",
             golden_path("mimi-tiny/model.safetensors"));
    snprintf(config, sizeof config, "%s",
             golden_path("mimi-tiny/config.json"));
    moshi_codec_params p = {.path = path, .config_path = config,
                            .threads = threads, .device = "cpu"};
    if (moshi_codec_open(&c, &p, &err))
        fail_msg("%s", err.message);
    return c;
}

static float *make_sound(size_t n)
{
    float *pcm = malloc(n * sizeof *pcm);
    uint32_t seed = 1;
    assert_non_null(pcm);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        pcm[i] = 0.2f * sinf((float)i * 0.03f) +
                 0.1f * ((float)(seed >> 8) / 0x1p24f - 0.5f);
    }
    return pcm;
}

static void note(void *user, size_t done)
{
    *(size_t *)user = done;
}

static void same_codes(void **state)
{
    (void)state;
    moshi_error err = {0};
    moshi_codec *c = open_codec(1);
    size_t samples = (size_t)moshi_codec_frame_samples(c);
    size_t K = (size_t)moshi_codec_codebooks(c), done = 0;
    float *pcm = make_sound(FRAMES * samples);
    int32_t *want = malloc(FRAMES * K * sizeof *want);
    int32_t *got = malloc(FRAMES * K * sizeof *got);
    moshi_encoder *e = NULL;
    assert_int_equal(moshi_encoder_open(&e, c, &err), MOSHI_OK);
    for (size_t f = 0; f < FRAMES; f++)
        assert_int_equal(moshi_encoder_encode(e, pcm + f * samples, 1,
                                              want + f * K), MOSHI_OK);
    moshi_encoder_close(&e);
    moshi_codec_close(&c);
    for (int threads = 1; threads <= 3; threads++) {
        static const size_t lengths[] = {0, 1, 15, 16, 17, FRAMES};
        c = open_codec(threads);
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            size_t n = lengths[i];
            memset(got, -1, FRAMES * K * sizeof *got);
            done = 0;
            assert_int_equal(moshi_codec_encode(c, pcm, n, got, note, &done,
                                                &err), MOSHI_OK);
            assert_memory_equal(got, want, n * K * sizeof *got);
            assert_int_equal(done, n);
            if (n < FRAMES)
                assert_int_equal(got[n * K], -1); /* and no more */
        }
        moshi_codec_close(&c);
    }
    free(pcm);
    free(want);
    free(got);
}

static void refuses_nan(void **state)
{
    (void)state;
    moshi_error err = {0};
    moshi_codec *c = open_codec(1);
    size_t samples = (size_t)moshi_codec_frame_samples(c);
    float *pcm = make_sound(samples);
    int32_t codes[64];
    pcm[samples - 1] = NAN;
    assert_int_equal(moshi_codec_encode(c, pcm, 1, codes, NULL, NULL, &err),
                     MOSHI_ARGUMENT);
    assert_non_null(strstr(err.message, "finite"));
    free(pcm);
    moshi_codec_close(&c);
}

static void unknown_type(void **state)
{
    (void)state;
    moshi_codec *c = NULL;
    moshi_error err = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s",
             golden_path("mimi-tiny/model.safetensors"));
    moshi_codec_params p = {.path = path, .weights = "q3"};
    assert_int_equal(moshi_codec_open(&c, &p, &err), MOSHI_ARGUMENT);
    assert_non_null(strstr(err.message, "q3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_codes),
        cmocka_unit_test(refuses_nan),
        cmocka_unit_test(unknown_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
