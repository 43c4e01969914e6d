/* test_timeline.c: the delayed grid without any model.
 *
 * Goal: the worked table of docs/MODEL.md, delays, for delays 0, 1 and 2 and
 * for all codebook counts of the family. Method: symbolic tokens: what step n
 * produces for stream c is 1000 c + n, what the user says in frame n likewise
 * with 100000 more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lm/timeline.h"

#define TEXT_START 32000
#define PAD 2048
#define STEPS 500

static int32_t own_token(int c, int step)
{
    return 1000 * (c + 1) + step;
}

static int32_t user_token(int c, int frame)
{
    return 100000 + 1000 * c + frame;
}

static void check(int own, int user, int delay)
{
    static timeline t;
    int delays[1 + LIMIT_CODEBOOKS] = {0};
    int32_t in[1 + LIMIT_CODEBOOKS], out[1 + LIMIT_CODEBOOKS];
    int32_t heard[LIMIT_CODEBOOKS], frame[LIMIT_CODEBOOKS];
    for (int c = 0; c < own + user; c++)
        delays[1 + c] = c == 0 || c == own ? 0 : delay;
    timeline_init(&t, own, user, delays, TEXT_START, PAD);
    for (int round = 0; round < 2; round++) {
        for (int s = 0; s < STEPS; s++) {
            for (int c = 0; c < user; c++)
                heard[c] = user_token(c, s);
            timeline_hear(&t, heard);
            timeline_inputs(&t, in);
            assert_int_equal(in[0], s == 0 ? TEXT_START : own_token(-1, s - 1));
            for (int c = 0; c < own; c++) {
                int d = delays[1 + c];
                assert_int_equal(in[1 + c], s <= d ? PAD
                                                   : own_token(c, s - 1));
            }
            for (int c = 0; c < user; c++) {
                int d = delays[1 + own + c];
                assert_int_equal(in[1 + own + c],
                                 s <= d ? PAD : user_token(c, s - 1 - d));
            }
            for (int c = -1; c < own; c++)
                out[1 + c] = own_token(c, s);
            timeline_advance(&t, out);
            int most = own > 1 ? delay : 0;
            bool complete = timeline_frame(&t, frame);
            assert_int_equal(complete, own > 0 && s >= most);
            /* Frame s - most: {s_f, a_{f+d}}. */
            for (int c = 0; complete && c < own; c++)
                assert_int_equal(frame[c],
                                 own_token(c, s - most + delays[1 + c]));
        }
        timeline_reset(&t);
    }
}

static void tables(void **state)
{
    static const struct { int own, user; } sides[] = {
        {8, 8}, {16, 16}, {0, 32}, {32, 0}, {1, 1}, {16, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        for (int delay = 0; delay <= 3; delay++)
            check(sides[i].own, sides[i].user, delay);
    check(8, 8, LIMIT_DELAY);
}

/* Every codebook may have a delay of its own. */
static void uneven(void **state)
{
    static timeline t;
    const int delays[] = {0, 1, 0, 2, 4};
    int32_t out[5] = {0}, frame[4], heard[1] = {0};
    (void)state;
    timeline_init(&t, 4, 0, delays, 7, 9);
    for (int s = 0; s < 20; s++) {
        timeline_hear(&t, heard);
        for (int c = 0; c < 4; c++)
            out[1 + c] = own_token(c, s);
        timeline_advance(&t, out);
        assert_int_equal(timeline_frame(&t, frame), s >= 4);
        for (int c = 0; s >= 4 && c < 4; c++)
            assert_int_equal(frame[c], own_token(c, s - 4 + delays[1 + c]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables),
        cmocka_unit_test(uneven),
    };
    return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
