/* echo_cancel.h: take the loudspeaker out of the microphone, by speexdsp.
 *
 * Without it the model hears itself and answers itself. One file stands behind
 * this header; built without speexdsp, opening answers MOSHI_LACKING.
 *
 * Thread-safety: one thread at a time. */
#ifndef MOSHI_AUDIO_ECHO_CANCEL_H
#define MOSHI_AUDIO_ECHO_CANCEL_H

#include <stddef.h>

#include <moshi/error.h>

typedef struct echo_cancel echo_cancel;

/* Samples that are treated at a time, 20 ms at 24 kHz. */
#define ECHO_CANCEL_SAMPLES 480

moshi_status echo_cancel_open(echo_cancel **out, int rate_hz,
                              moshi_error *err);
void echo_cancel_close(echo_cancel **e);

/* n: a multiple of ECHO_CANCEL_SAMPLES; recorded is changed in place, played
 * is what the loudspeaker played while it was recorded, or up to a fifth of a
 * second before. */
void echo_cancel_run(echo_cancel *e, float *recorded, const float *played,
                     size_t n);

#endif
