/* Goal: when memory runs out while a model or a stream is being opened, the
 * answer is MOSHI_NO_MEMORY, nothing leaks and nothing crashes; and once a
 * stream is open, a frame allocates nothing at all. Method: fail the n-th
 * allocation, for every small n and a thinning choice of large ones; count
 * allocations while frames run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <moshi/moshi.h>

#include "../golden/golden.h"
#include "../stream/models.h"
#include "alloc_fault.h"
#include "cpu/backend.h"
#include "fail_each.h"

typedef struct lm_paths {
    char model[1024], config[1024];
} lm_paths;

static moshi_status open_lm(void *context, moshi_error *err)
{
    const lm_paths *p = context;
    lm_model *m = NULL;
    lm_model_params params = {.path = p->model, .config_path = p->config,
                              .acoustic_delay = -1};
    moshi_status status = lm_model_open(&m, &params, err);
    assert_int_equal(status == MOSHI_OK, m != NULL);
    lm_model_close(&m);
    return status;
}

static void language_models(void **state)
{
    static const struct { const char *model, *config; } files[] = {
        {"lm-moshi-tiny/model.q8.gguf", "lm-moshi-tiny/config.json"},
        {"lm-hibiki-tiny/model.pytorch.safetensors",
         "lm-hibiki-tiny/config.json"},
        {"lm-tts-tiny/model.pytorch.safetensors", "lm-tts-tiny/config.json"}};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        lm_paths p;
        snprintf(p.model, sizeof p.model, "%s", golden_path(files[i].model));
        snprintf(p.config, sizeof p.config, "%s",
                 golden_path(files[i].config));
        fail_each(files[i].model, open_lm, &p);
    }
}

static moshi_status open_mimi(void *context, moshi_error *err)
{
    const lm_paths *p = context;
    mimi_model *m = NULL;
    mimi_model_params params = {.path = p->model, .config_path = p->config};
    moshi_status status = mimi_model_open(&m, &params, err);
    mimi_model_close(&m);
    return status;
}

static void codec(void **state)
{
    lm_paths p;
    (void)state;
    snprintf(p.model, sizeof p.model, "%s",
             golden_path("mimi-tiny/model.safetensors"));
    snprintf(p.config, sizeof p.config, "%s",
             golden_path("mimi-tiny/config.json"));
    fail_each("the codec", open_mimi, &p);
}

static moshi_status open_backend(void *context, moshi_error *err)
{
    backend *be = NULL;
    (void)context;
    moshi_status status = cpu_backend_open(&be, 3, CPU_LEVEL_COUNT, err);
    if (be)
        be->close(&be);
    return status;
}

static moshi_status open_stream(void *context, moshi_error *err)
{
    moshi_stream *s = NULL;
    moshi_status status = moshi_stream_open(&s, context, NULL, err);
    moshi_stream_close(&s);
    return status;
}

static void streams(void **state)
{
    (void)state;
    fail_each("the backend", open_backend, NULL);
    moshi_model *m = models_both(2);
    fail_each("a stream", open_stream, m);
    moshi_model_close(&m);
}

/* A voice goes through cross-attention: the longest way of opening one. */
static moshi_status open_voice(void *context, moshi_error *err)
{
    static float voice[10 * 24];
    const lm_condition given[] = {
        {.name = "control", .text = "ok"},
        {.name = "speaker_wavs", .tensor = voice, .positions = 10}};
    lm_model *m = context;
    backend *be = NULL;
    lm_stream *s = NULL;
    lm_stream_params params = {.conditions = given, .n_conditions = 2};
    moshi_status status = cpu_backend_open(&be, 1, CPU_LEVEL_COUNT, err);
    if (status == MOSHI_OK)
        status = lm_stream_open(&s, m, be, &params, err);
    lm_stream_close(&s);
    if (be)
        be->close(&be);
    return status;
}

static void voices(void **state)
{
    (void)state;
    lm_model *m = golden_lm("lm-tts-tiny/model.pytorch.safetensors",
                            "lm-tts-tiny/config.json");
    fail_each("a stream with a voice", open_voice, m);
    lm_model_close(&m);
}

/* Neither the models nor the words that they speak. */
static void frames_allocate_nothing(void **state)
{
    static float pcm[24000], out[24000];
    char text[256];
    size_t used, got, before, pulled = 0;
    moshi_error err = {0};
    (void)state;
    moshi_model *m = models_both(2);
    moshi_stream *s = NULL;
    assert_int_equal(moshi_stream_open(&s, m, NULL, &err), MOSHI_OK);
    models_noise(pcm, 24000, 1);
    before = alloc_fault_count();
    for (int second = 0; second < 81; second++) { /* 1,000 frames and more */
        assert_int_equal(moshi_stream_push(s, pcm, 24000, &used), MOSHI_OK);
        while (moshi_stream_pull_pcm(s, out, 24000, &got) == MOSHI_OK)
            pulled += got;
        moshi_stream_pull_text(s, text, sizeof text, &got);
    }
    moshi_stream_reset(s);
    assert_int_equal(moshi_stream_push(s, pcm, 24000, &used), MOSHI_OK);
    assert_int_equal(moshi_stream_finish(s), MOSHI_OK);
    assert_int_equal(alloc_fault_count(), before);
    assert_true(pulled >= 1000 * 1920);
    moshi_stream_close(&s);
    moshi_model_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(language_models),
        cmocka_unit_test(codec),
        cmocka_unit_test(streams),
        cmocka_unit_test(voices),
        cmocka_unit_test(frames_allocate_nothing),
    };
    return cmocka_run_group_tests_name("fault engine", tests, NULL, NULL);
}
