/* Goal: when memory runs out while a recording is analysed, at whichever
 * allocation, analyze says so and leaks nothing. Method: that of
 * test_fault_files, on a recording made here with cuts in it; and with the
 * tiny codec and codes that are not its own, which asks for all there is. */
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
#include "../stream/models.h"
#include "cpu/backend.h"
#include "files/tensor_writer.h"
#include "lab/analyze.h"

#define N 26000

static analyze_model known;
static char codes_path[512];

static moshi_status analyze_codes(void *context, moshi_error *err)
{
    static analyze_report report;
    analyze_params p = {.path = context, .model = &known,
                        .codes = codes_path};
    moshi_status status = analyze_run(&report, &p, err);
    if (status == MOSHI_OK)
        analyze_report_release(&report);
    return status;
}

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

/* Codes of noise: the recording is none of theirs, so a lag is looked for too. */
static void recording_and_codes(void **state)
{
    (void)state;
    static float x[N];
    static int32_t codes[8 * LIMIT_CODEBOOKS], table[8 * LIMIT_CODEBOOKS];
    char path[512] = {0};
    sink_file *sink = NULL;
    backend *be = NULL;
    tensor_writer *w = NULL;
    mimi_model *codec = models_mimi();
    size_t K = (size_t)codec->codebooks;
    tensor_spec spec = {"codes", DTYPE_I32, 2, {K, 8}};
    assert_int_equal(cpu_backend_open(&be, 1, CPU_LEVEL_COUNT, NULL),
                     MOSHI_OK);
    models_encode(be, codec, 8, codes);
    for (size_t i = 0; i < 8 * K; i++)
        table[i] = codes[i % 8 * K + i / 8];
    strncpy(codes_path, test_path("codes.safetensors"), sizeof codes_path - 1);
    assert_int_equal(tensor_writer_open(&w, codes_path, CHECKPOINT_SAFETENSORS,
                                        &spec, 1, NULL), MOSHI_OK);
    assert_int_equal(tensor_writer_push(w, table, 8 * K * sizeof *table, NULL),
                     MOSHI_OK);
    assert_int_equal(tensor_writer_finish(w, NULL), MOSHI_OK);
    tensor_writer_close(&w);
    models_noise(x, N / 3, 7);
    strncpy(path, test_path("noise.wav"), sizeof path - 1);
    assert_int_equal(sink_file_open(&sink, path, 24000, SINK_FLOAT32, NULL),
                     MOSHI_OK);
    assert_int_equal(sink_file_write(sink, x, N / 3, NULL), MOSHI_OK);
    assert_int_equal(sink_file_finish(sink, NULL), MOSHI_OK);
    sink_file_close(&sink);
    known = (analyze_model){.codec = codec, .backend = be};
    fail_each("analyze with codes", analyze_codes, path);
    mimi_model_close(&codec);
    be->close(&be);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recording),
        cmocka_unit_test(recording_and_codes),
    };
    return cmocka_run_group_tests(tests, NULL, test_folder_remove);
}
