/* The parts of analyze, each on sound made here whose answer is known: cuts
 * and the grid they keep to, what was done to the frames, frames that come
 * twice, levels, gaps and byte order, the direction of time, marks in step with
 * the strides of the codec, STOI. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/analyze.h"
#include "lab/analyze_direction.h"
#include "lab/analyze_grid.h"
#include "lab/analyze_level.h"
#include "lab/analyze_order.h"
#include "lab/analyze_ref.h"
#include "lab/analyze_repeat.h"
#include "lab/analyze_speech.h"
#include "lab/analyze_stride.h"
#include "lab/stoi.h"

#define RATE_HZ 24000
#define FRAME   1920
#define FRAMES  60
#define N       (FRAMES * FRAME)
#define PI      3.14159265358979323846

static uint32_t seed = 1;

static double chance(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (double)(seed >> 8) / (1 << 24) - 0.5;
}

/* A voice: pulses at a wandering pitch set three resonances ringing. */
static void speak(float *x, size_t n)
{
    static const double hz[3] = {620, 1380, 2600}, width[3] = {80, 110, 160};
    double y1[3] = {0}, y2[3] = {0}, phase = 0;
    seed = 1;
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / RATE_HZ, out = 0;
        double pitch = 118 + 22 * sin(2 * PI * 0.71 * t) +
                       4 * sin(2 * PI * 5.3 * t);
        double loud = 0.55 + 0.45 * sin(2 * PI * 3.7 * t);
        phase += pitch / RATE_HZ;
        double pulse = phase >= 1 ? 1 : 0;
        phase -= pulse;
        for (int k = 0; k < 3; k++) {
            double f = hz[k] * (1 + 0.12 * sin(2 * PI * (1.3 + k) * t + k));
            double r = exp(-PI * width[k] / RATE_HZ);
            double y = 2 * r * cos(2 * PI * f / RATE_HZ) * y1[k] -
                       r * r * y2[k] + pulse;
            y2[k] = y1[k];
            y1[k] = y;
            out += y / (k + 1);
        }
        x[i] = (float)(0.08 * loud * out + 0.0004 * chance());
    }
}

static float *voice(void)
{
    float *x = malloc(N * sizeof *x);
    assert_non_null(x);
    speak(x, N);
    return x;
}

/* to[k] = frame order[k] of `from`. */
static void reorder(float *to, const float *from, const size_t *order,
                    size_t frames)
{
    for (size_t k = 0; k < frames; k++)
        memcpy(to + k * FRAME, from + order[k] * FRAME, FRAME * sizeof *to);
}

static grid look(const float *x, size_t n, order_name *order)
{
    cut_list cuts = {0};
    grid g;
    assert_int_equal(cuts_find(&cuts, x, n, NULL), MOSHI_OK);
    assert_int_equal(grid_find(&g, &cuts, n, NULL), MOSHI_OK);
    if (order)
        assert_int_equal(order_find(order, &g, x, n, NULL), MOSHI_OK);
    cut_list_release(&cuts);
    return g;
}

static void clean_sound_has_no_grid(void **state)
{
    (void)state;
    float *x = voice();
    assert_true(look(x, N, NULL).evidence < 1);
    assert_true(look(x, 100, NULL).evidence == 0);
    assert_true(look(x, 3 * FRAME, NULL).evidence < 1);
    memset(x, 0, N * sizeof *x);
    assert_true(look(x, N, NULL).evidence == 0);
    free(x);
}

/* Cut anywhere: the boundaries are found to the sample. */
static void swapped_frames_are_found(void **state)
{
    (void)state;
    float *x = voice(), *y = malloc(N * sizeof *y);
    size_t order[FRAMES];
    order_name name;
    for (size_t k = 0; k < FRAMES; k++)
        order[k] = k ^ 1;
    reorder(y, x, order, FRAMES);
    for (size_t shift = 0; shift < FRAME; shift += 611) {
        grid g = look(y + shift, N - shift, &name);
        assert_true(g.evidence > 3);
        assert_int_equal(g.period, 1);
        size_t want = (FRAME - shift) % FRAME;
        size_t off = (g.offset + FRAME + 1 - want) % FRAME;
        assert_true(off <= 2);
        assert_int_equal(name, ORDER_SWAPPED);
    }
    free(x);
    free(y);
}

static void orders_are_named(void **state)
{
    (void)state;
    float *x = voice(), *y = malloc(N * sizeof *y);
    size_t order[FRAMES];
    order_name name;
    for (size_t k = 0; k < FRAMES; k++)
        order[k] = FRAMES - 1 - k;
    reorder(y, x, order, FRAMES);
    assert_true(look(y, N, &name).evidence > 3);
    assert_int_equal(name, ORDER_REVERSED);
    /* Reversed inside: the same joints. */
    for (size_t k = 0; k < FRAMES; k++)
        for (size_t i = 0; i < FRAME; i++)
            y[k * FRAME + i] = x[k * FRAME + FRAME - 1 - i];
    assert_true(look(y, N, &name).evidence > 3);
    assert_int_equal(name, ORDER_REVERSED);
    /* Rotated by two within each four. */
    for (size_t k = 0; k < FRAMES; k++)
        order[k] = k / 4 * 4 + (k % 4 * 3 + 2) % 4;
    reorder(y, x, order, FRAMES);
    assert_true(look(y, N, &name).evidence > 3);
    assert_true(name == ORDER_SHUFFLED || name == ORDER_LEFT_OUT);
    free(x);
    free(y);
}

static void left_out_frames_are_found(void **state)
{
    (void)state;
    float *x = voice(), *y = malloc(N * sizeof *y);
    size_t order[FRAMES], n = 0;
    order_name name;
    for (size_t k = 0; k < FRAMES; k++)
        if (k % 5 != 4)
            order[n++] = k;
    reorder(y, x, order, n);
    grid g = look(y, n * FRAME, &name);
    assert_true(g.evidence > 1);
    assert_int_equal(g.period % 4, 0); /* some cuts do not show */
    assert_int_equal(name, ORDER_LEFT_OUT);
    free(x);
    free(y);
}

static void repeats_are_found(void **state)
{
    (void)state;
    float *x = voice(), *y = malloc(N * sizeof *y);
    repeat found[8];
    size_t order[FRAMES];
    assert_int_equal(repeats_find(found, 8, x, N), 0);
    for (size_t k = 0; k < FRAMES; k++)
        order[k] = k < 20 ? k : k < 40 ? k - 1 : k - 2;
    reorder(y, x, order, FRAMES);
    assert_int_equal(repeats_find(found, 8, y, N), 2);
    assert_true(found[0].at + 80 >= 20 * FRAME && found[0].at <= 20 * FRAME + 80);
    assert_int_equal(found[0].frames, 1);
    assert_int_equal(repeats_find(found, 1, y, N), 1);
    assert_int_equal(repeats_find(found, 8, y, 100), 0);
    /* A tone repeats itself for ever and is no repeated frame. */
    for (size_t i = 0; i < N; i++)
        y[i] = (float)sin(2 * PI * 100 * (double)i / RATE_HZ);
    assert_int_equal(repeats_find(found, 8, y, N), 0);
    free(x);
    free(y);
}

static void levels_are_measured(void **state)
{
    (void)state;
    float *x = voice();
    level_meter m;
    level_meter_init(&m, RATE_HZ);
    level_meter_push(&m, x, N);
    assert_true(m.clipped == 0 && m.gaps == 0 && m.n == N);
    assert_true(level_meter_smooth(&m) > 0.7);
    for (size_t i = 0; i < N; i++) {
        x[i] = x[i] * 20 > 1 ? 1 : x[i] * 20 < -1 ? -1 : x[i] * 20;
        if (i % 9600 > 9000)
            x[i] = 0;
    }
    level_meter_init(&m, RATE_HZ);
    for (size_t at = 0; at < N; at += 1000) /* in pieces */
        level_meter_push(&m, x + at, N - at < 1000 ? N - at : 1000);
    assert_true(m.clipped > 100);
    assert_true(m.gaps >= 8 && m.gaps <= N / 9600);
    assert_true(m.gap[0].samples >= 590 && m.gap[0].samples <= 610);
    free(x);
}

static void bytes_are_exchanged(void **state)
{
    (void)state;
    float *x = voice();
    level_meter m;
    for (size_t i = 0; i < N; i++) {
        uint16_t v = (uint16_t)(int16_t)lrintf(x[i] * 32767);
        x[i] = (float)(int16_t)(uint16_t)(v << 8 | v >> 8) / 32768;
    }
    level_meter_init(&m, RATE_HZ);
    level_meter_push(&m, x, N);
    assert_true(level_meter_smooth(&m) < 0.4);
    assert_true(level_meter_smooth_swapped(&m) > 0.7);
    free(x);
}

static void time_has_a_direction(void **state)
{
    (void)state;
    float *x = voice();
    direction forwards = {0}, backwards = {0};
    assert_int_equal(direction_push(&forwards, x, N, NULL), MOSHI_OK);
    for (size_t i = 0; i < N / 2; i++) {
        float v = x[i];
        x[i] = x[N - 1 - i];
        x[N - 1 - i] = v;
    }
    assert_int_equal(direction_push(&backwards, x, N, NULL), MOSHI_OK);
    assert_true(direction_read(&forwards) > 0.3);
    assert_true(direction_read(&backwards) < -0.3);
    free(x);
}

static void speech_is_measured(void **state)
{
    (void)state;
    float *x = voice();
    speech_meter m = {0};
    assert_int_equal(speech_meter_push(&m, x, N, NULL), MOSHI_OK);
    speech_measures s = speech_meter_read(&m);
    assert_true(s.modulation_4hz > 0.5 && s.voiced_share > 0.8);
    assert_true(s.pitch_hz > 100 && s.pitch_hz < 140);
    speech_meter_release(&m);
    s = speech_meter_read(&m);
    assert_true(isnan(s.modulation_4hz) && isnan(s.pitch_hz));
    free(x);
}

static stride_measures marks(const float *x, size_t pieces)
{
    stride_meter m = {0};
    for (size_t i = 0; i < pieces; i++)
        assert_int_equal(stride_push(&m, x + i * (N / pieces), N / pieces,
                                     NULL), MOSHI_OK);
    stride_measures out = stride_read(&m);
    stride_release(&m);
    return out;
}

/* A state that is lost at every stride: what follows begins from nothing. */
static void strides_are_measured(void **state)
{
    (void)state;
    float *x = voice(), *y = malloc(N * sizeof *y);
    stride_measures clean = marks(x, 1), parts = marks(x, 3);
    for (int s = 0; s < STRIDES; s++) {
        double limit = analyze_measure_about(
            (analyze_measure)(ANALYZE_STRIDE_4 + s))->high;
        size_t stride = stride_samples[s], ramp = stride < 8 ? 1 : stride / 8;
        assert_true(clean.surprise[s] < limit / 2);
        for (size_t i = 0; i < N; i++)
            y[i] = i % stride >= ramp ? x[i]
                   : stride < 8 ? x[i] / 2
                   : x[i] * (float)(i % stride) / (float)ramp;
        stride_measures m = marks(y, 1);
        assert_true(m.surprise[s] > limit);
    }
    /* Pieces keep to one grid; only their ends are foreseen otherwise. */
    assert_true(fabs(parts.surprise[2] - clean.surprise[2]) < 0.05);
    if (!isnan(clean.flux)) {
        assert_true(clean.flux < 0.1);
        size_t order[FRAMES]; /* no two neighbours stay together */
        for (size_t k = 0; k < FRAMES; k++)
            order[k] = k * 23 % FRAMES;
        reorder(y, x, order, FRAMES);
        assert_true(marks(y, 1).flux > clean.flux + 0.2);
    }
    memset(y, 0, N * sizeof *y);
    assert_true(isnan(marks(y, 1).surprise[0]));
    free(x);
    free(y);
}

/* The figures are pystoi's (0.4.1) for these very sounds. */
static void stoi_is_pystois(void **state)
{
    (void)state;
    size_t n = 3 * STOI_RATE_HZ;
    float *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y);
    double stoi = 0;
    seed = 1;
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / STOI_RATE_HZ;
        double loud = 0.5 + 0.5 * sin(2 * PI * 4 * t);
        x[i] = (float)(loud * chance());
        y[i] = (float)((double)x[i] + 0.3 * chance());
    }
    moshi_status status = stoi_measure(&stoi, x, x, n, NULL);
    if (status == MOSHI_LACKING)
        skip();
    assert_int_equal(status, MOSHI_OK);
    assert_true(fabs(stoi - 1) < 1e-5);
    assert_int_equal(stoi_measure(&stoi, x, y, n, NULL), MOSHI_OK);
    assert_true(fabs(stoi - 0.944996) < 1e-3);
    assert_int_equal(stoi_measure(&stoi, x, y, 1000, NULL), MOSHI_OK);
    assert_true(isnan(stoi));
    free(x);
    free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_sound_has_no_grid),
        cmocka_unit_test(swapped_frames_are_found),
        cmocka_unit_test(orders_are_named),
        cmocka_unit_test(left_out_frames_are_found),
        cmocka_unit_test(repeats_are_found),
        cmocka_unit_test(levels_are_measured),
        cmocka_unit_test(bytes_are_exchanged),
        cmocka_unit_test(time_has_a_direction),
        cmocka_unit_test(speech_is_measured),
        cmocka_unit_test(strides_are_measured),
        cmocka_unit_test(stoi_is_pystois),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
