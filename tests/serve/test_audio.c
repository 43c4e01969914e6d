/* test_audio.c: what stands between a sound card and the program.
 *
 * Goal: samples pass a ring in order between two threads, whatever the pieces;
 * a full or an empty one says so; the echo of a loudspeaker is taken out of
 * what a microphone records, and a voice beside it is not. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audio/echo_cancel.h"
#include "audio/sample_ring.h"
#include "audio/sound_card.h"

#define RATE 24000
#define ALL 1000000

static void *write_all(void *argument)
{
    sample_ring *r = argument;
    float piece[777];
    size_t at = 0;
    while (at < ALL) {
        size_t n = 1 + at % 777;
        n = n < ALL - at ? n : ALL - at;
        for (size_t i = 0; i < n; i++)
            piece[i] = (float)(at + i);
        at += sample_ring_write(r, piece, n);
    }
    return NULL;
}

static void ring_between_threads(void **state)
{
    sample_ring r;
    pthread_t writer;
    float piece[512];
    size_t at = 0;
    (void)state;
    assert_true(sample_ring_init(&r, 1000));
    assert_int_equal(r.room, 1024);
    assert_int_equal(pthread_create(&writer, NULL, write_all, &r), 0);
    while (at < ALL) {
        size_t n = sample_ring_read(&r, piece, 1 + at % 512);
        for (size_t i = 0; i < n; i++)
            if (piece[i] != (float)(at + i))
                fail_msg("sample %zu is %g", at + i, (double)piece[i]);
        at += n;
    }
    pthread_join(writer, NULL);
    assert_int_equal(sample_ring_count(&r), 0);
    sample_ring_release(&r);
}

static void ring_ends(void **state)
{
    sample_ring r;
    float x[20] = {1, 2, 3}, y[20];
    (void)state;
    assert_true(sample_ring_init(&r, 16));
    assert_int_equal(sample_ring_read(&r, y, 5), 0);
    assert_int_equal(sample_ring_write(&r, x, 20), 16);
    assert_int_equal(sample_ring_write(&r, x, 1), 0);
    assert_int_equal(sample_ring_read(&r, NULL, 14), 14); /* thrown away */
    assert_int_equal(sample_ring_write(&r, NULL, 3), 3);  /* silence */
    assert_int_equal(sample_ring_count(&r), 5);
    assert_int_equal(sample_ring_read(&r, y, 20), 5);
    assert_true(y[4] == 0);
    sample_ring_release(&r);
}

static float noise(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (float)(*seed >> 8) / (float)(1 << 24) - 0.5f;
}

static double power(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * x[i];
    return 10 * log10(sum / (double)n + 1e-12);
}

/* Ten seconds of noise from the loudspeaker, heard 60 ms later at half the
 * strength and again 25 ms after that; then a tone of the speaker's own. */
static void echo_goes(void **state)
{
    enum { N = 12 * RATE, BLOCK = ECHO_CANCEL_SAMPLES };
    static float played[N], recorded[N];
    moshi_error err = {0};
    echo_cancel *e = NULL;
    uint32_t seed = 1;
    (void)state;
    if (echo_cancel_open(&e, RATE, &err) == MOSHI_LACKING)
        skip();
    for (int i = 0; i < N; i++) {
        played[i] = 0.5f * noise(&seed);
        float first = i >= 1440 ? played[i - 1440] : 0;
        float second = i >= 2040 ? played[i - 2040] : 0;
        recorded[i] = 0.5f * first + 0.2f * second;
        if (i >= 11 * RATE)
            recorded[i] += 0.2f * sinf(0.12f * (float)i);
    }
    double before = power(recorded + 9 * RATE, 2 * RATE);
    for (int i = 0; i < N; i += BLOCK)
        echo_cancel_run(e, recorded + i, played + i, BLOCK);
    double after = power(recorded + 9 * RATE, 2 * RATE);
    double voice = power(recorded + 11 * RATE + RATE / 4, RATE / 2);
    print_message("echo %.1f dB, after %.1f dB, voice %.1f dB\n", before,
                  after, voice);
    assert_true(after < before - 20);
    assert_true(voice > -23); /* of -17 */
    echo_cancel_close(&e);
}

/* A machine without a sound card, or one whose name is wrong: an error that
 * says so, not a crash. */
static void no_such_device(void **state)
{
    moshi_error err = {0};
    sound_card *c = NULL;
    sound_card_params p = {.input = "no such device 7", .rate_hz = RATE};
    (void)state;
    assert_int_equal(sound_card_open(&c, &p, &err), MOSHI_LACKING);
    assert_null(c);
    assert_true(err.message[0] && err.hint[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_between_threads),
        cmocka_unit_test(ring_ends),
        cmocka_unit_test(echo_goes),
        cmocka_unit_test(no_such_device),
    };
    return cmocka_run_group_tests_name("audio", tests, NULL, NULL);
}
