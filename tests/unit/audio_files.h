/* audio_files.h: sounds and sound files for the tests of src/audio. */
#ifndef TESTS_UNIT_AUDIO_FILES_H
#define TESTS_UNIT_AUDIO_FILES_H

#include <stdbool.h>
#include <stddef.h>

#define PI 3.14159265358979323846

/* A name inside a new folder that is removed when the program ends. The
 * string is valid until the eighth next call. */
const char *audio_path(const char *name);

/* Write interleaved samples by libsndfile; `format` is SF_FORMAT_…. False if
 * this libsndfile has no such encoder. */
bool audio_write(const char *path, int format, int rate_hz, int channels,
                 const float *samples, size_t frames);
void audio_write_bytes(const char *path, const void *data, size_t n);

/* The whole file; *n its bytes. Freed by the caller. */
unsigned char *audio_read_bytes(const char *path, size_t *n);

/* amplitude * sin(2 pi hz t), n samples. Freed by the caller. */
float *audio_sine(size_t n, int rate_hz, double hz, double amplitude);

/* Gaussian white noise of that RMS, the same in every run. */
float *audio_noise(size_t n, double rms);

/* 10^(db/20) */
double audio_gain(double db);

#endif
