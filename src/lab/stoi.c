/* stoi.c: frames of 25.6 ms, half overlapping; silent ones left out; bands;
 * correlation of clipped envelopes. The steps are numbered as in the paper's
 * section II. */
#include "lab/stoi.h"

#include <math.h>
#include <string.h>

#include "audio/fourier.h"
#include "base/error.h"
#include "base/memory.h"

#define FRAME     256
#define HOP       (FRAME / 2)
#define FFT       512
#define BANDS     15
#define LOWEST_HZ 150 /* centre of the first band */
#define STRETCH   30  /* frames that are correlated: 384 ms */
#define RANGE_DB  40  /* frames this far below the loudest are silent */
#define CLIP_DB   15  /* lower bound of the signal-to-distortion ratio */
#define TINY      1e-12
#define PI        3.14159265358979323846

static double window_at(int i)
{
    return 0.5 - 0.5 * cos(2 * PI * (i + 1) / (FRAME + 1));
}

static double frame_db(const float *x)
{
    double sum = 0;
    for (int i = 0; i < FRAME; i++) {
        double v = (double)x[i] * window_at(i);
        sum += v * v;
    }
    return 20 * log10(sqrt(sum) + TINY);
}

static void add_frame(float *out, const float *in)
{
    for (int i = 0; i < FRAME; i++)
        out[i] += (float)((double)in[i] * window_at(i));
}

/* Put together the frames of both in which the clean one is not silent;
 * returns the samples that are left. */
static size_t drop_silence(float *x, float *y, const float *clean,
                           const float *other, size_t n)
{
    double loudest = -INFINITY;
    size_t kept = 0;
    for (size_t at = 0; at + FRAME <= n; at += HOP)
        loudest = fmax(loudest, frame_db(clean + at));
    for (size_t at = 0; at + FRAME <= n; at += HOP) {
        if (frame_db(clean + at) <= loudest - RANGE_DB)
            continue;
        add_frame(x + kept * HOP, clean + at);
        add_frame(y + kept * HOP, other + at);
        kept++;
    }
    return kept ? (kept + 1) * HOP : 0;
}

static int nearest_bin(double hz)
{
    return (int)lround(hz * FFT / STOI_RATE_HZ);
}

/* band[frame * BANDS + j]: magnitude of band j. Returns the frames. */
static size_t to_bands(fourier *f, const float *x, size_t n, double *band)
{
    float in[FFT] = {0}, power[FFT / 2 + 1];
    size_t count = 0;
    for (size_t at = 0; at + FRAME <= n; at += HOP, count++) {
        for (int i = 0; i < FRAME; i++)
            in[i] = (float)((double)x[at + (size_t)i] * window_at(i));
        fourier_power(f, in, power);
        for (int j = 0; j < BANDS; j++) {
            int low = nearest_bin(LOWEST_HZ * pow(2, (2 * j - 1) / 6.0));
            int high = nearest_bin(LOWEST_HZ * pow(2, (2 * j + 1) / 6.0));
            double sum = 0;
            for (int bin = low; bin < high; bin++)
                sum += (double)power[bin];
            band[count * BANDS + (size_t)j] = sqrt(sum);
        }
    }
    return count;
}

/* Equations (3) … (5): scale, clip, correlate one band of one stretch. */
static double correlate(const double *x, const double *y)
{
    double xx = 0, yy = 0, mx = 0, my = 0, xy = 0, clipped[STRETCH];
    for (int m = 0; m < STRETCH; m++) {
        xx += x[m * BANDS] * x[m * BANDS];
        yy += y[m * BANDS] * y[m * BANDS];
    }
    double scale = sqrt(xx) / (sqrt(yy) + TINY);
    double most = 1 + pow(10, CLIP_DB / 20.0);
    for (int m = 0; m < STRETCH; m++) {
        clipped[m] = fmin(y[m * BANDS] * scale, x[m * BANDS] * most);
        mx += x[m * BANDS] / STRETCH;
        my += clipped[m] / STRETCH;
    }
    xx = yy = 0;
    for (int m = 0; m < STRETCH; m++) {
        double a = x[m * BANDS] - mx, b = clipped[m] - my;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    return xy / (sqrt(xx) * sqrt(yy) + TINY);
}

moshi_status stoi_measure(double *out, const float *clean, const float *other,
                          size_t n, moshi_error *err)
{
    fourier *f = NULL;
    size_t room = n / HOP + 2;
    moshi_status status = fourier_open(&f, FFT, err);
    if (status != MOSHI_OK)
        return status;
    float *x = memory_calloc(room * HOP + FRAME, sizeof *x);
    float *y = memory_calloc(room * HOP + FRAME, sizeof *y);
    double *bx = memory_calloc(room * BANDS, sizeof *bx);
    double *by = memory_calloc(room * BANDS, sizeof *by);
    if (!x || !y || !bx || !by) {
        status = error_no_memory(err, "STOI");
    } else {
        size_t left = drop_silence(x, y, clean, other, n);
        size_t frames = to_bands(f, x, left, bx), count = 0;
        double sum = 0;
        to_bands(f, y, left, by);
        for (size_t m = 0; m + STRETCH <= frames; m++)
            for (size_t j = 0; j < BANDS; j++, count++)
                sum += correlate(bx + m * BANDS + j, by + m * BANDS + j);
        *out = count ? sum / (double)count : NAN;
    }
    memory_free(x);
    memory_free(y);
    memory_free(bx);
    memory_free(by);
    fourier_close(&f);
    return status;
}
