/* analyze_ref.c: align two recordings and measure their distance. */
#include "lab/analyze_ref.h"

#include <math.h>
#include <stdbool.h>

#include "audio/fourier.h"
#include "audio/resample.h"
#include "audio/source_file.h"
#include "base/error.h"
#include "base/memory.h"
#include "lab/stoi.h"

#define RATE_HZ    24000
#define HOP        60 /* of the envelopes: 2.5 ms */
#define LAG_MAX    (REF_LAG_MAX_MS * RATE_HZ / 1000 / HOP)
#define FINE       (2 * HOP)      /* samples to each side of the coarse lag */
#define STRETCH    (3 * RATE_HZ)  /* the loudest, for the fine lag */
#define FFT        512
#define RANGE_DB   60 /* spectra are compared this far below the loudest */

typedef struct sound {
    float *x; /* owned */
    size_t n;
} sound;

static moshi_status load(sound *s, const char *path, moshi_error *err)
{
    moshi_status status = source_file_load(path, RATE_HZ, &s->x, &s->n, err);
    size_t most = (size_t)REF_SECONDS_MAX * RATE_HZ;
    if (status == MOSHI_OK && s->n > most)
        s->n = most;
    return status;
}

/* Levels of hops, without their mean, so that pauses count as much as sound. */
static double *envelope(const sound *s, size_t *hops)
{
    double mean = 0, *e;
    *hops = s->n / HOP;
    e = memory_calloc(*hops ? *hops : 1, sizeof *e);
    if (!e)
        return NULL;
    for (size_t i = 0; i < *hops; i++) {
        for (size_t k = i * HOP; k < (i + 1) * HOP; k++)
            e[i] += (double)s->x[k] * (double)s->x[k];
        e[i] = sqrt(e[i] / HOP);
        mean += e[i] / (double)*hops;
    }
    for (size_t i = 0; i < *hops; i++)
        e[i] -= mean;
    return e;
}

static double product(const double *a, size_t na, const double *b, size_t nb,
                      long lag)
{
    double sum = 0;
    for (long i = lag < 0 ? -lag : 0; i < (long)na && i + lag < (long)nb; i++)
        sum += a[i] * b[i + lag];
    return sum;
}

static moshi_status coarse_lag(long *lag, const sound *a, const sound *b,
                               moshi_error *err)
{
    size_t na, nb;
    double *ea = envelope(a, &na), *eb = envelope(b, &nb), best = -INFINITY;
    bool enough = ea && eb;
    for (long l = -LAG_MAX; enough && l <= LAG_MAX; l++) {
        double p = product(ea, na, eb, nb, l);
        if (p > best) {
            best = p;
            *lag = l * HOP;
        }
    }
    memory_free(ea);
    memory_free(eb);
    return enough ? MOSHI_OK : error_no_memory(err, "the alignment");
}

/* Where the STRETCH samples with the most power begin. */
static size_t loudest(const sound *a)
{
    double sum = 0, best = -1;
    size_t at = 0;
    if (a->n <= STRETCH)
        return 0;
    for (size_t i = 0; i < a->n; i++) {
        sum += (double)a->x[i] * (double)a->x[i];
        if (i >= STRETCH)
            sum -= (double)a->x[i - STRETCH] * (double)a->x[i - STRETCH];
        if (i + 1 >= STRETCH && sum > best) {
            best = sum;
            at = i + 1 - STRETCH;
        }
    }
    return at;
}

static double overlap(const sound *a, const sound *b, size_t from, size_t to,
                      long lag)
{
    double sum = 0;
    for (size_t i = from; i < to && i < a->n; i++) {
        long j = (long)i + lag;
        if (j >= 0 && j < (long)b->n)
            sum += (double)a->x[i] * (double)b->x[j];
    }
    return sum;
}

/* One of the two may be upside down. */
static long fine_lag(const sound *a, const sound *b, long coarse)
{
    size_t from = loudest(a);
    double best = -1;
    long lag = coarse;
    for (long l = coarse - FINE; l <= coarse + FINE; l++) {
        double p = fabs(overlap(a, b, from, from + STRETCH, l));
        if (p > best) {
            best = p;
            lag = l;
        }
    }
    return lag;
}

/* From here on a and b are aligned, of equal length n. */
static bool match_gain(ref_result *out, const float *a, float *b, size_t n)
{
    double aa = 0, bb = 0, ab = 0, rest = 0;
    for (size_t i = 0; i < n; i++) {
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
        ab += (double)a[i] * (double)b[i];
    }
    if (aa <= 0 || bb <= 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - ab / bb * (double)b[i];
        rest += d * d;
    }
    /* Equal samples would give infinity, which JSON cannot say. */
    out->snr_db = fmin(10 * log10(aa / fmax(rest, 1e-30)), 200);
    /* Codecs keep power, not waves: spectra are compared at equal power. */
    float gain = (float)sqrt(aa / bb);
    for (size_t i = 0; i < n; i++)
        b[i] *= gain;
    return true;
}

static void spectrum_db(fourier *f, const float *x, float *db)
{
    float in[FFT];
    for (int i = 0; i < FFT; i++)
        in[i] = x[i] * (float)(0.5 - 0.5 * cos(2 * acos(-1.0) * (i + 0.5) /
                                               FFT));
    fourier_power(f, in, db);
    for (int i = 0; i <= FFT / 2; i++)
        db[i] = (float)(10 * log10((double)db[i] + 1e-12));
}

static double spectral_distance(fourier *f, const float *a, const float *b,
                                size_t n)
{
    float x[FFT / 2 + 1], y[FFT / 2 + 1];
    double top = -INFINITY, sum = 0;
    size_t count = 0;
    for (size_t at = 0; at + FFT <= n; at += FFT / 2) {
        spectrum_db(f, a + at, x);
        /* Not by fmax: see read_direction in analyze_speech.c. */
        for (int i = 0; i <= FFT / 2; i++)
            if ((double)x[i] > top)
                top = (double)x[i];
    }
    for (size_t at = 0; at + FFT <= n; at += FFT / 2) {
        double square = 0;
        spectrum_db(f, a + at, x);
        spectrum_db(f, b + at, y);
        for (int i = 0; i <= FFT / 2; i++) {
            double d = fmax((double)x[i], top - RANGE_DB) -
                       fmax((double)y[i], top - RANGE_DB);
            square += d * d / (FFT / 2 + 1);
        }
        sum += sqrt(square);
        count++;
    }
    return count ? sum / (double)count : NAN;
}

static moshi_status to_10k(const float *in, size_t n, float *out, size_t room,
                           size_t *got, moshi_error *err)
{
    resample *r = NULL;
    size_t taken = 0, used, now;
    *got = 0;
    moshi_status status = resample_open(&r, RATE_HZ, STOI_RATE_HZ, err);
    while (status == MOSHI_OK) {
        status = resample_push(r, in + taken, n - taken, 1, out + *got,
                               room - *got, &used, &now, err);
        taken += used;
        *got += now;
        if (taken == n && now == 0)
            break;
    }
    resample_close(&r);
    return status;
}

static moshi_status read_spectra(ref_result *out, const float *a,
                                 const float *b, size_t n, moshi_error *err)
{
    fourier *f = NULL;
    moshi_status status = fourier_open(&f, FFT, err);
    if (status == MOSHI_LACKING)
        return MOSHI_OK; /* both measures stay NAN */
    if (status != MOSHI_OK)
        return status;
    out->spectral_db = spectral_distance(f, a, b, n);
    fourier_close(&f);
    size_t room = n / 2 + 64, na, nb;
    float *x = memory_calloc(room, sizeof *x);
    float *y = memory_calloc(room, sizeof *y);
    status = x && y ? MOSHI_OK : error_no_memory(err, "STOI");
    if (status == MOSHI_OK)
        status = to_10k(a, n, x, room, &na, err);
    if (status == MOSHI_OK)
        status = to_10k(b, n, y, room, &nb, err);
    if (status == MOSHI_OK)
        status = stoi_measure(&out->stoi, x, y, na < nb ? na : nb, err);
    memory_free(x);
    memory_free(y);
    return status;
}

static moshi_status compare(ref_result *out, sound *a, sound *b,
                            moshi_error *err)
{
    long lag = 0;
    moshi_status status = coarse_lag(&lag, a, b, err);
    if (status != MOSHI_OK)
        return status;
    lag = fine_lag(a, b, lag);
    out->lag_ms = (double)lag * 1000 / RATE_HZ;
    size_t from_a = lag < 0 ? (size_t)-lag : 0, from_b = lag > 0 ? (size_t)lag
                                                                : 0;
    if (from_a >= a->n || from_b >= b->n)
        return error_set(err, MOSHI_MISMATCH, "the recordings do not overlap");
    size_t n = a->n - from_a < b->n - from_b ? a->n - from_a : b->n - from_b;
    if (!match_gain(out, a->x + from_a, b->x + from_b, n))
        return error_set(err, MOSHI_MISMATCH,
                         "one of the recordings is silent");
    return read_spectra(out, a->x + from_a, b->x + from_b, n, err);
}

moshi_status ref_compare(ref_result *out, const char *path,
                         const char *reference, moshi_error *err)
{
    sound a = {0}, b = {0};
    ref_result result = {NAN, NAN, NAN, NAN};
    moshi_status status = load(&a, reference, err);
    if (status == MOSHI_OK)
        status = load(&b, path, err);
    if (status == MOSHI_OK)
        status = compare(&result, &a, &b, err);
    if (status == MOSHI_OK)
        *out = result;
    memory_free(a.x);
    memory_free(b.x);
    return status;
}
