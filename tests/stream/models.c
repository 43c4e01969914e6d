/* models.c: open the tiny models of the fixtures. */
#include "models.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "golden.h"
#include "lab/synth_file.h"

mimi_model *models_mimi(void)
{
    moshi_error err = {0};
    mimi_model *m = NULL;
    mimi_model_params p = {
        .path = golden_path("mimi-tiny/model.safetensors"),
        .panels = true,
        .config_path = golden_path("mimi-tiny/config.json")};
    if (mimi_model_open(&m, &p, &err))
        fail_msg("%s", err.message);
    return m;
}

int models_mimi_write(char *path, const mimi_config *config)
{
    moshi_error err = {0};
    synth_list list = {0};
    synth_meter meter = {0};
    synth_mimi_add(&list, config);
    close(mkstemp(path));
    moshi_status status = synth_file_write(
        &list, path, CHECKPOINT_SAFETENSORS, 3, &meter, &err);
    synth_list_release(&list);
    return status == MOSHI_OK ? 0 : -1;
}

mimi_model *models_mimi_open(const char *path, mimi_model_params p)
{
    static const char text[] = "{\"transformer\": {\"num_heads\": 2, "
                               "\"context\": 12, \"max_period\": 10000}}";
    moshi_error err = {0};
    mimi_model *m = NULL;
    value *config = NULL;
    checkpoint *file = NULL;
    p.config_path = "config";
    if (checkpoint_open(&file, path, &err) ||
        value_parse_json(&config, text, sizeof text - 1, "config", &err) ||
        mimi_model_from_checkpoint(&m, &file, config, &p, &err))
        fail_msg("%s", err.message);
    value_close(&config);
    return m;
}

lm_model *models_lm(void)
{
    return golden_lm("lm-moshi-tiny/model.q8.gguf",
                     "lm-moshi-tiny/config.json");
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

void models_encode(backend *be, const mimi_model *m, int frames,
                   int32_t *codes)
{
    moshi_error err = {0};
    mimi_runner *r = NULL;
    mimi_encoder *e = NULL;
    float *pcm = calloc((size_t)m->config.frame_samples, sizeof *pcm);
    const float *in = pcm;
    assert_int_equal(mimi_runner_open(&r, m, be, MIMI_ENCODE, 1, &err), 0);
    assert_int_equal(mimi_encoder_open(&e, m, be, &err), 0);
    for (int f = 0; f < frames; f++) {
        int32_t *out = codes + f * m->codebooks;
        models_noise(pcm, (size_t)m->config.frame_samples, (uint32_t)f);
        mimi_encode_frame(r, &e, 1, &in, &out, NULL);
    }
    mimi_encoder_close(&e);
    mimi_runner_close(&r);
    free(pcm);
}
