/* analyze_direction.c: skewness of how the level of the finest sound moves. */
#include "lab/analyze_direction.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

#define STEP      12 /* samples: half a millisecond at 24 kHz */
#define STEPS     4  /* a level is the mean over so many, a step of it the */
                     /* difference between levels so many apart */
#define LOUD      0.95
#define RANGE     1e-3 /* 30 dB below the loud parts nothing is counted */
#define COUNT_MIN 1000

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Mean squares of the difference of neighbours, which takes out what is low:
 * its ringing is as long as the steps. */
static void fill_levels(double *level, size_t count, const float *pcm)
{
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (size_t k = i * STEP + 1; k < (i + STEPS) * STEP; k++) {
            double d = (double)pcm[k] - (double)pcm[k - 1];
            sum += d * d;
        }
        level[i] = sum / (STEP * STEPS);
    }
}

moshi_status direction_push(direction *d, const float *pcm, size_t n,
                            moshi_error *err)
{
    if (n < 4 * STEPS * STEP)
        return MOSHI_OK;
    size_t count = n / STEP - STEPS;
    double *level = memory_calloc(count, sizeof *level);
    double *sorted = memory_calloc(count, sizeof *sorted);
    bool enough = level && sorted;
    if (enough) {
        fill_levels(level, count, pcm);
        for (size_t i = 0; i < count; i++)
            sorted[i] = level[i];
        qsort(sorted, count, sizeof *sorted, by_size);
        double least = RANGE * sorted[(size_t)(LOUD * (double)count)];
        for (size_t i = 0; i + STEPS < count; i++) {
            if (level[i] <= least || level[i + STEPS] <= least)
                continue;
            double step = log(level[i + STEPS] / level[i]);
            d->square += step * step;
            d->cube += step * step * step;
            d->count++;
        }
    }
    memory_free(level);
    memory_free(sorted);
    return enough ? MOSHI_OK : error_no_memory(err, "the direction of time");
}

double direction_read(const direction *d)
{
    double n = (double)d->count;
    if (d->count < COUNT_MIN || d->square <= 0)
        return NAN;
    return d->cube / n / pow(d->square / n, 1.5);
}
