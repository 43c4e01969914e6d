/* test_metrics.c: what Prometheus reads.
 *
 * Goal: counters, gauges and histograms are written in its text format, each
 * name described once and in front of its series; quantiles are the ends of
 * buckets. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "serve/metrics.h"

static void text_format(void **state)
{
    static metrics m;
    text_buffer b = {0};
    (void)state;
    metrics_count(&m, METRICS_FRAMES, 3);
    metrics_set(&m, METRICS_SESSIONS, 2);
    metrics_observe(&m, METRICS_FRAME, 0.0025);
    metrics_observe(&m, METRICS_FRAME, 2);
    metrics_write(&m, &b);
    assert_false(b.failed);
    assert_non_null(strstr(b.text, "# TYPE moshi_frames_total counter\n"
                                   "moshi_frames_total 3\n"));
    assert_non_null(strstr(b.text, "# TYPE moshi_sessions gauge\n"
                                   "moshi_sessions 2\n"));
    assert_non_null(strstr(
        b.text, "moshi_frame_seconds_bucket{le=\"0.002\"} 0\n"
                "moshi_frame_seconds_bucket{le=\"0.003\"} 1\n"));
    assert_non_null(strstr(b.text,
                           "moshi_frame_seconds_bucket{le=\"+Inf\"} 2\n"
                           "moshi_frame_seconds_sum 2.002500000\n"
                           "moshi_frame_seconds_count 2\n"));
    text_buffer_release(&b);
}

/* Every line is a comment, or a name that was described before it. */
static void all_is_described(void **state)
{
    static metrics m;
    text_buffer b = {0};
    char name[128], type[32], described[128] = "";
    int types = 0;
    (void)state;
    metrics_write(&m, &b);
    for (char *line = b.text; *line;) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        *end = 0;
        if (sscanf(line, "# TYPE %127s %31s", name, type) == 2) {
            assert_string_not_equal(name, described);
            memcpy(described, name, sizeof described);
            types++;
        } else if (line[0] != '#') {
            assert_int_equal(strncmp(line, described, strlen(described)), 0);
        }
        line = end + 1;
    }
    assert_true(types > 10);
    text_buffer_release(&b);
}

static void quantiles(void **state)
{
    static metrics m;
    (void)state;
    assert_true(metrics_quantile(&m, METRICS_DELAY, 0.99) == 0);
    for (int i = 0; i < 99; i++)
        metrics_observe(&m, METRICS_DELAY, 0.0045);
    metrics_observe(&m, METRICS_DELAY, -1); /* the clock went back: 0 */
    assert_true(metrics_quantile(&m, METRICS_DELAY, 0.99) == 0.005);
    assert_true(metrics_quantile(&m, METRICS_DELAY, 0.01) == 0.001);
    for (int i = 0; i < 100; i++)
        metrics_observe(&m, METRICS_DELAY, 60);
    assert_true(isinf(metrics_quantile(&m, METRICS_DELAY, 0.99)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_format),
        cmocka_unit_test(all_is_described),
        cmocka_unit_test(quantiles),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
