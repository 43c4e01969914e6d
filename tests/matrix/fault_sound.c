/* fault_sound.c: faults of the samples that come in and go out. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "audio/resample.h"
#include "audio/sink_file.h"
#include "audio/source_file.h"
#include "faults.h"

#define FRAME_SAMPLES_MAX 4096
#define EVERY 4

moshi_status __real_resample_open(resample **out, int rate_in_hz,
                                  int rate_out_hz, moshi_error *err);
moshi_status __wrap_resample_open(resample **out, int rate_in_hz,
                                  int rate_out_hz, moshi_error *err);

moshi_status __wrap_resample_open(resample **out, int rate_in_hz,
                                  int rate_out_hz, moshi_error *err)
{
    if (fault_is(FAULT_RESAMPLER_RATIO))
        rate_in_hz = rate_in_hz * 147 / 160; /* 44,100 / 48,000 */
    return __real_resample_open(out, rate_in_hz, rate_out_hz, err);
}

static float exchange_bytes(float x)
{
    uint16_t bits = (uint16_t)(int16_t)(fmaxf(-1, fminf(1, x)) * 32767);
    bits = (uint16_t)(bits >> 8 | bits << 8);
    return (float)(int16_t)bits / 32768;
}

moshi_status __real_source_file_read(source_file *source, float *mono,
                                     size_t n, size_t *got, moshi_error *err);
moshi_status __wrap_source_file_read(source_file *source, float *mono,
                                     size_t n, size_t *got, moshi_error *err);

moshi_status __wrap_source_file_read(source_file *source, float *mono,
                                     size_t n, size_t *got, moshi_error *err)
{
    moshi_status status = __real_source_file_read(source, mono, n, got, err);
    if (status == MOSHI_OK && fault_is(FAULT_BYTE_ORDER))
        for (size_t i = 0; i < *got; i++)
            mono[i] = exchange_bytes(mono[i]);
    return status;
}

/* --- frames of the answer --- */

moshi_status __real_sink_file_write(sink_file *sink, const float *mono,
                                    size_t n, moshi_error *err);
moshi_status __wrap_sink_file_write(sink_file *sink, const float *mono,
                                    size_t n, moshi_error *err);

moshi_status __wrap_sink_file_write(sink_file *sink, const float *mono,
                                    size_t n, moshi_error *err)
{
    static size_t count;
    static float kept[FRAME_SAMPLES_MAX], turned[FRAME_SAMPLES_MAX];
    moshi_status status = MOSHI_OK;
    size_t frame = count++;
    if (n > FRAME_SAMPLES_MAX)
        return __real_sink_file_write(sink, mono, n, err);
    if (fault_is(FAULT_FRAMES_REVERSED)) {
        for (size_t i = 0; i < n; i++)
            turned[i] = mono[n - 1 - i];
        mono = turned;
    }
    if (fault_is(FAULT_FRAMES_DROPPED) && frame % EVERY == EVERY - 1)
        return MOSHI_OK;
    if (fault_is(FAULT_FRAMES_SWAPPED) && frame % 2 == 0) {
        memcpy(kept, mono, n * sizeof *mono);
        return MOSHI_OK;
    }
    if (fault_is(FAULT_FRAMES_DOUBLED) && frame % EVERY == EVERY - 1)
        status = __real_sink_file_write(sink, mono, n, err);
    if (status == MOSHI_OK)
        status = __real_sink_file_write(sink, mono, n, err);
    if (status == MOSHI_OK && fault_is(FAULT_FRAMES_SWAPPED))
        status = __real_sink_file_write(sink, kept, n, err);
    return status;
}
