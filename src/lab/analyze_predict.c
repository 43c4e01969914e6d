/* analyze_predict.c: autocorrelation and Levinson-Durbin. */
#include "lab/analyze_predict.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define ORDER PREDICT_ORDER

/* Below a 16-bit file's last bit: digital silence has a predictor too. */
#define FLOOR_POWER 1e-9

static void solve(const double *r, double *a)
{
    double error = r[0];
    memset(a, 0, (ORDER + 1) * sizeof *a);
    a[0] = 1;
    for (int i = 1; i <= ORDER && error > 0; i++) {
        double sum = r[i], before[ORDER + 1];
        for (int j = 1; j < i; j++)
            sum += a[j] * r[i - j];
        double k = -sum / error;
        memcpy(before, a, sizeof before);
        for (int j = 1; j < i; j++)
            a[j] = before[j] + k * before[i - j];
        a[i] = k;
        error *= 1 - k * k;
    }
}

void predict_fit(const double *x, size_t n, double *a)
{
    double v[PREDICT_MAX], r[ORDER + 1] = {0};
    assert(n > 0 && n <= PREDICT_MAX);
    for (size_t i = 0; i < n; i++)
        v[i] = x[i] * (0.5 - 0.5 * cos(2 * acos(-1.0) * (double)(i + 1) /
                                       (double)(n + 1)));
    for (size_t k = 0; k <= ORDER; k++)
        for (size_t i = k; i < n; i++)
            r[k] += v[i] * v[i - k];
    r[0] = r[0] * (1 + 1e-9) + FLOOR_POWER;
    solve(r, a);
}

void predict_fit_hop(const float *pcm, size_t n, size_t hop, double *a)
{
    double x[PREDICT_MAX];
    long first = (long)hop - (PREDICT_MAX - PREDICT_HOP) / 2;
    for (long i = 0; i < PREDICT_MAX; i++)
        x[i] = predict_at(pcm, n, first + i);
    predict_fit(x, PREDICT_MAX, a);
}
