/* ends.h: this side's two ends of a live conversation: where its sound comes
 * from, and where the other's goes.
 *
 * Microphone and loudspeaker, or files in their place, each for itself. A
 * recording is given out frame by frame as it would have been spoken: the
 * first at once, each one 80 ms later than the one before (or faster, on
 * request). Shared by `chat` and `client`.
 *
 * Thread-safety: one thread at a time. */
#ifndef MOSHI_CLI_ENDS_H
#define MOSHI_CLI_ENDS_H

#include <stdbool.h>
#include <stddef.h>

#include "audio/live_sound.h"
#include "audio/sink_file.h"
#include "cli/options.h"

typedef struct ends {
    size_t frame_samples;
    int rate_hz;
    double speed;        /* times real time, of a recording */
    bool recorded;       /* the sound is from a recording */
    float *recording;    /* owned; with its silences */
    size_t frames, next; /* of the recording; the one to give out next */
    double started;      /* clock_seconds; below 0: not yet */
    sink_file *sink;     /* owned; NULL: the loudspeaker */
    live_sound *live;    /* owned; NULL: two files */
    size_t spoken_samples;
} ends;

/* From common_ends_options. Errors: as source_file_load, sink_file_open and
 * live_sound_open. */
moshi_status ends_open(ends *e, const options *o, int rate_hz,
                       size_t frame_samples, moshi_error *err);
void ends_release(ends *e);

/* The conversation begins. */
void ends_start(ends *e);
/* The next frame, if it is there; *due: since when (clock_seconds). */
bool ends_take(ends *e, float *frame, double *due);
/* MOSHI_LACKING when a device has gone away. */
moshi_status ends_check(const ends *e, moshi_error *err);
/* Seconds to wait before asking again. */
double ends_wait(const ends *e);
/* No frame will come any more. */
bool ends_done(const ends *e);
/* What the other said. */
moshi_status ends_give(ends *e, const float *pcm, size_t n, moshi_error *err);
/* Complete the file. */
moshi_status ends_finish(ends *e, moshi_error *err);

double ends_seconds(const ends *e, size_t samples);

#endif
