/* Resampling. Goal: the exact number of samples, in time with the input, the
 * same bits for any chunking, and nothing but the rate changed. Method: count
 * for many lengths; fit a sine of 1 kHz to the output; find a pulse again;
 * compare chunkings of noise bit for bit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audio/resample.h"
#include "audio_files.h"

static const int rates_hz[] = {8000,  11025, 16000, 22050,
                               24000, 44100, 48000, 192000};
#define RATES (sizeof rates_hz / sizeof *rates_hz)

/* Convert all of `in`, pushing `chunk` samples and pulling `cap` at a time.
 * Freed by the caller. */
static float *convert(int from_hz, int to_hz, const float *in, size_t n,
                      size_t chunk, size_t cap, size_t *n_out)
{
    resample *r = NULL;
    moshi_error err = {0};
    size_t room = (size_t)((double)n * to_hz / from_hz) + cap + 64;
    float *out = malloc(room * sizeof *out);
    assert_non_null(out);
    assert_int_equal(resample_open(&r, from_hz, to_hz, &err), MOSHI_OK);
    size_t at = 0, got_all = 0;
    for (;;) {
        size_t part = n - at < chunk ? n - at : chunk, used, got;
        int finish = at + part == n;
        assert_true(got_all + cap <= room);
        assert_int_equal(resample_push(r, in + at, part, finish,
                                       out + got_all, cap, &used, &got, &err),
                         MOSHI_OK);
        assert_true(used <= part && got <= cap);
        at += used;
        got_all += got;
        if (finish && used == part && got == 0)
            break;
    }
    resample_close(&r);
    assert_null(r);
    *n_out = got_all;
    return out;
}

static size_t exact_length(size_t n, int from_hz, int to_hz)
{
    return (size_t)floor((double)n * to_hz / from_hz + 0.5);
}

static void length_is_exact(void **state)
{
    (void)state;
    static const size_t lengths[] = {0,   1,   2,    3,    7,    100, 255,
                                     256, 257, 1000, 1920, 4801, 24000};
    float *in = audio_noise(24000, 0.1);
    for (size_t i = 0; i < RATES; i++)
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
            for (int back = 0; back < 2; back++) {
                int from = back ? 24000 : rates_hz[i];
                int to = back ? rates_hz[i] : 24000;
                size_t n;
                float *out = convert(from, to, in, lengths[k], 777, 1000, &n);
                assert_int_equal(n, exact_length(lengths[k], from, to));
                free(out);
            }
    free(in);
}

static void there_and_back_has_the_first_length(void **state)
{
    (void)state;
    for (size_t i = 0; i < RATES; i++) {
        size_t n = (size_t)rates_hz[i] / 2, there, back;
        float *in = audio_noise(n, 0.1);
        float *a = convert(rates_hz[i], 24000, in, n, 512, 512, &there);
        float *b = convert(24000, rates_hz[i], a, there, 512, 512, &back);
        /* One rounding, of half an output sample, seen at the other rate. */
        double most = 0.5 * rates_hz[i] / 24000 + 0.5;
        assert_true(fabs((double)back - (double)n) <= most);
        free(in), free(a), free(b);
    }
}

static void chunking_does_not_matter(void **state)
{
    (void)state;
    static const size_t chunks[][2] = {
        {1, 4096}, {7, 13}, {256, 256}, {1000, 1}, {5000, 1920}};
    const size_t n = 5000;
    float *in = audio_noise(n, 0.2);
    for (size_t i = 0; i < RATES; i++) {
        size_t whole_n, part_n;
        float *whole = convert(rates_hz[i], 24000, in, n, n, 20000, &whole_n);
        for (size_t k = 0; k < sizeof chunks / sizeof *chunks; k++) {
            float *part = convert(rates_hz[i], 24000, in, n, chunks[k][0],
                                  chunks[k][1], &part_n);
            assert_int_equal(part_n, whole_n);
            assert_memory_equal(part, whole, whole_n * sizeof *whole);
            free(part);
        }
        free(whole);
    }
    free(in);
}

/* Least squares of a*sin + b*cos of 1 kHz over the middle of the signal. */
static void fit_sine(const float *x, size_t n, int rate_hz, double *level,
                     double *phase, double *rest)
{
    size_t first = n / 4, last = n - n / 4;
    double ss = 0, cc = 0, sc = 0, xs = 0, xc = 0, error = 0;
    for (size_t i = first; i < last; i++) {
        double w = 2 * PI * 1000 * (double)i / rate_hz;
        ss += sin(w) * sin(w), cc += cos(w) * cos(w), sc += sin(w) * cos(w);
        xs += (double)x[i] * sin(w), xc += (double)x[i] * cos(w);
    }
    double det = ss * cc - sc * sc;
    double a = (xs * cc - xc * sc) / det, b = (xc * ss - xs * sc) / det;
    for (size_t i = first; i < last; i++) {
        double w = 2 * PI * 1000 * (double)i / rate_hz;
        double e = (double)x[i] - a * sin(w) - b * cos(w);
        error += e * e;
    }
    *level = sqrt(a * a + b * b);
    *phase = atan2(b, a);
    *rest = sqrt(error / (double)(last - first));
}

static void sine_keeps_frequency_level_and_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < RATES; i++) {
        size_t n = (size_t)rates_hz[i] / 2, n_out;
        double level, phase, rest;
        float *in = audio_sine(n, rates_hz[i], 1000, 0.5);
        float *out = convert(rates_hz[i], 24000, in, n, 960, 960, &n_out);
        fit_sine(out, n_out, 24000, &level, &phase, &rest);
        assert_true(fabs(20 * log10(level / 0.5)) < 0.01);
        /* A thousandth of an output sample. */
        assert_true(fabs(phase) < 2 * PI * 1000 / 24000 * 1e-3);
        assert_true(rest < audio_gain(-90));
        free(in), free(out);
    }
}

/* A phase is only known up to a period: a single pulse is not. */
static void pulse_stays_where_it_was(void **state)
{
    (void)state;
    const double at_s = 0.1, width_s = 0.0004;
    for (size_t i = 0; i < RATES; i++) {
        int rate = rates_hz[i];
        size_t n = (size_t)rate / 4, n_out, best = 0;
        float *in = audio_sine(n, rate, 0, 0);
        for (size_t k = 0; k < n; k++) {
            double t = ((double)k / rate - at_s) / width_s;
            in[k] = (float)exp(-t * t);
        }
        float *out = convert(rate, 24000, in, n, 256, 4096, &n_out);
        for (size_t k = 0; k < n_out; k++)
            if (out[k] > out[best])
                best = k;
        assert_int_equal(best, 2400);
        free(in), free(out);
    }
}

static void tone_above_the_new_band_vanishes(void **state)
{
    (void)state;
    size_t n = 48000, n_out;
    float *in = audio_sine(n, 48000, 15000, 0.5);
    float *out = convert(48000, 24000, in, n, 960, 960, &n_out);
    for (size_t i = n_out / 4; i < n_out * 3 / 4; i++)
        assert_true(fabs((double)out[i]) < audio_gain(-90));
    free(in), free(out);
}

static void equal_rates_pass_the_bits(void **state)
{
    (void)state;
    size_t n = 1000, n_out;
    float *in = audio_noise(n, 0.3);
    float *out = convert(24000, 24000, in, n, 77, 50, &n_out);
    assert_int_equal(n_out, n);
    assert_memory_equal(in, out, n * sizeof *in);
    free(in), free(out);
}

static void impossible_rates_are_refused(void **state)
{
    (void)state;
    static const int bad[][2] = {{0, 24000},     {-8000, 24000}, {90, 24000},
                                 {24000, 0},     {768001, 24000},
                                 {24000, 768001}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        resample *r = NULL;
        moshi_error err = {0};
        assert_int_equal(resample_open(&r, bad[i][0], bad[i][1], &err),
                         MOSHI_UNSUPPORTED);
        assert_null(r);
        assert_non_null(strstr(err.message, " Hz"));
    }
    resample *r = NULL;
    assert_int_equal(resample_open(&r, 768000, 3000, NULL), MOSHI_OK);
    resample_close(&r);
    resample_close(&r);
}

static void nothing_comes_after_the_end(void **state)
{
    (void)state;
    resample *r = NULL;
    moshi_error err = {0};
    float in[10] = {0}, out[100];
    size_t used = 99, got = 99;
    assert_int_equal(resample_open(&r, 8000, 24000, &err), MOSHI_OK);
    assert_int_equal(resample_push(r, in, 10, 1, out, 100, &used, &got, &err),
                     MOSHI_OK);
    assert_int_equal(used, 10);
    assert_int_equal(got, 30);
    assert_int_equal(resample_push(r, in, 1, 1, out, 100, &used, &got, &err),
                     MOSHI_ARGUMENT);
    assert_int_equal(used, 10);
    assert_int_equal(resample_push(r, NULL, 0, 1, out, 100, &used, &got, &err),
                     MOSHI_OK);
    assert_int_equal(got, 0);
    resample_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_is_exact),
        cmocka_unit_test(there_and_back_has_the_first_length),
        cmocka_unit_test(chunking_does_not_matter),
        cmocka_unit_test(sine_keeps_frequency_level_and_time),
        cmocka_unit_test(pulse_stays_where_it_was),
        cmocka_unit_test(tone_above_the_new_band_vanishes),
        cmocka_unit_test(equal_rates_pass_the_bits),
        cmocka_unit_test(impossible_rates_are_refused),
        cmocka_unit_test(nothing_comes_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
