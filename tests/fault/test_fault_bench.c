/* Goal: when memory runs out while a model is quantised, made up in memory or
 * measured, the answer is MOSHI_NO_MEMORY, nothing leaks, and no half file is
 * left. Method: fail the n-th allocation, for every small n and a thinning
 * choice of large ones. And a frame that is measured allocates nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../golden/golden.h"
#include "alloc_fault.h"
#include "fail_each.h"
#include "lab/bench.h"
#include "lab/bench_loop.h"
#include "quant/file.h"

static moshi_status quantize(void *context, moshi_error *err)
{
    static const char path[] = "fault-quantised.gguf";
    quant_params p = {.type = DTYPE_Q4_0, .threads = 1, .measure = true};
    moshi_status status = quant_file_write(context, path, &p, NULL, err);
    assert_int_equal(access(path, F_OK) == 0, status == MOSHI_OK);
    unlink(path);
    return status;
}

static void quantised_files(void **state)
{
    static const char *const models[] = {
        "lm-moshi-tiny/model.pytorch.safetensors",
        "lm-moshi-tiny/model.q8.gguf"};
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        lm_model *m = golden_lm(models[i], "lm-moshi-tiny/config.json");
        fail_each(models[i], quantize, m);
        lm_model_close(&m);
    }
}

static moshi_status make(void *context, moshi_error *err)
{
    const moshi_model_params p = {.threads = 1};
    bench_model m = {0};
    moshi_status status = bench_model_synthetic(&m, context, &p, 2, NULL, NULL,
                                                err);
    /* jansson takes some lacks of memory for a fault in the text. */
    if (status == MOSHI_FORMAT && strstr(err->message, "not valid JSON"))
        status = MOSHI_NO_MEMORY;
    bench_model_close(&m);
    return status;
}

static void models_in_memory(void **state)
{
    char name[] = "tiny-q8_0";
    (void)state;
    fail_each("a model in memory", make, name);
}

static moshi_status measure(void *context, moshi_error *err)
{
    bench_run run = {.lanes = 77};
    const bench_params p = {.lanes = 2, .frames = 1, .cached = 3,
                            .profile = true};
    moshi_status status = bench_run_make(&run, context, &p, err);
    assert_int_equal(run.lanes, status == MOSHI_OK ? 2 : 77);
    if (status == MOSHI_OK)
        bench_run_release(&run);
    return status;
}

static void runs(void **state)
{
    (void)state;
    moshi_error err = {0};
    const moshi_model_params p = {.threads = 1};
    bench_model m = {0};
    assert_int_equal(bench_model_synthetic(&m, "tiny", &p, 0, NULL, NULL, &err),
                     MOSHI_OK);
    fail_each("a run", measure, &m);

    /* The weights still to be made count, too. */
    assert_int_equal(bench_loop_fits(m.model, 64, 1, &err), MOSHI_OK);
    assert_int_equal(bench_loop_fits(m.model, 1, UINT64_MAX / 2, &err),
                     MOSHI_NO_MEMORY);
    assert_non_null(strstr(err.message, "the weights"));

    bench_loop *l = calloc(1, sizeof *l);
    bench_times times;
    assert_int_equal(bench_loop_open(l, m.model, 3, 0, &err), MOSHI_OK);
    bench_loop_frame(l, &times);
    size_t before = alloc_fault_count();
    for (int i = 0; i < 100; i++)
        bench_loop_frame(l, &times);
    assert_int_equal(alloc_fault_count(), before);
    bench_loop_close(l);
    free(l);
    bench_model_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantised_files),
        cmocka_unit_test(models_in_memory),
        cmocka_unit_test(runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
