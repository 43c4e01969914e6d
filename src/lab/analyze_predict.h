/* analyze_predict.h: the linear predictor of the search for cuts. */
#ifndef MOSHI_LAB_ANALYZE_PREDICT_H
#define MOSHI_LAB_ANALYZE_PREDICT_H

#include <stddef.h>

#define PREDICT_ORDER 32 /* 1.3 ms at 24 kHz */
#define PREDICT_SPAN  8  /* samples whose surprise is added on each side */
#define PREDICT_MAX   1440

/* Fit a[0 … PREDICT_ORDER], a[0] = 1, to n ≤ PREDICT_MAX samples under a Hann
 * window: the error of x[t] is the sum of a[k] x[t - k], and backwards that of
 * a[k] x[t + k]. */
void predict_fit(const double *x, size_t n, double *a);

/* Sound is foreseen in hops, each by a predictor fitted to it and as much again
 * on either side. */
#define PREDICT_HOP 480

/* Sample i of n; silence before the first and after the last. */
static inline double predict_at(const float *pcm, size_t n, long i)
{
    return i < 0 || i >= (long)n ? 0 : (double)pcm[i];
}

/* Fit a to the hop that begins at sample `hop` of n. */
void predict_fit_hop(const float *pcm, size_t n, size_t hop, double *a);

/* What one cut disturbs: ORDER samples through the predictor, and SPAN. */
#define PREDICT_GUARD (PREDICT_ORDER + PREDICT_SPAN + 4)

#endif
