/* live_sound.c: card <-> resampler <-> frames, with the echo taken out. */
#include "audio/live_sound.h"

#include <math.h>
#include <string.h>

#include "audio/echo_cancel.h"
#include "audio/resample.h"
#include "audio/sample_ring.h"
#include "base/error.h"
#include "base/memory.h"

#define CHUNK 1024
#define STORE_SECONDS 0.08
#define QUEUE_SECONDS_MAX 0.4

struct live_sound {
    sound_card *card;     /* owned, as all below; some may be NULL */
    echo_cancel *echo;
    resample *in, *reference, *out;
    sample_ring heard, played; /* at the frames' rate, side by side */
    float *far;           /* a frame of `played` */
    size_t frame_samples;
    int rate_hz;
    bool has_input, has_output;
    uint64_t dropped;
};

moshi_status live_sound_open(live_sound **out, const live_sound_params *params,
                             moshi_error *err)
{
    live_sound *s = memory_calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "the sound device");
    s->frame_samples = params->frame_samples;
    s->rate_hz = params->card.rate_hz;
    s->has_input = !params->card.no_input;
    s->has_output = !params->card.no_output;
    moshi_status status = sound_card_open(&s->card, &params->card, err);
    int rate = status == MOSHI_OK ? sound_card_rate_hz(s->card) : 0;
    if (status == MOSHI_OK)
        status = resample_open(&s->in, rate, s->rate_hz, err);
    if (status == MOSHI_OK)
        status = resample_open(&s->reference, rate, s->rate_hz, err);
    if (status == MOSHI_OK)
        status = resample_open(&s->out, s->rate_hz, rate, err);
    if (status == MOSHI_OK && params->echo_cancel && s->has_input &&
        s->has_output)
        status = echo_cancel_open(&s->echo, s->rate_hz, err);
    if (status == MOSHI_OK) {
        s->far = memory_calloc(s->frame_samples, sizeof *s->far);
        size_t room = 2 * (size_t)s->rate_hz;
        if (!s->far || !sample_ring_init(&s->heard, room) ||
            !sample_ring_init(&s->played, room))
            status = error_no_memory(err, "the sound device");
    }
    if (status != MOSHI_OK) {
        live_sound_close(&s);
        return status;
    }
    *out = s;
    return MOSHI_OK;
}

void live_sound_close(live_sound **handle)
{
    live_sound *s = *handle;
    if (!s)
        return;
    sound_card_close(&s->card);
    echo_cancel_close(&s->echo);
    resample_close(&s->in);
    resample_close(&s->reference);
    resample_close(&s->out);
    sample_ring_release(&s->heard);
    sample_ring_release(&s->played);
    memory_free(s->far);
    memory_free(s);
    *handle = NULL;
}

/* Convert n samples into a ring. A resampler of equal rates and equal input
 * sizes gives equal output sizes, so both rings stay side by side. */
static void convert(resample *r, const float *in, size_t n, sample_ring *ring)
{
    float out[CHUNK];
    size_t used, got;
    do {
        if (resample_push(r, in, n, 0, out, CHUNK, &used, &got, NULL) !=
            MOSHI_OK)
            return;
        sample_ring_write(ring, out, got);
        in += used;
        n -= used;
    } while (n > 0 || got > 0);
}

static void fetch(live_sound *s)
{
    float recorded[CHUNK], played[CHUNK];
    size_t n;
    /* Room for what a chunk may become. */
    while (s->heard.room - sample_ring_count(&s->heard) > 8 * CHUNK &&
           (n = sound_card_read(s->card, recorded, played, CHUNK)) > 0) {
        convert(s->in, recorded, n, &s->heard);
        convert(s->reference, played, n, &s->played);
    }
}

bool live_sound_take(live_sound *s, float *frame, double *late)
{
    if (!s->has_input)
        return false;
    fetch(s);
    size_t there = sample_ring_count(&s->heard);
    if (there < s->frame_samples)
        return false;
    sample_ring_read(&s->heard, frame, s->frame_samples);
    sample_ring_read(&s->played, s->far, s->frame_samples);
    if (s->echo)
        echo_cancel_run(s->echo, frame, s->far, s->frame_samples);
    for (size_t i = 0; i < s->frame_samples; i++)
        if (!isfinite(frame[i]))
            frame[i] = 0;
    *late = (double)(there - s->frame_samples) / s->rate_hz;
    return true;
}

static double queued_seconds(const live_sound *s)
{
    return (double)sound_card_queued(s->card) / sound_card_rate_hz(s->card);
}

moshi_status live_sound_give(live_sound *s, const float *pcm, size_t n,
                             moshi_error *err)
{
    float out[CHUNK];
    size_t used, got;
    if (!s->has_output)
        return MOSHI_OK;
    double queued = queued_seconds(s);
    if (queued > QUEUE_SECONDS_MAX) {
        s->dropped++;
        return MOSHI_OK;
    }
    if (queued == 0) /* the beginning, or it ran dry */
        sound_card_write(s->card, NULL,
                         (size_t)(STORE_SECONDS *
                                  sound_card_rate_hz(s->card)));
    do {
        moshi_status status = resample_push(s->out, pcm, n, 0, out, CHUNK,
                                            &used, &got, err);
        if (status != MOSHI_OK)
            return status;
        sound_card_write(s->card, out, got);
        pcm += used;
        n -= used;
    } while (n > 0 || got > 0);
    return MOSHI_OK;
}

moshi_status live_sound_check(const live_sound *s, moshi_error *err)
{
    return sound_card_alive(s->card)
               ? MOSHI_OK
               : error_set(err, MOSHI_LACKING,
                           "the sound device has stopped working");
}

live_sound_state live_sound_look(const live_sound *s)
{
    sound_card_counts c = sound_card_count(s->card);
    double frame = (double)s->frame_samples / s->rate_hz;
    return (live_sound_state){
        .overruns = c.overruns,
        .underruns = c.underruns,
        .dropped = s->dropped,
        .latency = sound_card_latency(s->card) + queued_seconds(s) + frame,
    };
}
