/* models.c: open the tiny models of the fixtures. */
#include "models.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "golden.h"

mimi_model *models_mimi(void)
{
    moshi_error err = {0};
    mimi_model *m = NULL;
    mimi_model_params p = {
        .path = golden_path("mimi-tiny/model.safetensors"),
        .config_path = golden_path("mimi-tiny/config.json")};
    if (mimi_model_open(&m, &p, &err))
        fail_msg("%s", err.message);
    return m;
}

lm_model *models_lm(void)
{
    moshi_error err = {0};
    lm_model *m = NULL;
    lm_model_params p = {
        .path = golden_path("lm-moshi-tiny/model.q8.gguf"),
        .config_path = golden_path("lm-moshi-tiny/config.json"),
        .acoustic_delay = -1};
    if (lm_model_open(&m, &p, &err))
        fail_msg("%s", err.message);
    return m;
}

moshi_model *models_both(int threads)
{
    moshi_error err = {0};
    moshi_model *m = NULL;
    char lm[1024], config[1024], mimi[1024];
    snprintf(lm, sizeof lm, "%s",
             golden_path("lm-moshi-tiny/model.candle.bf16.safetensors"));
    snprintf(config, sizeof config, "%s",
             golden_path("lm-moshi-tiny/config.json"));
    snprintf(mimi, sizeof mimi, "%s",
             golden_path("mimi-tiny/model.safetensors"));
    moshi_model_params p = {.lm = lm,
                            .config = config,
                            .mimi = mimi,
                            .mimi_config =
                                golden_path("mimi-tiny/config.json"),
                            .tokenizer = golden_path("text/tiny96.model"),
                            .threads = threads};
    if (moshi_model_open(&m, &p, &err))
        fail_msg("%s", err.message);
    return m;
}

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u; /* Numerical Recipes */
    return *state >> 8;
}

void models_noise(float *pcm, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++)
        pcm[i] = (float)next(&seed) / (float)(1 << 24) - 0.5f;
}

void models_codes(int32_t *codes, size_t n, int bins, uint32_t seed)
{
    for (size_t i = 0; i < n; i++)
        codes[i] = (int32_t)(next(&seed) % (uint32_t)bins);
}
