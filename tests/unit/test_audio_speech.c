/* Speech or not. Goal: what cannot be speech is told by its levels, with the
 * right reason, and speech is never refused. Method: sounds made here; real
 * recordings are judged in test_audio_recordings. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audio/speech_level.h"
#include "audio_files.h"

#define RATE_HZ 24000
#define SECONDS 5
#define N       (RATE_HZ * SECONDS)

static void assert_refused(const float *x, size_t n, const char *because)
{
    speech_level l = speech_level_measure(x, n, RATE_HZ);
    assert_false(l.speech_likely);
    assert_non_null(l.reason);
    if (!strstr(l.reason, because))
        fail_msg("'%s' does not say '%s'", l.reason, because);
}

/* Syllables: a voice of many harmonics, 60 ms on and off with pauses between
 * words, over a quiet room. */
static float *syllables(double level_dbfs, double noise_dbfs)
{
    float *x = audio_noise(N, audio_gain(noise_dbfs));
    double gain = audio_gain(level_dbfs);
    for (size_t i = 0; i < N; i++) {
        double t = (double)i / RATE_HZ, voice = 0;
        double syllable = fmax(0, sin(2 * PI * 4 * t));
        double word = fmod(t, 1.5) < 1.0;
        for (int k = 1; k <= 20; k++)
            voice += sin(2 * PI * 120 * k * t + k * k) / k;
        x[i] += (float)(gain * syllable * word * voice);
    }
    return x;
}

static void speech_is_likely(void **state)
{
    (void)state;
    /* From loud to quiet, down to noise as loud as the voice. */
    static const double levels[][2] = {
        {-12, -120}, {-12, -70}, {-12, -40}, {-20, -30}, {-25, -60},
        {-35, -80}};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        float *x = syllables(levels[i][0], levels[i][1]);
        speech_level l = speech_level_measure(x, N, RATE_HZ);
        assert_true(l.speech_likely);
        assert_null(l.reason);
        assert_true(l.seconds == SECONDS);
        assert_true(l.range_db > 6 && l.active_share > 0.1);
        assert_true(l.peak_dbfs > l.active_dbfs);
        free(x);
    }
}

static void noise_is_not(void **state)
{
    (void)state;
    static const double levels[] = {-65, -40, -20, -5};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        float *x = audio_noise(N, audio_gain(levels[i]));
        speech_level l = speech_level_measure(x, N, RATE_HZ);
        assert_true(fabs(l.active_dbfs - levels[i]) < 1);
        assert_true(l.range_db < 2);
        assert_refused(x, N, "stays the same");
        free(x);
    }
}

static void tones_are_not(void **state)
{
    (void)state;
    static const double hz[] = {50, 440, 5000};
    for (size_t i = 0; i < sizeof hz / sizeof *hz; i++) {
        float *x = audio_sine(N, RATE_HZ, hz[i], 0.5);
        speech_level l = speech_level_measure(x, N, RATE_HZ);
        assert_true(fabs(l.active_dbfs - 20 * log10(0.5 / sqrt(2))) < 0.1);
        assert_true(fabs(l.peak_dbfs - 20 * log10(0.5)) < 0.01);
        assert_refused(x, N, "stays the same");
        free(x);
    }
}

static void silence_is_not(void **state)
{
    (void)state;
    float *x = audio_sine(N, RATE_HZ, 0, 0);
    speech_level l = speech_level_measure(x, N, RATE_HZ);
    assert_true(isinf(l.peak_dbfs) && isinf(l.active_dbfs));
    assert_true(l.range_db == 0 && l.active_share == 0);
    assert_refused(x, N, "digital silence");
    for (size_t i = 0; i < N; i++) /* an offset is no sound */
        x[i] = 0.1f;
    assert_refused(x, N, "stays the same");
    free(x);
}

static void quiet_speech_is_said_to_be_quiet(void **state)
{
    (void)state;
    float *x = syllables(-55, -90);
    assert_refused(x, N, "too quiet");
    free(x);
}

static void a_click_is_not_speech(void **state)
{
    (void)state;
    float *x = audio_noise(N, audio_gain(-65));
    for (size_t i = 0; i < 100; i++)
        x[50000 + i] = i % 2 ? 0.9f : -0.9f;
    assert_refused(x, N, "click");
    free(x);
}

/* One word does not move the 95th percentile of a minute. */
static void a_word_in_a_minute_is_found(void **state)
{
    (void)state;
    size_t n = 60 * RATE_HZ;
    float *x = audio_noise(n, audio_gain(-70)), *word = syllables(-15, -120);
    for (size_t i = 0; i < RATE_HZ / 2; i++)
        x[RATE_HZ * 20 + i] += word[i];
    speech_level l = speech_level_measure(x, n, RATE_HZ);
    assert_true(l.speech_likely);
    assert_true(l.active_share < 0.02);
    free(x), free(word);
}

static void short_recordings_are_safe(void **state)
{
    (void)state;
    float x[2400] = {0.5f};
    assert_refused(NULL, 0, "shorter");
    assert_refused(x, 1, "shorter");
    assert_refused(x, 479, "shorter");
    assert_refused(x, 2399, "shorter");
    speech_level l = speech_level_measure(x, 10, 20); /* windows of nothing */
    assert_true(l.seconds == 0.5);
}

static void rate_does_not_matter(void **state)
{
    (void)state;
    static const int rates[] = {8000, 16000, 48000, 192000};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        size_t n = (size_t)rates[i] * 2;
        float *x = audio_noise(n, audio_gain(-30));
        assert_false(speech_level_measure(x, n, rates[i]).speech_likely);
        for (size_t k = 0; k < n; k++) /* on and off three times a second */
            x[k] *= fmod(3.0 * (double)k / rates[i], 1) < 0.6 ? 1 : 0.01f;
        assert_true(speech_level_measure(x, n, rates[i]).speech_likely);
        free(x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speech_is_likely),
        cmocka_unit_test(noise_is_not),
        cmocka_unit_test(tones_are_not),
        cmocka_unit_test(silence_is_not),
        cmocka_unit_test(quiet_speech_is_said_to_be_quiet),
        cmocka_unit_test(a_click_is_not_speech),
        cmocka_unit_test(a_word_in_a_minute_is_found),
        cmocka_unit_test(short_recordings_are_safe),
        cmocka_unit_test(rate_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
