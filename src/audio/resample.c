/* resample.c: sample-rate conversion by libsamplerate's best sinc filter.
 *
 * The converter is fed blocks of BLOCK input samples, counted from the start
 * of the stream, whatever the caller's chunks are: what it computes depends
 * on the samples alone. Its first output stands at the time of the first
 * input (it begins with a half filter of zeros), so nothing has to be cut at
 * the start; at the end it is fed zeros until the exact number of samples is
 * out, and the rest is dropped. */
#include "audio/resample.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <samplerate.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/memory.h"

/* Input samples per call of the converter: 5 ms at 48 kHz, so that a live
 * source is not held up. */
#define BLOCK 256

struct resample {
    SRC_STATE *converter; /* NULL: the rates are equal, samples pass */
    int rate_in_hz, rate_out_hz;
    uint64_t n_in;  /* samples taken so far */
    uint64_t n_out; /* samples handed out so far */
    bool ended;     /* the last sample has been taken */
    float block[BLOCK];
    size_t filled; /* samples of block that are there */
    size_t fed;    /* of these, samples the converter has taken */
    bool ready;    /* the block is whole: feed it */
    float *ready_out; /* owned; room samples */
    size_t room;
    size_t out_at, out_end; /* what waits in ready_out */
};

/* round(n * out / in), halves up, without overflow. */
static uint64_t length_out(const resample *r, uint64_t n)
{
    uint64_t in = (uint64_t)r->rate_in_hz, out = (uint64_t)r->rate_out_hz;
    return n / in * out + (n % in * out * 2 + in) / (2 * in);
}

moshi_status resample_open(resample **out, int rate_in_hz, int rate_out_hz,
                           moshi_error *err)
{
    double ratio = (double)rate_out_hz / (double)rate_in_hz;
    int code = 0;
    if (rate_in_hz < 1 || rate_out_hz < 1 ||
        rate_in_hz > LIMIT_SAMPLE_RATE_HZ ||
        rate_out_hz > LIMIT_SAMPLE_RATE_HZ)
        return error_set(err, MOSHI_UNSUPPORTED,
                         "cannot convert from %d Hz to %d Hz: rates from 1 to "
                         "%d Hz are possible",
                         rate_in_hz, rate_out_hz, LIMIT_SAMPLE_RATE_HZ);
    if (!src_is_valid_ratio(ratio))
        return error_set(err, MOSHI_UNSUPPORTED,
                         "cannot convert from %d Hz to %d Hz: one is more "
                         "than 256 times the other",
                         rate_in_hz, rate_out_hz);
    resample *r = memory_calloc(1, sizeof *r);
    if (!r)
        return error_no_memory(err, "the resampler");
    r->rate_in_hz = rate_in_hz;
    r->rate_out_hz = rate_out_hz;
    r->room = (size_t)(BLOCK * (ratio > 1 ? ratio : 1)) + 1;
    r->ready_out = memory_calloc(r->room, sizeof *r->ready_out);
    if (rate_in_hz != rate_out_hz)
        r->converter = src_new(SRC_SINC_BEST_QUALITY, 1, &code);
    if (!r->ready_out || (rate_in_hz != rate_out_hz && !r->converter)) {
        resample_close(&r);
        return error_no_memory(err, "the resampler");
    }
    *out = r;
    return MOSHI_OK;
}

void resample_close(resample **handle)
{
    resample *r = *handle;
    if (!r)
        return;
    if (r->converter)
        src_delete(r->converter);
    memory_free(r->ready_out);
    memory_free(r);
    *handle = NULL;
}

/* Run the converter on what it has not taken of the block. ready_out must be
 * empty. */
static moshi_status convert(resample *r, moshi_error *err)
{
    SRC_DATA data = {
        .data_in = r->block + r->fed,
        .input_frames = (long)(r->filled - r->fed),
        .data_out = r->ready_out,
        .output_frames = (long)r->room,
        .src_ratio = (double)r->rate_out_hz / (double)r->rate_in_hz,
    };
    if (r->converter) {
        int code = src_process(r->converter, &data);
        if (code != 0)
            return error_set(err, MOSHI_ARGUMENT, "resampling failed: %s",
                             src_strerror(code));
    } else {
        memcpy(r->ready_out, r->block, r->filled * sizeof *r->block);
        data.input_frames_used = (long)r->filled;
        data.output_frames_gen = (long)r->filled;
    }
    r->out_at = 0;
    r->out_end = (size_t)data.output_frames_gen;
    r->fed += (size_t)data.input_frames_used;
    if (r->fed == r->filled && r->out_end < r->room) {
        r->filled = r->fed = 0;
        r->ready = false;
    }
    return MOSHI_OK;
}

/* Hand out what is ready; after the end, not more than the exact length. */
static size_t drain(resample *r, float *out, size_t cap)
{
    size_t n = r->out_end - r->out_at;
    if (r->ended) {
        uint64_t left = length_out(r, r->n_in) - r->n_out;
        if (n > left)
            n = (size_t)left;
    }
    if (n > cap)
        n = cap;
    if (n > 0)
        memcpy(out, r->ready_out + r->out_at, n * sizeof *out);
    r->out_at += n;
    r->n_out += n;
    return n;
}

/* Fill the block from the input; after the end, with zeros. */
static size_t fill(resample *r, const float *in, size_t n)
{
    size_t take = BLOCK - r->filled < n ? BLOCK - r->filled : n;
    if (take > 0)
        memcpy(r->block + r->filled, in, take * sizeof *in);
    r->filled += take;
    r->n_in += take;
    if (r->ended) {
        memset(r->block + r->filled, 0,
               (BLOCK - r->filled) * sizeof *r->block);
        r->filled = BLOCK;
    }
    r->ready = r->filled == BLOCK;
    return take;
}

moshi_status resample_push(resample *r, const float *in, size_t n, int finish,
                           float *out, size_t cap, size_t *used, size_t *got,
                           moshi_error *err)
{
    size_t taken = 0, given = 0;
    if (r->ended && n > 0)
        return error_set(err, MOSHI_ARGUMENT,
                         "samples after the end of a resampled stream");
    for (;;) {
        given += drain(r, out + given, cap - given);
        if (r->ended && r->n_out == length_out(r, r->n_in))
            break;
        if (r->out_at < r->out_end)
            break; /* no room: the caller comes again */
        if (!r->ready) {
            taken += fill(r, taken < n ? in + taken : NULL, n - taken);
            if (finish && taken == n && !r->ended) {
                r->ended = true;
                if (!r->ready)
                    fill(r, NULL, 0);
                continue; /* what is ready may be enough already */
            }
        }
        if (!r->ready)
            break; /* no whole block: more input is needed */
        moshi_status status = convert(r, err);
        if (status != MOSHI_OK)
            return status;
    }
    *used = taken;
    *got = given;
    return MOSHI_OK;
}
