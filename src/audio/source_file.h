/* source_file.h: an audio file as mono samples at its own rate.
 *
 * Reads what libsndfile reads (WAV, FLAC, Ogg Vorbis and Opus, MP3, …) and
 * "-" for standard input. All channels are averaged into one. A file without
 * a sample is refused when it is opened, a sample that is not a finite number
 * when it is read: both are bad input, not something to repair in silence.
 * First stage of the way of the data: source_read -> resample -> frames. */
#ifndef MOSHI_AUDIO_SOURCE_FILE_H
#define MOSHI_AUDIO_SOURCE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

typedef struct source_file source_file;

/* A file that was cut short is read as far as it goes, unless its decoder
 * cannot (FLAC). Errors: MOSHI_IO (missing, unreadable), MOSHI_FORMAT (empty,
 * not audio, no sample), MOSHI_UNSUPPORTED (rate or channels beyond the
 * limits, or a pipe that gives more than LIMIT_PIPE_BYTES). */
moshi_status source_file_open(source_file **out, const char *path,
                              moshi_error *err);
void source_file_close(source_file **source);

int source_file_rate_hz(const source_file *source);
int source_file_channels(const source_file *source);
int64_t source_file_samples(const source_file *source); /* per channel; -1 if
                                          the container does not say */

/* Read up to n mono samples; *got = 0 at the end. Errors: MOSHI_FORMAT
 * (damaged in the middle, or a sample that is not a finite number: the
 * message says at which second). */
moshi_status source_file_read(source_file *source, float *mono, size_t n,
                              size_t *got, moshi_error *err);

/* Convenience: the whole file as mono at `rate_hz` (resampled if it has
 * another rate). *out is allocated (memory_free), *n its samples. MOSHI_FORMAT
 * too for samples so large that resampling them overflows. */
moshi_status source_file_load(const char *path, int rate_hz, float **out,
                              size_t *n, moshi_error *err);

#endif
