/* test_sampler.c: greedy, temperature and top-k draws, seeded.
 *
 * Goal: greedy takes the largest, lowest index on ties; top-k draws only among
 * the k largest and k = 1 is greedy; frequencies follow the softmax; the same
 * seed draws the same tokens. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models.h"
#include "plan/sampler.h"

#define V 1000
#define DRAWS 200000

static float scratch[V];

static void greedy(void **state)
{
    float logits[V] = {0};
    sampler_choice c = {0};
    (void)state;
    assert_int_equal(sampler_draw(&c, logits, V, scratch), 0);
    logits[17] = logits[400] = 3;
    assert_int_equal(sampler_draw(&c, logits, V, scratch), 17);
    assert_int_equal(c.draws, 0);
}

static void only_the_k_largest(void **state)
{
    float logits[V];
    (void)state;
    for (uint32_t seed = 0; seed < 50; seed++) {
        models_noise(logits, V, seed);
        for (int i = 0; i < V; i++) /* many ties */
            logits[i] = floorf(logits[i] * 40);
        for (int k = 1; k < V; k = k * 3 + 1) {
            sampler_choice c = {.temperature = 50, .top_k = k, .seed = seed};
            int seen[V] = {0}, distinct = 0;
            /* Rank of a token: larger ones, then earlier equal ones. */
            for (int n = 0; n < 200; n++) {
                int32_t t = sampler_draw(&c, logits, V, scratch), rank = 0;
                assert_in_range(t, 0, V - 1);
                for (int i = 0; i < V; i++)
                    rank += logits[i] > logits[t] ||
                            (logits[i] == logits[t] && i < t);
                assert_true(rank < k);
                distinct += !seen[t]++;
            }
            assert_true(distinct <= k);
            assert_true(k == 1 || distinct > 1);
        }
    }
}

static void frequencies(void **state)
{
    const float logits[5] = {0, 1, 2, -1, 1.5f};
    const float temperature = 0.7f;
    sampler_choice c = {.temperature = temperature, .top_k = 4, .seed = 11};
    int count[5] = {0};
    double sum = 0;
    (void)state;
    for (int n = 0; n < DRAWS; n++)
        count[sampler_draw(&c, logits, 5, scratch)]++;
    assert_int_equal(count[3], 0); /* the smallest is cut off */
    for (int i = 0; i < 5; i++)
        sum += i == 3 ? 0 : exp(logits[i] / temperature);
    for (int i = 0; i < 5; i++) {
        double p = i == 3 ? 0 : exp(logits[i] / temperature) / sum;
        double error = count[i] / (double)DRAWS - p;
        assert_true(fabs(error) < 5 * sqrt(p * (1 - p) / DRAWS) + 1e-9);
    }
    assert_int_equal(c.draws, DRAWS);
}

static void repeats_by_seed(void **state)
{
    float logits[V];
    sampler_choice a = {.temperature = 1, .seed = 5}, b = a;
    sampler_choice other = {.temperature = 1, .seed = 6};
    int differs = 0;
    (void)state;
    models_noise(logits, V, 1);
    for (int n = 0; n < 100; n++) {
        int32_t t = sampler_draw(&a, logits, V, scratch);
        assert_int_equal(t, sampler_draw(&b, logits, V, scratch));
        differs += t != sampler_draw(&other, logits, V, scratch);
    }
    assert_true(differs > 50);
}

static void strange_logits(void **state)
{
    float logits[4] = {NAN, -INFINITY, 3, INFINITY};
    sampler_choice c = {.temperature = 1, .top_k = 2};
    (void)state;
    for (int n = 0; n < 10; n++)
        assert_in_range(sampler_draw(&c, logits, 4, scratch), 0, 3);
    for (int i = 0; i < 4; i++)
        logits[i] = NAN;
    assert_in_range(sampler_draw(&c, logits, 4, scratch), 0, 3);
}

/* What was said lately is less likely, once for each token however often it
 * was said; what was said before that, and padding, is not touched. */
static void penalty_for_repetition(void **state)
{
    (void)state;
    sampler s = {.bend = {.penalty = 2, .context = 3, .pad = 3, .end_pad = 0}};
    static const int32_t said[] = {9, 5, 3, 0, 3, 7, 5};
    float logits[12];
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        sampler_said(&s, said[i]);
    for (int i = 0; i < 12; i++)
        logits[i] = i % 2 ? (float)i : (float)-i;
    /* The last three that count: 5, 7, 5. */
    assert_int_equal(sampler_draw_text(&s, logits, 12, scratch), 11);
    for (int i = 0; i < 12; i++) {
        float plain = i % 2 ? (float)i : (float)-i;
        assert_float_equal(logits[i], i == 5 || i == 7 ? plain / 2 : plain, 0);
    }
    logits[5] = -4;
    sampler_draw_text(&s, logits, 12, scratch);
    assert_float_equal(logits[5], -8, 0);
}

/* More is said than is remembered. */
static void penalty_after_a_long_time(void **state)
{
    (void)state;
    sampler s = {.bend = {.penalty = 4,
                          .context = SAMPLER_SAID_MAX,
                          .pad = 3,
                          .end_pad = 0}};
    static float logits[V];
    for (int32_t i = 0; i < V; i++)
        sampler_said(&s, i);
    for (int i = 0; i < V; i++)
        logits[i] = 4;
    sampler_draw_text(&s, logits, V, scratch);
    for (int i = 0; i < V; i++)
        assert_float_equal(logits[i], i < V - SAMPLER_SAID_MAX ? 4 : 1, 0);
}

/* Padding becomes e^m times as likely against the others. */
static void more_padding(void **state)
{
    (void)state;
    const float m = 1.5f;
    sampler s = {.text = {.temperature = 0.7f, .seed = 5},
                 .bend = {.pad_mult = m, .pad = 3}};
    long count[5] = {0};
    for (int n = 0; n < DRAWS; n++) {
        float logits[5] = {0};
        count[sampler_draw_text(&s, logits, 5, scratch)]++;
    }
    double ratio = (double)count[3] * 4 / (double)(DRAWS - count[3]);
    assert_true(fabs(ratio / exp((double)m) - 1) < 0.02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy),
        cmocka_unit_test(penalty_for_repetition),
        cmocka_unit_test(penalty_after_a_long_time),
        cmocka_unit_test(more_padding),
        cmocka_unit_test(only_the_k_largest),
        cmocka_unit_test(frequencies),
        cmocka_unit_test(repeats_by_seed),
        cmocka_unit_test(strange_logits),
    };
    return cmocka_run_group_tests_name("sampler", tests, NULL, NULL);
}
