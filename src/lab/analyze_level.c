/* analyze_level.c: the meter of samples. */
#include "lab/analyze_level.h"

#include <math.h>

#define LIMIT     0.9995 /* of full scale */
#define LIMIT_RUN 3      /* one sample there is a peak, three are clipped */
#define GAP_MS    8      /* shorter silences lie inside words of a quiet file */
#define LOUD      0.01   /* -40 dBFS: full swing */
#define SMOOTHING 0.05   /* of |x|, a millisecond at 24 kHz */

void level_meter_init(level_meter *m, int rate_hz)
{
    *m = (level_meter){.rate_hz = rate_hz};
}

static double swap_bytes(double x)
{
    double scaled = fmin(fmax(x * 32768, -32768), 32767);
    uint16_t v = (uint16_t)(int16_t)lrint(scaled);
    return (double)(int16_t)(uint16_t)(v << 8 | v >> 8) / 32768;
}

/* The silence ends: was it one that nobody meant? Before it the sound was
 * loud to the last sample, and it goes on afterwards. */
static void end_gap(level_meter *m)
{
    uint64_t least = (uint64_t)(GAP_MS * m->rate_hz / 1000);
    if (m->stopped && m->zeros >= least) {
        if (m->gaps < LEVEL_GAPS_MAX)
            m->gap[m->gaps] = (level_gap){m->n - m->zeros, m->zeros};
        m->gaps++;
    }
    m->zeros = 0;
}

static void push_one(level_meter *m, double x)
{
    double swapped = swap_bytes(x), size = fabs(x);
    m->sum += x;
    m->square += x * x;
    m->product += x * m->last;
    m->swapped_product += swapped * m->swapped_last;
    m->swapped_square += swapped * swapped;
    m->peak = fmax(m->peak, size);
    m->at_limit = size >= LIMIT ? m->at_limit + 1 : 0;
    m->clipped += m->at_limit == LIMIT_RUN ? LIMIT_RUN
                  : m->at_limit > LIMIT_RUN;
    if (size > 0 && m->zeros)
        end_gap(m);
    if (size == 0 && m->zeros++ == 0)
        m->stopped = fabs(m->last) > LOUD && m->tail > LOUD;
    m->tail += SMOOTHING * (size - m->tail);
    m->last = x;
    m->swapped_last = swapped;
    m->n++;
}

void level_meter_push(level_meter *m, const float *pcm, size_t n)
{
    for (size_t i = 0; i < n; i++)
        push_one(m, (double)pcm[i]);
}

double level_meter_smooth(const level_meter *m)
{
    return m->square > 0 ? m->product / m->square : 0;
}

double level_meter_smooth_swapped(const level_meter *m)
{
    return m->swapped_square > 0 ? m->swapped_product / m->swapped_square : 0;
}
