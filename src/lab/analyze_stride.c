/* analyze_stride.c: fold surprise and flux at the strides of the codec. */
#include "lab/analyze_stride.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "audio/fourier.h"
#include "base/error.h"
#include "base/memory.h"
#include "lab/analyze_predict.h"

#define ORDER  PREDICT_ORDER
#define HOP    PREDICT_HOP /* a row of surprise */
#define FRAME  1920
#define COARSE 8    /* samples of one column of the longest stride */
#define MOST   16   /* one pulse of a voice counts as much as so many samples */
#define QUIET  3e-7 /* mean square, -65 dBFS */
#define FLOOR  1e-12
/* Standard errors that chance must be beaten by: 960 / 8 columns are tried. */
#define SIGMAS 4.0

#define FLUX_HOP  120
#define FLUX_SPAN 256
#define FLUX_HOPS (FRAME / FLUX_HOP)
#define FLUX_BINS (FLUX_SPAN / 2 + 1)

const size_t stride_samples[STRIDES] = {4, 20, 120, 960};

static size_t columns(size_t s)
{
    return stride_samples[s] > HOP ? stride_samples[s] / COARSE
                                   : stride_samples[s];
}

static moshi_status make_room(stride_meter *m, size_t n, moshi_error *err)
{
    bool enough = true;
    if (!m->flux.sum) {
        for (size_t s = 0; s < STRIDES; s++)
            enough = fold_open(&m->surprise[s], columns(s)) && enough;
        enough = fold_open(&m->flux, FLUX_HOPS) && enough;
    }
    if (enough && n > m->room) {
        memory_free(m->error);
        memory_free(m->level);
        m->room = n;
        m->error = memory_calloc(n, sizeof *m->error);
        m->level = memory_calloc(n / HOP + 1, sizeof *m->level);
    }
    return enough && m->error && m->level
               ? MOSHI_OK : error_no_memory(err, "the search for strides");
}

/* Squared errors of hop `h`, as multiples of their mean; 0 where it is quiet,
 * and level[h] says so. */
static void foresee(stride_meter *m, const float *pcm, size_t n, size_t h)
{
    double a[ORDER + 1], power = 0, mean = 0;
    double *e = m->error + h * HOP;
    for (size_t t = 0; t < HOP; t++)
        power += (double)pcm[h * HOP + t] * (double)pcm[h * HOP + t] / HOP;
    m->level[h] = power;
    memset(e, 0, HOP * sizeof *e);
    if (power < QUIET)
        return;
    predict_fit_hop(pcm, n, h * HOP, a);
    for (size_t t = 0; t < HOP; t++) {
        double sum = 0;
        for (int k = 0; k <= ORDER; k++)
            sum += a[k] * predict_at(pcm, n, (long)(h * HOP + t) - k);
        e[t] = sum * sum;
        mean += e[t] / HOP;
    }
    for (size_t t = 0; t < HOP; t++)
        e[t] = fmin(e[t] / (mean + FLOOR), MOST);
}

/* A hop as a row of stride s: its columns' means. */
static void add_hop(fold *f, const double *e, size_t stride)
{
    double row[HOP] = {0};
    for (size_t t = 0; t < HOP; t++)
        row[t % stride] += e[t] * (double)stride / HOP;
    fold_add(f, row);
}

static void add_surprise(stride_meter *m, const float *pcm, size_t n)
{
    size_t hops = n / HOP;
    for (size_t h = 0; h < hops; h++) {
        foresee(m, pcm, n, h);
        if (m->level[h] < QUIET)
            continue;
        for (size_t s = 0; stride_samples[s] <= HOP; s++)
            add_hop(&m->surprise[s], m->error + h * HOP, stride_samples[s]);
    }
    for (size_t h = 0; h + 1 < hops; h += 2) {
        double row[2 * HOP / COARSE] = {0};
        const double *e = m->error + h * HOP;
        if (m->level[h] < QUIET || m->level[h + 1] < QUIET)
            continue;
        for (size_t t = 0; t < 2 * HOP; t++)
            row[t / COARSE] += e[t] / COARSE;
        fold_add(&m->surprise[STRIDES - 1], row);
    }
}

/* --- flux --- */

static void spectrum(fourier *f, const float *pcm, size_t n, long middle,
                     float *out)
{
    float x[FLUX_SPAN], power[FLUX_BINS];
    for (int i = 0; i < FLUX_SPAN; i++) {
        double hann = 0.5 - 0.5 * cos(2 * acos(-1.0) * (i + 0.5) / FLUX_SPAN);
        x[i] = (float)(hann * predict_at(pcm, n, middle - FLUX_SPAN / 2 + i));
    }
    fourier_power(f, x, power);
    for (int b = 0; b < FLUX_BINS; b++)
        out[b] = log10f(power[b] + 1e-7f);
}

/* Of each hop of a frame, the distance of the spectra around it, as multiples
 * of the frame's mean. */
static void add_frame(stride_meter *m, fourier *f, const float *pcm, size_t n,
                      size_t start)
{
    float before[FLUX_BINS], after[FLUX_BINS];
    double row[FLUX_HOPS], mean = 0;
    for (size_t h = 0; h < FLUX_HOPS; h++) {
        long here = (long)(start + h * FLUX_HOP), half = FLUX_SPAN / 4;
        double sum = 0;
        spectrum(f, pcm, n, here - half, before);
        spectrum(f, pcm, n, here + half, after);
        for (int b = 0; b < FLUX_BINS; b++)
            sum += fabs((double)after[b] - (double)before[b]);
        row[h] = sum;
        mean += sum / FLUX_HOPS;
    }
    for (size_t h = 0; h < FLUX_HOPS; h++)
        row[h] /= mean + FLOOR;
    fold_add(&m->flux, row);
}

static moshi_status add_flux(stride_meter *m, const float *pcm, size_t n,
                             moshi_error *err)
{
    fourier *f = NULL;
    moshi_status status = fourier_open(&f, FLUX_SPAN, err);
    if (status == MOSHI_LACKING)
        return MOSHI_OK;
    for (size_t i = 0; status == MOSHI_OK && (i + 1) * FRAME <= n; i++) {
        bool loud = true;
        for (size_t h = i * FRAME / HOP; h < (i + 1) * FRAME / HOP; h++)
            loud = loud && m->level[h] >= QUIET;
        if (loud)
            add_frame(m, f, pcm, n, i * FRAME);
    }
    fourier_close(&f);
    return status;
}

moshi_status stride_push(stride_meter *m, const float *pcm, size_t n,
                         moshi_error *err)
{
    moshi_status status = make_room(m, n, err);
    if (status != MOSHI_OK)
        return status;
    add_surprise(m, pcm, n);
    return add_flux(m, pcm, n, err);
}

stride_measures stride_read(const stride_meter *m)
{
    stride_measures out;
    size_t column;
    for (size_t s = 0; s < STRIDES; s++)
        out.surprise[s] = fold_excess(&m->surprise[s], SIGMAS, &column);
    out.flux = fold_excess(&m->flux, SIGMAS, &column);
    return out;
}

void stride_release(stride_meter *m)
{
    for (size_t s = 0; s < STRIDES; s++)
        fold_close(&m->surprise[s]);
    fold_close(&m->flux);
    memory_free(m->error);
    memory_free(m->level);
    *m = (stride_meter){0};
}
