/* fault_talk.c: faults of a conversation: what a step is given, what becomes
 * of its tokens, how they are drawn. */
#include <stddef.h>

#include "faults.h"
#include "lm/timeline.h"
#include "tasks/speech_to_speech.h"
#include "tasks/stream_params.h"

#define FORCED_TOKEN 42
#define EARLIER_FRAMES 4
#define FRAME_SAMPLES_MAX 4096

/* --- the timeline --- */

void __real_timeline_inputs(const timeline *t, int32_t *tokens);
void __wrap_timeline_inputs(const timeline *t, int32_t *tokens);

void __wrap_timeline_inputs(const timeline *t, int32_t *tokens)
{
    __real_timeline_inputs(t, tokens);
    for (int k = 0; k < t->own && k < t->user; k++)
        if (fault_is(FAULT_SIDES_EXCHANGED)) {
            int32_t kept = tokens[1 + k];
            tokens[1 + k] = tokens[1 + t->own + k];
            tokens[1 + t->own + k] = kept;
        }
}

bool __real_timeline_frame(const timeline *t, int32_t *own_codes);
bool __wrap_timeline_frame(const timeline *t, int32_t *own_codes);

bool __wrap_timeline_frame(const timeline *t, int32_t *own_codes)
{
    bool complete = __real_timeline_frame(t, own_codes);
    if (complete && fault_is(FAULT_BOOKS_SWAPPED) && t->own > 2) {
        int32_t kept = own_codes[1];
        own_codes[1] = own_codes[2];
        own_codes[2] = kept;
    }
    return complete;
}

/* --- the frames of a conversation --- */

/* The second conversation of CACHE_SHARED. */
static lm_stream *ghost;
static lm_runner *ghost_runner;

static moshi_status open_ghost(const speech_to_speech *s, moshi_error *err)
{
    lm_stream_params params = {.sampling = s->lm->sampling};
    moshi_status status = lm_stream_open(&ghost, s->model->lm,
                                         s->model->backend, &params, err);
    if (status == MOSHI_OK)
        status = lm_runner_open(&ghost_runner, s->model->lm,
                                s->model->backend, false, 1, err);
    return status;
}

static void step_ghost(void)
{
    static const int32_t silence[LIMIT_CODEBOOKS];
    const int32_t *user = silence;
    int32_t row[1 + LIMIT_CODEBOOKS], *tokens = row;
    lm_step(ghost_runner, &ghost, 1, &user, NULL, &tokens, NULL);
}

/* What was said before the reset that does nothing. */
static void talk_before(speech_to_speech *s)
{
    static float silence[FRAME_SAMPLES_MAX], spoken[FRAME_SAMPLES_MAX];
    frame_result result = {.pcm = spoken};
    for (int f = 0; f < EARLIER_FRAMES; f++)
        speech_to_speech_frame(s, silence, &result);
    speech_to_speech_reset(s);
}

moshi_status __real_speech_to_speech_open(speech_to_speech **out,
                                          moshi_model *model,
                                          const moshi_stream_params *params,
                                          moshi_error *err);
moshi_status __wrap_speech_to_speech_open(speech_to_speech **out,
                                          moshi_model *model,
                                          const moshi_stream_params *params,
                                          moshi_error *err);

moshi_status __wrap_speech_to_speech_open(speech_to_speech **out,
                                          moshi_model *model,
                                          const moshi_stream_params *params,
                                          moshi_error *err)
{
    moshi_status status = __real_speech_to_speech_open(out, model, params,
                                                       err);
    if (status == MOSHI_OK && fault_is(FAULT_NO_RESET))
        talk_before(*out);
    if (status == MOSHI_OK && fault_is(FAULT_CACHE_SHARED))
        status = open_ghost(*out, err);
    return status;
}

void __real_speech_to_speech_close(speech_to_speech **s);
void __wrap_speech_to_speech_close(speech_to_speech **s);

void __wrap_speech_to_speech_close(speech_to_speech **s)
{
    lm_runner_close(&ghost_runner);
    lm_stream_close(&ghost);
    __real_speech_to_speech_close(s);
}

void __real_speech_to_speech_frame(speech_to_speech *s, const float *pcm,
                                   frame_result *result);
void __wrap_speech_to_speech_frame(speech_to_speech *s, const float *pcm,
                                   frame_result *result);

void __wrap_speech_to_speech_frame(speech_to_speech *s, const float *pcm,
                                   frame_result *result)
{
    static const int32_t zeros[LIMIT_CODEBOOKS];
    const frame_watch asked = s->watch;
    int32_t forced[1 + LIMIT_CODEBOOKS];
    if (fault_is(FAULT_USER_ZERO))
        s->watch.heard = zeros;
    if (fault_is(FAULT_FORCED_TEXT)) {
        for (int i = 0; i <= LIMIT_CODEBOOKS; i++)
            forced[i] = asked.forced && i <= s->model->lm->config.dep_q
                            ? asked.forced[i] : TOKEN_FREE;
        forced[0] = FORCED_TOKEN;
        s->watch.forced = forced;
    }
    __real_speech_to_speech_frame(s, pcm, result);
    if (fault_is(FAULT_USER_ZERO))
        for (int k = 0; k < LIMIT_CODEBOOKS; k++)
            result->codes_in[k] = 0;
    if (ghost)
        step_ghost();
    s->watch = asked;
}

/* --- sampling --- */

moshi_status __real_stream_settings_make(stream_settings *out,
                                         const moshi_model *model,
                                         const moshi_stream_params *params,
                                         moshi_error *err);
moshi_status __wrap_stream_settings_make(stream_settings *out,
                                         const moshi_model *model,
                                         const moshi_stream_params *params,
                                         moshi_error *err);

moshi_status __wrap_stream_settings_make(stream_settings *out,
                                         const moshi_model *model,
                                         const moshi_stream_params *params,
                                         moshi_error *err)
{
    moshi_status status = __real_stream_settings_make(out, model, params, err);
    if (status == MOSHI_OK && fault_is(FAULT_TEMPERATURE_10))
        out->lm.sampling.text.temperature =
            out->lm.sampling.audio.temperature = 10;
    return status;
}
