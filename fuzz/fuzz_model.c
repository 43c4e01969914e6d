/* fuzz_model.c: bytes -> checkpoint -> opened model, as gen would open it.
 *
 * A file that opens must also run: a step of the language model, or a frame
 * of the codec, unless it asks for more memory than is sensible here. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/backend.h"
#include "lm/stream.h"
#include "mimi/stream.h"

#define STATE_MAX ((size_t)64 << 20)

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
    if (p->state_bytes < STATE_MAX && p->frame_bytes < STATE_MAX &&
        lm_stream_open(&s, m, be, &params, &err) == MOSHI_OK &&
        lm_runner_open(&r, m, be, false, 1, &err) == MOSHI_OK)
        lm_step(r, &s, 1, &heard, NULL, &out, NULL);
    lm_stream_close(&s);
    lm_runner_close(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    moshi_error err = {0};
    checkpoint *file = NULL;
    backend *be = NULL;
    lm_model *lm = NULL;
    mimi_model *mimi = NULL;
    lm_model_params params = {.acoustic_delay = -1};
    mimi_model_params codec = {0};
    uint8_t *copy = malloc(n ? n : 1); /* an exact block shows overreads */
    memcpy(copy, bytes, n);
    if (cpu_backend_open(&be, 1, CPU_LEVEL_COUNT, &err) == MOSHI_OK) {
        if (checkpoint_open_memory(&file, copy, n, "input", &err) ==
                MOSHI_OK &&
            lm_model_from_checkpoint(&lm, &file, &params, &err) == MOSHI_OK)
            step(lm, be);
        lm_model_close(&lm);
        if (checkpoint_open_memory(&file, copy, n, "input", &err) == MOSHI_OK)
            mimi_model_from_checkpoint(&mimi, &file, &codec, &err);
        mimi_model_close(&mimi);
        be->close(&be);
    }
    free(copy);
    return 0;
}
