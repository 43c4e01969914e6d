/* test_unaligned.c: weights need no alignment.
 *
 * Goal: a model whose tensors begin at odd addresses, as a header of any length
 * makes them, runs and gives the same bits. Method: the bytes of each tiny
 * model once where malloc puts them and once one byte further; the sanitizers
 * see every access. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "files/value.h"
#include "golden.h"
#include "models.h"

#define STEPS 8
#define SAMPLES 1920

/* A whole file, `shift` bytes behind the start of a block. */
static char *load(const char *relative, size_t shift, size_t *n)
{
    FILE *f = fopen(golden_path(relative), "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    char *block = malloc(*n + shift);
    assert_int_equal(fread(block + shift, 1, *n, f), *n);
    fclose(f);
    return block;
}

static checkpoint *open_at(const char *bytes, size_t shift, size_t n)
{
    checkpoint *file = NULL;
    moshi_error err = {0};
    if (checkpoint_open_memory(&file, bytes + shift, n, "shifted", &err))
        fail_msg("%s", err.message);
    return file;
}

static value *open_config(const char *relative)
{
    value *config = NULL;
    moshi_error err = {0};
    if (value_open(&config, golden_path(relative), &err))
        fail_msg("%s", err.message);
    return config;
}

static void run_lm(const char *model, const char *config_name, size_t shift,
                   int32_t tokens[STEPS][1 + LIMIT_CODEBOOKS])
{
    size_t n;
    moshi_error err = {0};
    char *bytes = load(model, shift, &n);
    checkpoint *file = open_at(bytes, shift, n);
    value *config = open_config(config_name);
    lm_model_params params = {.config_path = "config", .acoustic_delay = -1};
    lm_stream_params greedy = {0};
    lm_model *m = NULL;
    lm_stream *s = NULL;
    lm_runner *r = NULL;
    backend *be = golden_backend(2);
    if (lm_model_from_checkpoint(&m, &file, config, &params, &err) ||
        lm_stream_open(&s, m, be, &greedy, &err) ||
        lm_runner_open(&r, m, be, false, 1, &err))
        fail_msg("%s", err.message);
    int32_t user[LIMIT_CODEBOOKS] = {1, 2, 3, 4, 5, 6, 7, 8};
    const int32_t *heard = user;
    for (int i = 0; i < STEPS; i++) {
        int32_t *out = tokens[i];
        assert_int_equal(lm_step(r, &s, 1, &heard, NULL, &out, NULL), 0);
    }
    lm_runner_close(&r);
    lm_stream_close(&s);
    lm_model_close(&m);
    be->close(&be);
    value_close(&config);
    free(bytes);
}

static void language_models(void **state)
{
    static const struct { const char *model, *config; } files[] = {
        {"lm-moshi-tiny/model.pytorch.safetensors",
         "lm-moshi-tiny/config.json"},
        {"lm-moshi-tiny/model.candle.bf16.safetensors",
         "lm-moshi-tiny/config.json"},
        {"lm-moshi-tiny/model.q8.gguf", "lm-moshi-tiny/config.json"},
        {"lm-hibiki-tiny/model.pytorch.safetensors",
         "lm-hibiki-tiny/config.json"}};
    static int32_t even[STEPS][1 + LIMIT_CODEBOOKS];
    static int32_t odd[STEPS][1 + LIMIT_CODEBOOKS];
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        memset(even, 0, sizeof even);
        memset(odd, 0, sizeof odd);
        run_lm(files[i].model, files[i].config, 0, even);
        run_lm(files[i].model, files[i].config, 1, odd);
        assert_memory_equal(even, odd, sizeof even);
    }
}

static void run_mimi(size_t shift, float *pcm)
{
    size_t n;
    moshi_error err = {0};
    char *bytes = load("mimi-tiny/model.safetensors", shift, &n);
    checkpoint *file = open_at(bytes, shift, n);
    value *config = open_config("mimi-tiny/config.json");
    mimi_model_params params = {.config_path = "config"};
    mimi_model *m = NULL;
    mimi_runner *r = NULL;
    mimi_encoder *e = NULL;
    mimi_decoder *d = NULL;
    backend *be = golden_backend(1);
    if (mimi_model_from_checkpoint(&m, &file, config, &params, &err) ||
        mimi_runner_open(&r, m, be, MIMI_BOTH, 1, &err) ||
        mimi_encoder_open(&e, m, be, &err) ||
        mimi_decoder_open(&d, m, be, &err))
        fail_msg("%s", err.message);
    int32_t row[MIMI_CODEBOOKS_MAX];
    int32_t *codes = row;
    const int32_t *spoken = row;
    const float *heard = pcm;
    models_noise(pcm, SAMPLES, 5);
    mimi_encode_frame(r, &e, 1, &heard, &codes, NULL);
    assert_int_equal(mimi_decode_frame(r, &d, 1, &spoken, m->codebooks, &pcm,
                                       NULL), MOSHI_OK);
    mimi_encoder_close(&e);
    mimi_decoder_close(&d);
    mimi_runner_close(&r);
    mimi_model_close(&m);
    be->close(&be);
    value_close(&config);
    free(bytes);
}

static void codec(void **state)
{
    static float even[SAMPLES], odd[SAMPLES];
    (void)state;
    run_mimi(0, even);
    run_mimi(1, odd);
    assert_memory_equal(even, odd, sizeof even);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(language_models),
        cmocka_unit_test(codec),
    };
    return cmocka_run_group_tests_name("unaligned", tests, NULL, NULL);
}
