/* sink_opus.h: frames of samples as an Ogg/Opus stream for a socket.
 *
 * As the official servers of today make it (kaudio): packets of 960 samples,
 * each on a page of its own, serial number 42, granules of 48 kHz, the pages
 * OpusHead and OpusTags in front of the first. A frame of 1,920 samples gives
 * two whole pages, which belong in one message. Last stage of the way of the
 * data, for sound to a socket.
 *
 * Thread-safety: one thread at a time. */
#ifndef MOSHI_AUDIO_SINK_OPUS_H
#define MOSHI_AUDIO_SINK_OPUS_H

#include <stddef.h>

#include <moshi/error.h>

#define SINK_OPUS_PACKET_SAMPLES 960
/* Room that a frame of two packets needs, with the header pages. */
#define SINK_OPUS_FRAME_BYTES_MAX (2 * 4200 + 128)

typedef struct sink_opus sink_opus;

/* MOSHI_LACKING without libogg or libopus. */
moshi_status sink_opus_open(sink_opus **out, moshi_error *err);
void sink_opus_close(sink_opus **sink);

/* n: one or two packets' samples. out: room for SINK_OPUS_FRAME_BYTES_MAX.
 * Errors: MOSHI_ARGUMENT, MOSHI_NO_MEMORY. */
moshi_status sink_opus_frame(sink_opus *sink, const float *pcm, size_t n,
                             unsigned char *out, size_t *bytes);

#endif
