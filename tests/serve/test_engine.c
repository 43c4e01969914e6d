/* test_engine.c: one engine, several seats.
 *
 * Goal: what a conversation says has the same bits alone (by the loop of
 * speech_to_speech), in an engine of its own, and beside others that come, go,
 * stall and send in other pieces; queues have an end; a full engine says so.
 * Method: the tiny model, noise, a thread that is the network's. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "models.h"
#include "serve/engine.h"

#define FRAME 1920
#define FRAMES 30
#define SEATS 3

typedef struct said {
    float pcm[FRAMES][FRAME];
    bool spoken[FRAMES];
    char text[FRAMES * 64];
    int frames;
} said;

static metrics counts;

static void nobody(void *user)
{
    (void)user;
}

static void hear_noise(float *pcm, int who)
{
    for (int f = 0; f < FRAMES; f++)
        models_noise(pcm + f * FRAME, FRAME, (uint32_t)(1000 * who + f));
}

static moshi_stream_params wishes(int who)
{
    return (moshi_stream_params){.seed = (uint64_t)who + 1};
}

static void alone(moshi_model *m, int who, said *out)
{
    static float pcm[FRAMES * FRAME];
    moshi_error err = {0};
    moshi_stream_params p = wishes(who);
    speech_to_speech *s = NULL;
    words w;
    assert_int_equal(speech_to_speech_open(&s, m, &p, &err), 0);
    words_init(&w);
    memset(out, 0, sizeof *out);
    hear_noise(pcm, who);
    for (int f = 0; f < FRAMES; f++) {
        char text[WORDS_BYTES_MAX];
        frame_result r = {.pcm = out->pcm[f]};
        speech_to_speech_frame(s, pcm + f * FRAME, &r);
        out->spoken[f] = r.spoken;
        words_hear(&w, m, r.tokens[0], text);
        snprintf(out->text + strlen(out->text),
                 sizeof out->text - strlen(out->text), "%s", text);
    }
    out->frames = FRAMES;
    speech_to_speech_close(&s);
}

static engine *open_engine(moshi_model *m, double speed_max)
{
    moshi_error err = {0};
    engine *e = NULL;
    engine_params p = {.model = m,
                       .seats = SEATS,
                       .speed_max = speed_max,
                       .metrics = &counts,
                       .wake = nobody};
    if (engine_open(&e, &p, &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    return e;
}

static engine_seat *sit(engine *e, moshi_model *m, int who)
{
    moshi_error err = {0};
    dialogue *d = NULL;
    engine_seat *seat = NULL;
    moshi_stream_params p = wishes(who);
    assert_int_equal(dialogue_open(&d, m, &p, NULL, &err), 0);
    assert_int_equal(engine_sit(e, &d, &seat), 0);
    assert_null(d);
    return seat;
}

static void take_answers(engine *e, engine_seat *seat, said *out)
{
    engine_answer a;
    while (engine_answer_next(e, seat, &a)) {
        int f = out->frames++;
        assert_true(f < FRAMES);
        out->spoken[f] = a.has_spoken;
        if (a.has_spoken)
            memcpy(out->pcm[f], a.spoken, sizeof out->pcm[f]);
        snprintf(out->text + strlen(out->text),
                 sizeof out->text - strlen(out->text), "%.*s",
                 (int)a.text_bytes, a.text);
        engine_answer_taken(e, seat);
    }
}

static void rest(void)
{
    struct timespec t = {.tv_nsec = 500000};
    nanosleep(&t, NULL);
}

static void same(const said *a, const said *b)
{
    assert_int_equal(a->frames, b->frames);
    assert_string_equal(a->text, b->text);
    for (int f = 0; f < FRAMES; f++) {
        assert_int_equal(a->spoken[f], b->spoken[f]);
        if (a->spoken[f])
            assert_memory_equal(a->pcm[f], b->pcm[f], sizeof a->pcm[f]);
    }
}

/* Seats 0 and 1 in pieces of their own; the third is taken and left, again and
 * again, with something on its way. */
static void in_company(void **state)
{
    static said solo[2], together[2];
    static float pcm[3][FRAMES * FRAME];
    static const size_t pieces[] = {700, 4321};
    moshi_model *m = models_both(1);
    engine *e = open_engine(m, 0);
    engine_seat *seats[2], *guest = NULL;
    size_t fed[2] = {0, 0};
    (void)state;
    for (int i = 0; i < 2; i++) {
        alone(m, i, &solo[i]);
        memset(&together[i], 0, sizeof together[i]);
        seats[i] = sit(e, m, i);
        hear_noise(pcm[i], i);
    }
    assert_string_not_equal(solo[0].text, solo[1].text);
    hear_noise(pcm[2], 2);
    double until = clock_seconds() + 60;
    for (int turn = 0; together[0].frames < FRAMES ||
                       together[1].frames < FRAMES; turn++) {
        assert_true(clock_seconds() < until);
        for (int i = 0; i < 2; i++) {
            size_t left = FRAMES * FRAME - fed[i];
            size_t n = pieces[i] < left ? pieces[i] : left;
            if (engine_room(e, seats[i]) < n)
                n = 0;
            engine_hear(e, seats[i], pcm[i] + fed[i], n, clock_seconds());
            fed[i] += n;
            take_answers(e, seats[i], &together[i]);
        }
        engine_sweep(e);
        if (turn % 4 == 0 && !guest) {
            moshi_error err = {0};
            dialogue *d = NULL;
            assert_int_equal(dialogue_open(&d, m, NULL, NULL, &err), 0);
            /* It may still be busy with the guest who left. */
            if (engine_sit(e, &d, &guest) == MOSHI_OK)
                engine_hear(e, guest, pcm[2], 3 * FRAME, clock_seconds());
            dialogue_close(&d);
        } else if (turn % 4 == 3) {
            engine_leave(e, &guest);
        }
        rest();
    }
    for (int i = 0; i < 2; i++) {
        same(&solo[i], &together[i]);
        assert_true(engine_idle(e, seats[i]));
        engine_leave(e, &seats[i]);
    }
    engine_leave(e, &guest);
    engine_close(&e);
    moshi_model_close(&m);
}

/* One whose answers nobody takes: its queues fill and stop, and the other goes
 * on. Later its answers are what they would have been. */
static void a_stalled_seat(void **state)
{
    static said solo, other, late;
    static float pcm[FRAMES * FRAME], noise[FRAMES * FRAME];
    moshi_model *m = models_both(1);
    engine *e = open_engine(m, 0);
    engine_seat *stalled = sit(e, m, 5), *live = sit(e, m, 6);
    (void)state;
    alone(m, 6, &solo);
    memset(&other, 0, sizeof other);
    memset(&late, 0, sizeof late);
    hear_noise(pcm, 6);
    hear_noise(noise, 5);
    /* 30 frames are more than the 25 answers that a seat keeps. */
    assert_true(engine_room(e, stalled) >= FRAMES * FRAME);
    engine_hear(e, stalled, noise, FRAMES * FRAME, clock_seconds());
    engine_hear(e, live, pcm, FRAMES * FRAME, clock_seconds());
    double until = clock_seconds() + 60;
    while (other.frames < FRAMES) {
        assert_true(clock_seconds() < until);
        take_answers(e, live, &other);
        rest();
    }
    same(&solo, &other);
    assert_false(engine_idle(e, stalled));
    /* Fill it to the end: room becomes nothing, and stays it. */
    static float zeros[FRAME];
    while (engine_room(e, stalled) >= FRAME)
        engine_hear(e, stalled, zeros, FRAME, clock_seconds());
    for (int i = 0; i < 20; i++)
        rest();
    assert_true(engine_room(e, stalled) < FRAME);
    alone(m, 5, &solo);
    while (late.frames < FRAMES) {
        engine_answer a;
        assert_true(clock_seconds() < until);
        if (engine_answer_next(e, stalled, &a)) {
            int f = late.frames++;
            assert_int_equal(solo.spoken[f], a.has_spoken);
            if (a.has_spoken)
                assert_memory_equal(solo.pcm[f], a.spoken,
                                    sizeof solo.pcm[f]);
            engine_answer_taken(e, stalled);
        } else {
            rest();
        }
    }
    engine_leave(e, &stalled);
    engine_leave(e, &live);
    engine_close(&e);
    moshi_model_close(&m);
}

static void full(void **state)
{
    moshi_error err = {0};
    moshi_model *m = models_both(1);
    engine *e = open_engine(m, 0);
    engine_seat *seats[SEATS], *none = NULL;
    dialogue *d = NULL;
    (void)state;
    for (int i = 0; i < SEATS; i++)
        seats[i] = sit(e, m, i);
    assert_int_equal(dialogue_open(&d, m, NULL, NULL, &err), 0);
    assert_int_equal(engine_sit(e, &d, &none), MOSHI_FULL);
    assert_non_null(d);
    engine_leave(e, &seats[1]);
    assert_int_equal(engine_sit(e, &d, &seats[1]), 0);
    for (int i = 0; i < SEATS; i++)
        engine_leave(e, &seats[i]);
    engine_close(&e);
    moshi_model_close(&m);
}

/* Who sends ahead of time is held to the bound, but for the second that may be
 * caught up, and nothing of that is late. */
static void not_too_fast(void **state)
{
    static said fast;
    static float pcm[FRAMES * FRAME];
    moshi_model *m = models_both(1);
    engine *e = open_engine(m, 1.5);
    engine_seat *seat = sit(e, m, 0);
    uint64_t late = metrics_counted(&counts, METRICS_FRAMES_LATE);
    (void)state;
    memset(&fast, 0, sizeof fast);
    hear_noise(pcm, 0);
    double start = clock_seconds();
    engine_hear(e, seat, pcm, FRAMES * FRAME, start);
    while (fast.frames < FRAMES) {
        take_answers(e, seat, &fast);
        rest();
    }
    /* 2.4 s of sound: 1.6 s at one and a half times, less one. */
    double took = clock_seconds() - start;
    assert_true(took > 0.5);
    assert_int_equal(metrics_counted(&counts, METRICS_FRAMES_LATE), late);
    engine_leave(e, &seat);
    engine_close(&e);
    moshi_model_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_company),
        cmocka_unit_test(a_stalled_seat),
        cmocka_unit_test(full),
        cmocka_unit_test(not_too_fast),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
