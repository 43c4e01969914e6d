/* fuzz_model.c: bytes -> checkpoint and config -> opened model, as gen opens.
 *
 * The input is a length n (two bytes, little endian), n bytes of config and
 * the model file. What opens must also run: a step of the language model or a
 * frame of the codec, unless it asks for more memory than is sensible here. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/backend.h"
#include "lm/stream.h"
#include "mimi/stream.h"

#define BYTES_MAX ((size_t)16 << 20)

static void step(lm_model *m, backend *be)
{
    moshi_error err = {0};
    lm_stream *s = NULL;
    lm_runner *r = NULL;
    int32_t user[LIMIT_CODEBOOKS] = {0}, tokens[1 + LIMIT_CODEBOOKS];
    const int32_t *heard = user;
    int32_t *out = tokens;
    lm_stream_params params = {0};
    const plan *p = m->plain.plan;
    if (p->state_bytes < BYTES_MAX && p->frame_bytes < BYTES_MAX &&
        lm_stream_open(&s, m, be, &params, &err) == MOSHI_OK &&
        lm_runner_open(&r, m, be, false, 1, &err) == MOSHI_OK)
        lm_step(r, &s, 1, &heard, NULL, &out, NULL);
    lm_stream_close(&s);
    lm_runner_close(&r);
}

static void open_both(const uint8_t *file, size_t n, const value *config,
                      backend *be)
{
    moshi_error err = {0};
    checkpoint *c = NULL;
    lm_model *lm = NULL;
    mimi_model *mimi = NULL;
    lm_model_params params = {.config_path = "config", .acoustic_delay = -1};
    mimi_model_params codec = {.config_path = "config"};
    if (checkpoint_open_memory(&c, file, n, "input", &err) == MOSHI_OK &&
        lm_model_from_checkpoint(&lm, &c, config, &params, &err) == MOSHI_OK)
        step(lm, be);
    lm_model_close(&lm);
    if (checkpoint_open_memory(&c, file, n, "input", &err) == MOSHI_OK)
        mimi_model_from_checkpoint(&mimi, &c, config, &codec, &err);
    mimi_model_close(&mimi);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    moshi_error err = {0};
    backend *be = NULL;
    value *config = NULL;
    size_t length = n < 2 ? 0 : (size_t)bytes[0] | (size_t)bytes[1] << 8;
    if (n < 2 || length > n - 2)
        return 0;
    size_t rest = n - 2 - length;
    uint8_t *file = malloc(rest ? rest : 1); /* exact: shows overreads */
    memcpy(file, bytes + 2 + length, rest);
    if (length > 0 &&
        value_parse_json(&config, (const char *)bytes + 2, length, "config",
                         &err) != MOSHI_OK)
        config = NULL;
    if (cpu_backend_open(&be, 1, CPU_LEVEL_COUNT, &err) == MOSHI_OK) {
        open_both(file, rest, config, be);
        be->close(&be);
    }
    value_close(&config);
    free(file);
    return 0;
}
