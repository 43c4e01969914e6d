/* source_opus.h: the bytes of an Ogg/Opus stream, in any pieces, as samples.
 *
 * Takes what every known sender makes: 20, 40 or 80 ms packets, one or more a
 * page, any serial number and granule scheme. The pages OpusHead and OpusTags
 * are passed over; pre-skip and gain are not applied, as no official decoder
 * does. Damage is skipped and counted. First stage of the way of the data, for
 * sound from a socket.
 *
 * Thread-safety: one thread at a time. */
#ifndef MOSHI_AUDIO_SOURCE_OPUS_H
#define MOSHI_AUDIO_SOURCE_OPUS_H

#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

typedef struct source_opus source_opus;

/* MOSHI_LACKING without libogg or libopus. */
moshi_status source_opus_open(source_opus **out, moshi_error *err);
void source_opus_close(source_opus **source);

/* MOSHI_NO_MEMORY or MOSHI_OK. What was pushed waits until it is pulled. */
moshi_status source_opus_push(source_opus *source, const void *bytes,
                              size_t n);

/* Up to cap samples, 24 kHz mono; MOSHI_AGAIN (*got = 0) when more bytes are
 * needed. */
moshi_status source_opus_pull(source_opus *source, float *pcm, size_t cap,
                              size_t *got);

/* Pages and packets that were damaged, so far. */
uint64_t source_opus_damaged(const source_opus *source);

#endif
