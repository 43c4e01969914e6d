/* analyze_level.h: what the samples of a file are like, before any judgement
 * of speech: peak, offset, clipping, sudden digital silence, byte order.
 *
 * Works on the file's own samples at its own rate, in pieces of any length. */
#ifndef MOSHI_LAB_ANALYZE_LEVEL_H
#define MOSHI_LAB_ANALYZE_LEVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEVEL_GAPS_MAX 256

/* Sound that stops at once, in full swing, and is digital silence. */
typedef struct level_gap {
    uint64_t at, samples;
} level_gap;

typedef struct level_meter {
    int rate_hz;
    uint64_t n, clipped;
    double sum, square, peak;
    double product, swapped_product, swapped_square, last, swapped_last;
    int at_limit;      /* samples in a row at the limit */
    uint64_t zeros;    /* samples in a row that are zero */
    double tail;       /* smoothed |x|: how loud it was lately */
    bool stopped;      /* the zeros began in full swing */
    uint64_t gaps;     /* all of them; the first are kept */
    level_gap gap[LEVEL_GAPS_MAX];
} level_meter;

void level_meter_init(level_meter *m, int rate_hz);
void level_meter_push(level_meter *m, const float *pcm, size_t n);

/* Correlation of neighbouring samples: near 0 for noise, near 1 for speech;
 * as it is, and with the two bytes of each 16-bit sample exchanged. */
double level_meter_smooth(const level_meter *m);
double level_meter_smooth_swapped(const level_meter *m);

#endif
