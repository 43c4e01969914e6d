/* Goal: a scan finds every wrong delay and order, and says so when it cannot.
 * Method: a codec of rules instead of weights. Its sounds are a hidden number
 * a frame; each codebook says that number in its own way, the semantic one
 * together with the number before it. Decoding lets the acoustic codebooks
 * vote, and a part of what is encoded again is noise, as in real codecs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "lab/replay.h"

#define BINS 64
#define BOOKS 8
#define FRAMES 120

static uint32_t random_state = 1;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

/* Codebook k's word for number x: odd factors have an inverse modulo 64. */
static int32_t word(int k, int x)
{
    return (x * (2 * k + 3) + 7 * k) % BINS;
}

static int meant_by(int k, int32_t code)
{
    for (int x = 0; x < BINS; x++)
        if (word(k, x) == code)
            return x;
    return 0;
}

static void say_frame(const int *numbers, size_t f, int K, int32_t *row)
{
    int before = f ? numbers[f - 1] : 0;
    row[0] = (numbers[f] + 5 * before) % BINS;
    for (int k = 1; k < K; k++)
        row[k] = word(k, numbers[f]);
}

static int vote(const int32_t *row, int K)
{
    int votes[BINS] = {0}, best = meant_by(1, row[1]);
    for (int k = 1; k < K; k++)
        votes[meant_by(k, row[k])]++;
    for (int x = 0; x < BINS; x++)
        if (votes[x] > votes[best])
            best = x;
    return best;
}

/* user: the share of codes lost on the way, in percent. */
static moshi_status run(void *user, const int32_t *const *codes, int n, int K,
                        size_t T, int32_t *const *back, moshi_error *err)
{
    int numbers[FRAMES * 4];
    uint32_t lost = *(const uint32_t *)user;
    (void)err;
    for (int i = 0; i < n; i++) {
        for (size_t f = 0; f < T; f++)
            numbers[f] = vote(codes[i] + f * (size_t)K, K);
        for (size_t f = 0; f < T; f++) {
            int32_t *row = back[i] + f * (size_t)K;
            say_frame(numbers, f, K, row);
            for (int k = 0; k < K; k++)
                if (draw(100) < lost)
                    row[k] = (int32_t)draw(BINS);
        }
    }
    return MOSHI_OK;
}

/* A codec for which only its own control (longer than the scan) is a sound. */
static moshi_status run_split(void *user, const int32_t *const *codes, int n,
                              int K, size_t T, int32_t *const *back,
                              moshi_error *err)
{
    static uint32_t none_kept = 100;
    return run(T == FRAMES ? user : &none_kept, codes, n, K, T, back, err);
}

static moshi_status run_broken(void *user, const int32_t *const *codes, int n,
                               int K, size_t T, int32_t *const *back,
                               moshi_error *err)
{
    (void)user, (void)codes, (void)n, (void)K, (void)T, (void)back;
    return error_set(err, MOSHI_MISMATCH, "frame 3 is not finite");
}

/* A recording of numbers that stay for a while, as sounds do. */
static void record(int32_t *codes, int K)
{
    int numbers[FRAMES];
    for (size_t f = 0; f < FRAMES; f++)
        numbers[f] = f % 3 ? numbers[f - 1] : (int)draw(BINS);
    for (size_t f = 0; f < FRAMES; f++)
        say_frame(numbers, f, K, codes + f * (size_t)K);
}

static void noise(int32_t *codes)
{
    for (size_t i = 0; i < FRAMES * BOOKS; i++)
        codes[i] = (int32_t)draw(BINS);
}

static uint32_t some_lost = 35, all_lost = 100;

static replay *scan(const int32_t *codes, moshi_status (*how)(
                        void *, const int32_t *const *, int, int, size_t,
                        int32_t *const *, moshi_error *), uint32_t *lost)
{
    static int32_t control[FRAMES * BOOKS];
    replay *r = NULL;
    replay_params p = {.delays = true, .orders = true, .frames_max = 100};
    record(control, BOOKS);
    assert_int_equal(replay_open(&r, codes, BOOKS, FRAMES, &p, NULL),
                     MOSHI_OK);
    assert_int_equal(replay_run(r, (echo_codec){how, lost}, control, BOOKS,
                                FRAMES, NULL), MOSHI_OK);
    return r;
}

static void verdict_is(const int32_t *codes, lab_class verdict,
                       const char *view, const char *text)
{
    replay *r = scan(codes, run, &some_lost);
    if (r->verdict != verdict)
        print_message("%s\n", r->line);
    assert_int_equal(r->verdict, verdict);
    if (view)
        assert_string_equal(r->rows[r->best].view.name, view);
    assert_non_null(strstr(r->line, text));
    replay_close(&r);
}

static int32_t codes[FRAMES * BOOKS], wrong[FRAMES * BOOKS];

static void clean(void **state)
{
    (void)state;
    record(codes, BOOKS);
    verdict_is(codes, LAB_OK, NULL, "as recorded is the most consistent");
}

/* All acoustic codebooks moved by `by` frames in the file. */
static void delay(int by, int first, int last)
{
    record(codes, BOOKS);
    memcpy(wrong, codes, sizeof wrong);
    for (int f = 0; f < FRAMES; f++)
        for (int k = first; k <= last; k++)
            if (f + by >= 0 && f + by < FRAMES)
                wrong[(f + by) * BOOKS + k] = codes[f * BOOKS + k];
}

static void delays(void **state)
{
    (void)state;
    delay(1, 1, BOOKS - 1);
    verdict_is(wrong, LAB_TIMELINE, "acoustic +1", "come 1 frame too late");
    delay(-2, 1, BOOKS - 1);
    verdict_is(wrong, LAB_TIMELINE, "acoustic -2", "come 2 frames too early");
    delay(3, 1, 1);
    verdict_is(wrong, LAB_TIMELINE, "codebook 1 +3", "codebook 1 comes");
}

static void orders(void **state)
{
    (void)state;
    record(codes, BOOKS);
    memcpy(wrong, codes, sizeof wrong);
    for (int f = 0; f < FRAMES; f++) {
        wrong[f * BOOKS + 1] = codes[f * BOOKS + 2];
        wrong[f * BOOKS + 2] = codes[f * BOOKS + 1];
    }
    verdict_is(wrong, LAB_TIMELINE, "swap 1 and 2", "are exchanged");
    for (int f = 0; f < FRAMES; f++)
        for (int k = 0; k < BOOKS; k++)
            wrong[f * BOOKS + k] = codes[f * BOOKS + BOOKS - 1 - k];
    verdict_is(wrong, LAB_TIMELINE, "codebooks reversed", "reverse order");
    for (int f = 0; f < FRAMES; f++)
        memcpy(wrong + f * BOOKS, codes + (FRAMES - 1 - f) * BOOKS,
               BOOKS * sizeof *codes);
    verdict_is(wrong, LAB_TIMELINE, "time reversed", "frames are in reverse");
    /* The numbers of a [T, K] file, read as [K, T]. */
    for (int i = 0; i < FRAMES * BOOKS; i++)
        wrong[i % FRAMES * BOOKS + i / FRAMES] = codes[i];
    verdict_is(wrong, LAB_TIMELINE, "transposed", "transposed");
}

static void two_voices(void **state)
{
    (void)state;
    static int32_t own[FRAMES * BOOKS / 2], user[FRAMES * BOOKS / 2];
    record(own, BOOKS / 2);
    record(user, BOOKS / 2);
    for (int f = 0; f < FRAMES; f++)
        for (int k = 0; k < BOOKS / 2; k++) {
            wrong[f * BOOKS + 2 * k] = own[f * BOOKS / 2 + k];
            wrong[f * BOOKS + 2 * k + 1] = user[f * BOOKS / 2 + k];
        }
    replay *r = scan(wrong, run, &some_lost);
    assert_int_equal(r->verdict, LAB_TIMELINE);
    assert_non_null(strstr(r->line, "two voices, codebook by codebook"));
    replay_close(&r);
}

static void cannot_tell(void **state)
{
    (void)state;
    noise(codes);
    verdict_is(codes, LAB_CANNOT_TELL, NULL, "are within noise");
    record(codes, BOOKS);
    replay *r = scan(codes, run, &all_lost);
    assert_int_equal(r->verdict, LAB_CANNOT_TELL);
    assert_non_null(strstr(r->line, "echo is no measure"));
    replay_close(&r);
    /* Silence: every frame the same. */
    for (int i = 0; i < FRAMES * BOOKS; i++)
        codes[i] = i % BOOKS;
    r = scan(codes, run, &some_lost);
    assert_int_equal(r->verdict, LAB_CANNOT_TELL);
    assert_non_null(strstr(r->line, "the codes stand still"));
    replay_close(&r);
    /* Lively codes of which nothing comes back. */
    for (size_t i = 0; i < FRAMES * BOOKS; i++)
        codes[i] = (int32_t)(i * i % 61);
    r = scan(codes, run_split, &some_lost);
    assert_int_equal(r->verdict, LAB_CANNOT_TELL);
    assert_non_null(strstr(r->line, "not the codes of a sound"));
    replay_close(&r);
}

static void broken_codec(void **state)
{
    (void)state;
    record(codes, BOOKS);
    replay *r = scan(codes, run_broken, NULL);
    assert_int_equal(r->verdict, LAB_CODEC);
    assert_string_equal(r->line, "frame 3 is not finite");
    replay_close(&r);
}

static void few_frames(void **state)
{
    (void)state;
    moshi_error err;
    replay *r = NULL;
    replay_params p = {.delays = true, .frames_max = 100};
    assert_int_equal(replay_open(&r, codes, BOOKS, 21, &p, &err),
                     MOSHI_ARGUMENT);
    assert_non_null(strstr(err.message, "21 frames are too few"));
    assert_int_equal(replay_open(&r, codes, 1, 22, &p, &err), MOSHI_OK);
    assert_int_equal(r->n_rows, 1); /* nothing to shift */
    replay_close(&r);
}

static void weights_add_up(void **state)
{
    (void)state;
    for (int K = 1; K <= 32; K++) {
        double sum = 0;
        for (int k = 0; k < K; k++)
            sum += echo_weight(k, K);
        assert_true(sum == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean),       cmocka_unit_test(delays),
        cmocka_unit_test(orders),      cmocka_unit_test(two_voices),
        cmocka_unit_test(cannot_tell), cmocka_unit_test(broken_codec),
        cmocka_unit_test(few_frames),  cmocka_unit_test(weights_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
