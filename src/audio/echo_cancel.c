/* echo_cancel.c: the one file that touches speexdsp: an adaptive filter, then
 * suppression of what it leaves, and of steady noise, as browsers do it. */
#include "audio/echo_cancel.h"

#include <assert.h>
#include <math.h>

#include <speex/speex_echo.h>
#include <speex/speex_preprocess.h>

#include "base/error.h"
#include "base/memory.h"

/* How far back an echo is looked for: latency of the devices, and the room. A
 * longer filter learns more slowly and leaves more of the echo. */
#define TAIL_SECONDS 0.2

struct echo_cancel {
    SpeexEchoState *filter;
    SpeexPreprocessState *rest;
};

moshi_status echo_cancel_open(echo_cancel **out, int rate_hz,
                              moshi_error *err)
{
    echo_cancel *e = memory_calloc(1, sizeof *e);
    if (!e)
        return error_no_memory(err, "echo cancellation");
    e->filter = speex_echo_state_init(ECHO_CANCEL_SAMPLES,
                                      (int)(TAIL_SECONDS * rate_hz));
    e->rest = speex_preprocess_state_init(ECHO_CANCEL_SAMPLES, rate_hz);
    if (!e->filter || !e->rest) {
        echo_cancel_close(&e);
        return error_no_memory(err, "echo cancellation");
    }
    speex_echo_ctl(e->filter, SPEEX_ECHO_SET_SAMPLING_RATE, &rate_hz);
    speex_preprocess_ctl(e->rest, SPEEX_PREPROCESS_SET_ECHO_STATE, e->filter);
    *out = e;
    return MOSHI_OK;
}

void echo_cancel_close(echo_cancel **handle)
{
    echo_cancel *e = *handle;
    if (!e)
        return;
    if (e->rest)
        speex_preprocess_state_destroy(e->rest);
    if (e->filter)
        speex_echo_state_destroy(e->filter);
    memory_free(e);
    *handle = NULL;
}

static spx_int16_t to_int(float x)
{
    float scaled = x * 32768.0f;
    if (!(scaled < 32767.0f)) /* NaN too */
        return isnan(x) ? 0 : 32767;
    return scaled < -32768.0f ? -32768 : (spx_int16_t)lrintf(scaled);
}

void echo_cancel_run(echo_cancel *e, float *recorded, const float *played,
                     size_t n)
{
    spx_int16_t in[ECHO_CANCEL_SAMPLES], far[ECHO_CANCEL_SAMPLES];
    spx_int16_t out[ECHO_CANCEL_SAMPLES];
    assert(n % ECHO_CANCEL_SAMPLES == 0);
    for (size_t at = 0; at < n; at += ECHO_CANCEL_SAMPLES) {
        for (size_t i = 0; i < ECHO_CANCEL_SAMPLES; i++) {
            in[i] = to_int(recorded[at + i]);
            far[i] = to_int(played[at + i]);
        }
        speex_echo_cancellation(e->filter, in, far, out);
        speex_preprocess_run(e->rest, out);
        for (size_t i = 0; i < ECHO_CANCEL_SAMPLES; i++)
            recorded[at + i] = (float)out[i] / 32768.0f;
    }
}
