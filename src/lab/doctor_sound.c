/* doctor_sound.c: does a sound file arrive as it was written?
 *
 * A tone is written to a file as the program writes what was said, at twice
 * the codec's rate, and read as the program reads what is to be heard: file,
 * bytes, resampler. Its length, its level and each of its samples are known. */
#include <math.h>
#include <stdio.h>

#include "audio/sink_file.h"
#include "audio/source_file.h"
#include "base/memory.h"
#include "lab/doctor_work.h"
#include "lab/nameless_file.h"

#define TONE_HZ 440.0
#define LEVEL   0.25
#define SECONDS 0.5
#define TAU     6.283185307179586

static moshi_status write_tone(const char *path, int rate_hz, moshi_error *err)
{
    size_t n = (size_t)(SECONDS * rate_hz);
    sink_file *sink = NULL;
    float *pcm = memory_calloc(n, sizeof *pcm);
    moshi_status status = pcm ? sink_file_open(&sink, path, rate_hz,
                                               SINK_PCM16, err)
                              : error_no_memory(err, "a tone");
    for (size_t i = 0; status == MOSHI_OK && i < n; i++)
        pcm[i] = (float)(LEVEL * sin(TAU * TONE_HZ * (double)i / rate_hz));
    if (status == MOSHI_OK)
        status = sink_file_write(sink, pcm, n, err);
    if (status == MOSHI_OK)
        status = sink_file_finish(sink, err);
    sink_file_close(&sink);
    memory_free(pcm);
    return status;
}

/* Power of what is not the tone, against that of the tone; in dB. The ends are
 * left out: there the resampler's filter looks beyond the tone. */
static double noise_db(const float *pcm, size_t n, int rate_hz)
{
    double tone = 0, rest = 0;
    for (size_t i = n / 8; i < n - n / 8; i++) {
        double x = LEVEL * sin(TAU * TONE_HZ * (double)i / rate_hz);
        tone += x * x;
        rest += (pcm[i] - x) * (pcm[i] - x);
    }
    return 10 * log10(rest / tone + 1e-12);
}

void doctor_sound_check(doctor *d)
{
    doctor_finding f = {"input: a sound file", LAB_INPUT, DOCTOR_OK,
                        "the tone that was written, in its length, noise below "
                        "-40 dB",
                        "a recording does not reach the model as it is: look "
                        "at the reader of sound files and the resampler"};
    nameless_file file = {.fd = -1};
    moshi_error err = {0};
    float *pcm = NULL;
    size_t n = 0;
    int rate_hz = d->model ? d->model->mimi->config.sample_rate_hz : 24000;
    moshi_status status = nameless_file_open(&file, "a second of sound", &err);
    if (status == MOSHI_OK)
        status = write_tone(file.path, 2 * rate_hz, &err);
    if (status == MOSHI_OK)
        status = source_file_load(file.path, rate_hz, &pcm, &n, &err);
    if (status == MOSHI_OK) {
        size_t right = (size_t)(SECONDS * rate_hz);
        double noise = n == right ? noise_db(pcm, n, rate_hz) : INFINITY;
        if (noise > -40)
            f.status = DOCTOR_FAULT;
        doctor_add(d, f, "%.1f s at %d Hz become %zu samples at %d Hz (%zu "
                   "are right), the tone with noise at %.0f dB", SECONDS,
                   2 * rate_hz, n, rate_hz, right, noise);
    } else {
        f.status = DOCTOR_SKIPPED;
        doctor_add_error(d, f, &err);
    }
    memory_free(pcm);
    nameless_file_close(&file);
}
