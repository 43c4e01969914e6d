/* fourier.h: the power of the frequencies of a short piece of sound (kissfft).
 *
 * A build without the library has a twin that answers MOSHI_LACKING when it is
 * opened; whoever asks must do without spectra then, and say so. */
#ifndef MOSHI_AUDIO_FOURIER_H
#define MOSHI_AUDIO_FOURIER_H

#include <moshi/error.h>

#define FOURIER_SAMPLES_MAX 65536

typedef struct fourier fourier;

/* For pieces of n samples, an even number up to FOURIER_SAMPLES_MAX. Errors:
 * MOSHI_LACKING, MOSHI_NO_MEMORY. */
moshi_status fourier_open(fourier **out, int n, moshi_error *err);
void fourier_close(fourier **f);

/* power[0 … n/2], |X|^2 of in[0 … n-1], without any scale. */
void fourier_power(fourier *f, const float *in, float *power);

#endif
