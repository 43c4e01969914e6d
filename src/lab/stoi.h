/* stoi.h: short-time objective intelligibility (Taal, Hendriks, Heusdens and
 * Jensen, 2011, "An Algorithm for Intelligibility Prediction of Time-Frequency
 * Weighted Noisy Speech").
 *
 * How well the envelopes of 15 third-octave bands of one recording follow
 * those of another, in stretches of 384 ms: 1 for equal, about 0.4 for speech
 * that is not understood any more. */
#ifndef MOSHI_LAB_STOI_H
#define MOSHI_LAB_STOI_H

#include <stddef.h>

#include <moshi/error.h>

#define STOI_RATE_HZ 10000

/* n samples of each at 10 kHz, aligned; `clean` is the measure. *out is NAN
 * with less than 0.4 s of sound. Errors: MOSHI_LACKING (no Fourier transform
 * in this build), MOSHI_NO_MEMORY. */
moshi_status stoi_measure(double *out, const float *clean, const float *other,
                          size_t n, moshi_error *err);

#endif
