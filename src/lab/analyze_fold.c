/* analyze_fold.c: means and spreads of columns. */
#include "lab/analyze_fold.h"

#include <math.h>

#include "base/memory.h"

int fold_open(fold *f, size_t period)
{
    *f = (fold){.period = period};
    f->sum = memory_calloc(period, sizeof *f->sum);
    f->squares = memory_calloc(period, sizeof *f->squares);
    return f->sum && f->squares;
}

void fold_close(fold *f)
{
    memory_free(f->sum);
    memory_free(f->squares);
    *f = (fold){0};
}

void fold_add(fold *f, const double *row)
{
    for (size_t i = 0; i < f->period; i++) {
        f->sum[i] += row[i];
        f->squares[i] += row[i] * row[i];
    }
    f->rows++;
}

double fold_excess(const fold *f, double sigmas, size_t *column)
{
    double all = 0, best = -INFINITY, n = (double)f->rows;
    *column = 0;
    if (f->rows < FOLD_ROWS_LEAST)
        return NAN;
    for (size_t i = 0; i < f->period; i++)
        all += f->sum[i] / n / (double)f->period;
    if (all <= 0)
        return NAN;
    for (size_t i = 0; i < f->period; i++) {
        double mean = f->sum[i] / n;
        double spread = (f->squares[i] / n - mean * mean) / (n - 1);
        double least = (mean - sigmas * sqrt(fmax(spread, 0))) / all - 1;
        if (least > best) {
            best = least;
            *column = i;
        }
    }
    return best;
}
