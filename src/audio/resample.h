/* resample.h: mono streaming sample-rate conversion (libsamplerate).
 *
 * The output starts with the input (the filter's delay is taken out) and
 * after finish has round(n_in * out/in) samples, for any chunking of the
 * input. */
#ifndef MOSHI_AUDIO_RESAMPLE_H
#define MOSHI_AUDIO_RESAMPLE_H

#include <stddef.h>

#include <moshi/error.h>

typedef struct resample resample;

/* Errors: MOSHI_UNSUPPORTED (a rate outside 1 … LIMIT_SAMPLE_RATE_HZ, or one
 * more than 256 times the other). */
moshi_status resample_open(resample **out, int rate_in_hz, int rate_out_hz,
                           moshi_error *err);
void resample_close(resample **r);

/* Feed n samples; at most `cap` samples are written to out, *got of them.
 * *used is how many of the n were taken: call again with the rest. With
 * finish non-zero (and the last samples) the tail is flushed; call until
 * *used == n and *got == 0. Samples after the end are MOSHI_ARGUMENT. */
moshi_status resample_push(resample *r, const float *in, size_t n, int finish,
                           float *out, size_t cap, size_t *used, size_t *got,
                           moshi_error *err);

#endif
