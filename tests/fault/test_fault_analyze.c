/* Goal: when memory runs out while a recording is analysed, at whichever
 * allocation, analyze says so and leaks nothing. Method: that of
 * test_fault_files, on a recording made here with cuts in it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../unit/file_bytes.h"
#include "audio/sink_file.h"
#include "fail_each.h"
#include "lab/analyze.h"

#define N 26000

static moshi_status analyze(void *context, moshi_error *err)
{
    static analyze_report report;
    analyze_params p = {.path = context, .reference = context,
                        .picture = true};
    moshi_status status = analyze_run(&report, &p, err);
    if (status == MOSHI_OK)
        analyze_report_release(&report);
    return status;
}

static void recording(void **state)
{
    (void)state;
    static float x[N];
    char path[512] = {0};
    sink_file *sink = NULL;
    for (int i = 0; i < N; i++)
        x[i] = (float)(0.3 * sin(i * 0.02 + 2.1 * (i / 1920)) *
                       (0.6 + 0.4 * sin(i * 0.001)));
    strncpy(path, test_path("analyze.wav"), sizeof path - 1);
    assert_int_equal(sink_file_open(&sink, path, 24000, SINK_PCM16, NULL),
                     MOSHI_OK);
    assert_int_equal(sink_file_write(sink, x, N, NULL), MOSHI_OK);
    assert_int_equal(sink_file_finish(sink, NULL), MOSHI_OK);
    sink_file_close(&sink);
    fail_each("analyze", analyze, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(recording)};
    return cmocka_run_group_tests(tests, NULL, test_folder_remove);
}
