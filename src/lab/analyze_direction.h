/* analyze_direction.h: does time run forwards?
 *
 * Each pulse of a human voice sets the mouth ringing: the sound rises within a
 * fraction of a millisecond and dies away over several. Played backwards it
 * does the opposite. Voices of a synthesiser need not show it. */
#ifndef MOSHI_LAB_ANALYZE_DIRECTION_H
#define MOSHI_LAB_ANALYZE_DIRECTION_H

#include <stddef.h>

#include <moshi/error.h>

/* Steps of the level over 2 ms. */
typedef struct direction {
    double square, cube;
    size_t count;
} direction;

/* Add n samples at 24 kHz. Errors: MOSHI_NO_MEMORY. */
moshi_status direction_push(direction *d, const float *pcm, size_t n,
                            moshi_error *err);

/* Skewness of the steps: above 0 when sounds rise faster than they fall. NAN
 * where there is too little. */
double direction_read(const direction *d);

#endif
