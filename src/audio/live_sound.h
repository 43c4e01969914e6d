/* live_sound.h: the microphone as a source of 24 kHz frames and the
 * loudspeaker as a sink of them: rate, echo, and how much is kept in store.
 *
 * The first stage and the last one of the way of the data, for a person at
 * this machine. Speech begins to sound when 80 ms of it are there; what is
 * queued beyond 400 ms is the past, and is dropped (and counted).
 *
 * Thread-safety: one thread. */
#ifndef MOSHI_AUDIO_LIVE_SOUND_H
#define MOSHI_AUDIO_LIVE_SOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

#include "audio/sound_card.h"

typedef struct live_sound live_sound;

typedef struct live_sound_params {
    sound_card_params card; /* its rate_hz is that of the frames */
    size_t frame_samples;
    bool echo_cancel;
} live_sound_params;

/* As sound_card_open, echo_cancel_open and resample_open. */
moshi_status live_sound_open(live_sound **out,
                             const live_sound_params *params,
                             moshi_error *err);
void live_sound_close(live_sound **s);

/* The next frame, when it is whole. *late: seconds since it was. */
bool live_sound_take(live_sound *s, float *frame, double *late);
/* Speech to be played, at the frames' rate. */
moshi_status live_sound_give(live_sound *s, const float *pcm, size_t n,
                             moshi_error *err);

typedef struct live_sound_state {
    uint64_t overruns, underruns; /* of the device */
    uint64_t dropped;             /* frames of speech that came too late */
    double latency;               /* device, queue and one frame: seconds */
} live_sound_state;

/* MOSHI_LACKING when the device has gone away. */
moshi_status live_sound_check(const live_sound *s, moshi_error *err);

live_sound_state live_sound_look(const live_sound *s);

#endif
