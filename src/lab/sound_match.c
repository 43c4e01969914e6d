/* sound_match.c: decode, align, and look for each frame. */
#include "lab/sound_match.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "mimi/stream.h"

#define NEARBY 40   /* frames to either side */
#define ALIKE  0.95 /* correlation */
#define LOUD   1e-3 /* root mean square: -60 dBFS */
#define PROBES 6    /* loud frames by which a lag is found */
#define LAG_MAX 48000

typedef struct frames {
    float *pcm; /* owned */
    size_t n;   /* frames */
    size_t samples;
} frames;

static const float *frame(const frames *f, size_t i)
{
    return f->pcm + i * f->samples;
}

static double dot(const float *a, const float *b, size_t n, bool backwards)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[backwards ? n - 1 - i : i];
    return sum;
}

bool sound_match_is_loud(const float *pcm, size_t samples)
{
    return dot(pcm, pcm, samples, false) >= LOUD * LOUD * (double)samples;
}

static bool is_loud(const frames *f, size_t i)
{
    return sound_match_is_loud(frame(f, i), f->samples);
}

static double likeness(const frames *a, size_t i, const frames *b, size_t j,
                       bool backwards)
{
    const float *x = frame(a, i), *y = frame(b, j);
    double size = dot(x, x, a->samples, false) * dot(y, y, a->samples, false);
    return size > 0 ? dot(x, y, a->samples, backwards) / sqrt(size) : 0;
}

static moshi_status decode(frames *out, const mimi_model *m, backend *be,
                           const int32_t *codes, int K, size_t T,
                           moshi_error *err)
{
    mimi_runner *runner = NULL;
    mimi_decoder *decoder = NULL;
    out->samples = (size_t)m->config.frame_samples;
    out->n = T;
    out->pcm = memory_calloc(T * out->samples, sizeof *out->pcm);
    moshi_status status = out->pcm ? MOSHI_OK
                                   : error_no_memory(err, "the decoded sound");
    if (status == MOSHI_OK)
        status = mimi_runner_open(&runner, m, be, MIMI_DECODE, 1, err);
    if (status == MOSHI_OK)
        status = mimi_decoder_open(&decoder, m, be, err);
    for (size_t f = 0; f < T && status == MOSHI_OK; f++) {
        const int32_t *row = codes + f * (size_t)K;
        float *pcm = out->pcm + f * out->samples;
        status = mimi_decode_frame(runner, &decoder, 1, &row, K, &pcm, NULL);
        if (status != MOSHI_OK)
            error_set(err, status, "a code of frame %zu is out of the codec's "
                      "range", f);
    }
    if (status == MOSHI_OK)
        status = backend_failure(be, err);
    mimi_decoder_close(&decoder);
    mimi_runner_close(&runner);
    return status;
}

/* --- where each frame comes from --- */

/* The frame of `right` that frame i is likest, near `about`; *turned: played
 * backwards. Returns the likeness. */
static double find(const frames *sound, size_t i, const frames *right,
                   size_t about, size_t *at, bool *turned)
{
    size_t first = about > NEARBY ? about - NEARBY : 0;
    double best = -1;
    for (size_t j = first; j < right->n && j <= about + NEARBY; j++)
        for (int back = 0; back < 2; back++) {
            double c = likeness(sound, i, right, j, back);
            if (c > best) {
                best = c;
                *at = j;
                *turned = back;
            }
        }
    return best;
}

static void step(sound_match *m, size_t i, size_t at, long *before_i,
                 long *before_at)
{
    long apart = (long)i - *before_i, then = (long)at - *before_at;
    if (*before_i >= 0) {
        m->twice += then == 0;
        m->back += then < 0;
        m->lost += then > apart ? (size_t)(then - apart) : 0;
    }
    *before_i = (long)i;
    *before_at = (long)at;
}

static void count(sound_match *m, const frames *sound, const frames *right)
{
    size_t next = 0; /* where the frame after the last one found would be */
    long before_i = -1, before_at = -1;
    m->loud = m->right = m->backwards = m->moved = m->unlike = 0;
    m->lost = m->twice = m->back = 0;
    for (size_t i = 0; i < sound->n; i++, next++) {
        size_t at = i;
        bool turned = false;
        m->place[i] = PLACE_QUIET;
        if (!is_loud(sound, i))
            continue;
        m->loud++;
        if (i < right->n && likeness(sound, i, right, i, false) > ALIKE) {
            m->right++;
            m->place[i] = PLACE_RIGHT;
            next = i;
        } else if (find(sound, i, right, next, &at, &turned) <= ALIKE) {
            m->unlike++;
            m->place[i] = PLACE_UNLIKE;
            continue;
        } else {
            next = at;
            m->backwards += turned;
            m->moved += !turned;
            m->place[i] = turned ? PLACE_BACKWARDS : PLACE_MOVED;
        }
        step(m, i, at, &before_i, &before_at);
    }
}

/* --- a sound that begins at another time --- */

/* How well `probe`, which stands at sample `at` of the decoded sound, fits the
 * sound; *lag: where best. */
static double probe_lag(const float *probe, size_t samples, size_t at,
                        const float *pcm, size_t n, long *lag)
{
    double power = dot(probe, probe, samples, false), best = 0, there = 0;
    long first = (long)at > LAG_MAX ? (long)at - LAG_MAX : 0;
    long last = (long)at + LAG_MAX;
    if (last + (long)samples > (long)n)
        last = (long)n - (long)samples;
    for (long p = first; p <= last; p++) {
        if (p == first)
            there = dot(pcm + p, pcm + p, samples, false);
        double c = dot(probe, pcm + p, samples, false) /
                   sqrt(power * there + 1e-9);
        if (c > best) {
            best = c;
            *lag = p - (long)at;
        }
        double in = (double)pcm[p + (long)samples < (long)n
                                    ? p + (long)samples : p];
        there += in * in - (double)pcm[p] * (double)pcm[p];
        there = there > 0 ? there : 0;
    }
    return best;
}

/* Of frames spread over all that can be heard, the lag of the best fit; 0 when
 * none fits. */
static long find_lag(const frames *right, size_t spoken, const float *pcm,
                     size_t n)
{
    size_t every = spoken / PROBES + 1, seen = 0;
    double best = ALIKE;
    long lag = 0;
    for (size_t i = 0; i < right->n; i++) {
        long here = 0;
        if (!is_loud(right, i) || seen++ % every != every / 2)
            continue;
        double c = probe_lag(frame(right, i), right->samples,
                             i * right->samples, pcm, n, &here);
        if (c > best) {
            best = c;
            lag = here;
        }
    }
    return lag;
}

/* `sound` becomes pcm without its first `lag` samples, or with silence before
 * it. */
static moshi_status shift(frames *sound, const float *pcm, size_t n, long lag,
                          moshi_error *err)
{
    size_t skip = lag > 0 ? (size_t)lag : 0, put = lag < 0 ? (size_t)-lag : 0;
    size_t kept = skip < n ? n - skip : 0;
    memory_free(sound->pcm);
    sound->n = (kept + put) / sound->samples;
    sound->pcm = memory_calloc(kept + put + 1, sizeof *sound->pcm);
    if (!sound->pcm)
        return error_no_memory(err, "the sound");
    memcpy(sound->pcm + put, pcm + skip, kept * sizeof *pcm);
    return MOSHI_OK;
}

static moshi_status try_lag(sound_match *best, frames *sound,
                            const frames *right, const float *pcm, size_t n,
                            long lag, moshi_error *err)
{
    sound_match m = {.decoded = best->decoded, .spoken = best->spoken,
                     .lag = lag};
    moshi_status status = shift(sound, pcm, n, lag, err);
    m.frames = sound->n;
    m.place = status == MOSHI_OK ? memory_calloc(m.frames + 1, 1) : NULL;
    if (!m.place)
        return error_no_memory(err, "the sound");
    count(&m, sound, right);
    bool better = !best->place || m.right > best->right ||
                  (m.right == best->right && m.unlike < best->unlike);
    if (better) {
        memory_free(best->place);
        *best = m;
    } else {
        memory_free(m.place);
    }
    return MOSHI_OK;
}

static bool is_well(const sound_match *m)
{
    return (double)m->right > SOUND_MATCH_RIGHT * (double)m->loud;
}

moshi_status sound_match_run(sound_match *out, const mimi_model *codec,
                             backend *be, const int32_t *codes, int K,
                             size_t T, const float *pcm, size_t n,
                             moshi_error *err)
{
    frames right = {0}, sound = {0};
    sound_match m = {.decoded = T};
    moshi_status status = decode(&right, codec, be, codes, K, T, err);
    sound.samples = right.samples;
    for (size_t i = 0; status == MOSHI_OK && i < T; i++)
        m.spoken += is_loud(&right, i);
    if (status == MOSHI_OK)
        status = try_lag(&m, &sound, &right, pcm, n, 0, err);
    if (status == MOSHI_OK && !is_well(&m)) {
        long whole = (long)right.samples;
        long lag = find_lag(&right, m.spoken, pcm, n);
        /* The frame that fits may itself have moved by whole frames. */
        long within = lag - lround((double)lag / (double)whole) * whole;
        if (lag)
            status = try_lag(&m, &sound, &right, pcm, n, lag, err);
        if (status == MOSHI_OK && within && within != lag)
            status = try_lag(&m, &sound, &right, pcm, n, within, err);
    }
    memory_free(right.pcm);
    memory_free(sound.pcm);
    if (status == MOSHI_OK)
        *out = m;
    else
        memory_free(m.place);
    return status;
}

void sound_match_release(sound_match *match)
{
    memory_free(match->place);
    *match = (sound_match){0};
}
