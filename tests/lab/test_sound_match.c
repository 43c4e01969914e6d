/* Goal: what was done to the frames of a sound after the decoder is told from
 * the codes. Method: noise through the tiny codec, codes decoded here, and the
 * frames of that sound changed in every way that the header names. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../stream/models.h"
#include "cpu/backend.h"
#include "lab/sound_match.h"

#define T 48

typedef struct fixture {
    mimi_model *codec;
    backend *be;
    int32_t *codes; /* [T][K] */
    int K;
    size_t samples; /* of a frame */
    float *right, *sound; /* decoded; room for twice as much */
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(cpu_backend_open(&f->be, 1, CPU_LEVEL_COUNT, NULL),
                     MOSHI_OK);
    f->codec = models_mimi();
    f->K = f->codec->codebooks;
    f->samples = (size_t)f->codec->config.frame_samples;
    f->codes = calloc(T * (size_t)f->K, sizeof *f->codes);
    f->right = calloc(T * f->samples, sizeof *f->right);
    f->sound = calloc(2 * T * f->samples, sizeof *f->sound);
    assert_true(f->codes && f->right && f->sound);
    models_encode(f->be, f->codec, T, f->codes);
    mimi_runner *runner = NULL;
    mimi_decoder *decoder = NULL;
    assert_int_equal(mimi_runner_open(&runner, f->codec, f->be, MIMI_DECODE, 1,
                                      NULL), MOSHI_OK);
    assert_int_equal(mimi_decoder_open(&decoder, f->codec, f->be, NULL),
                     MOSHI_OK);
    for (size_t i = 0; i < T; i++) {
        const int32_t *row = f->codes + i * (size_t)f->K;
        float *pcm = f->right + i * f->samples;
        assert_int_equal(mimi_decode_frame(runner, &decoder, 1, &row, f->K,
                                           &pcm, NULL), MOSHI_OK);
    }
    mimi_decoder_close(&decoder);
    mimi_runner_close(&runner);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    mimi_model_close(&f->codec);
    f->be->close(&f->be);
    free(f->codes);
    free(f->right);
    free(f->sound);
    free(f);
    return 0;
}

/* Frame order[i] of the decoded sound, i < n, after `late` samples of silence. */
static sound_match match(fixture *f, const size_t *order, size_t n, size_t late)
{
    sound_match m = {0};
    memset(f->sound, 0, late * sizeof *f->sound);
    for (size_t i = 0; i < n; i++)
        memcpy(f->sound + late + i * f->samples,
               f->right + order[i] * f->samples,
               f->samples * sizeof *f->sound);
    assert_int_equal(sound_match_run(&m, f->codec, f->be, f->codes, f->K, T,
                                     f->sound, late + n * f->samples, NULL),
                     MOSHI_OK);
    return m;
}

static void as_decoded(void **state)
{
    fixture *f = *state;
    size_t order[T];
    for (size_t i = 0; i < T; i++)
        order[i] = i;
    sound_match m = match(f, order, T, 0);
    assert_true(m.loud > T / 2);
    assert_true(m.spoken == m.loud && m.decoded == T && m.frames == T);
    assert_true(m.right == m.loud && m.lag == 0);
    assert_true(m.lost == 0 && m.twice == 0 && m.back == 0);
    sound_match_release(&m);
    /* The same later: found to the sample. */
    m = match(f, order, T, 777);
    assert_int_equal(m.lag, 777);
    assert_true(m.right + 1 >= m.loud);
    sound_match_release(&m);
}

static void frames_moved(void **state)
{
    fixture *f = *state;
    size_t order[2 * T], n = 0;
    for (size_t i = 0; i < T; i++)
        if (i % 4 != 3)
            order[n++] = i;
    sound_match m = match(f, order, n, 0);
    assert_true(m.right < m.loud / 2);
    assert_true(m.lost >= T / 4 - 2 && m.lost <= T / 4 + 2 && m.twice == 0);
    sound_match_release(&m);

    n = 0;
    for (size_t i = 0; i < T; i++) {
        order[n++] = i;
        if (i % 4 == 3)
            order[n++] = i;
    }
    m = match(f, order, n, 0);
    assert_true(m.twice >= T / 4 - 2 && m.twice <= T / 4 + 2);
    assert_true(m.lost <= 2);
    sound_match_release(&m);

    for (size_t i = 0; i < T; i++)
        order[i] = i ^ 1;
    m = match(f, order, T, 0);
    assert_true(m.right <= m.loud / 2 + 2);
    assert_true(m.back >= T / 2 - 3);
    sound_match_release(&m);
}

static void frames_backwards(void **state)
{
    fixture *f = *state;
    sound_match m = {0};
    for (size_t i = 0; i < T; i++)
        for (size_t k = 0; k < f->samples; k++)
            f->sound[i * f->samples + k] =
                f->right[(i + 1) * f->samples - 1 - k];
    assert_int_equal(sound_match_run(&m, f->codec, f->be, f->codes, f->K, T,
                                     f->sound, T * f->samples, NULL),
                     MOSHI_OK);
    assert_true(m.backwards > m.loud * 9 / 10);
    for (size_t i = 0; i < m.frames; i++)
        assert_true(m.place[i] <= PLACE_UNLIKE);
    sound_match_release(&m);
}

static void another_sound(void **state)
{
    fixture *f = *state;
    sound_match m = {0};
    models_noise(f->sound, T * f->samples, 99);
    assert_int_equal(sound_match_run(&m, f->codec, f->be, f->codes, f->K, T,
                                     f->sound, T * f->samples, NULL),
                     MOSHI_OK);
    assert_true(m.unlike == m.loud && m.loud > T / 2);
    sound_match_release(&m);
    /* Shorter than a frame, and nothing at all. */
    assert_int_equal(sound_match_run(&m, f->codec, f->be, f->codes, f->K, T,
                                     f->sound, 100, NULL), MOSHI_OK);
    assert_true(m.frames == 0 && m.loud == 0 && m.spoken > 0);
    sound_match_release(&m);
    f->codes[5] = f->codec->config.bins;
    assert_int_equal(sound_match_run(&m, f->codec, f->be, f->codes, f->K, T,
                                     f->sound, 100, NULL), MOSHI_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(as_decoded, setup, teardown),
        cmocka_unit_test_setup_teardown(frames_moved, setup, teardown),
        cmocka_unit_test_setup_teardown(frames_backwards, setup, teardown),
        cmocka_unit_test_setup_teardown(another_sound, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
