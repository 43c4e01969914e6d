/* test_sound.c: source and filter, as in the phonetics of vowels. */
#include "lab/test_sound.h"

#include <math.h>
#include <stdint.h>

#define TAU 6.283185307179586

#define SYLLABLE_SECONDS 0.24
#define VOICED_SECONDS   0.19 /* of it; the rest is breath */
#define LEVEL            0.06 /* for a peak of 0.5 */

/* First three resonances of five vowels, Hz (a, e, i, o, u). */
static const double vowels[][3] = {{730, 1090, 2440}, {530, 1840, 2480},
                                   {270, 2290, 3010}, {570, 840, 2410},
                                   {300, 870, 2240}};
#define VOWELS (sizeof vowels / sizeof *vowels)

/* A second-order resonance of unit gain at its middle. */
typedef struct resonance {
    double before, earlier;
} resonance;

static double resonate(resonance *r, double x, double hz, double width_hz,
                       int rate_hz)
{
    double radius = exp(-TAU / 2 * width_hz / rate_hz);
    double a = 2 * radius * cos(TAU * hz / rate_hz), b = radius * radius;
    double y = (1 - b) * x + a * r->before - b * r->earlier;
    r->earlier = r->before;
    r->before = y;
    return y;
}

static double noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) / (1 << 23) - 1;
}

void test_sound_fill(float *pcm, size_t n, int rate_hz)
{
    resonance filters[3] = {{0, 0}};
    uint32_t seed = 20240917u;
    double phase = 0;
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / rate_hz;
        size_t syllable = (size_t)(t / SYLLABLE_SECONDS);
        double inside = t - (double)syllable * SYLLABLE_SECONDS;
        double glide = inside / SYLLABLE_SECONDS;
        const double *from = vowels[(syllable * 2 + syllable / 5) % VOWELS];
        const double *to = vowels[((syllable + 1) * 2 + (syllable + 1) / 5) %
                                  VOWELS];
        double swell = inside < VOICED_SECONDS
                           ? sin(TAU / 2 * inside / VOICED_SECONDS) : 0;
        phase += (115 + 25 * sin(TAU * 0.4 * t) + 10 * glide) / rate_hz;
        phase -= floor(phase);
        /* A saw has the falling spectrum of the glottis. */
        double x = swell * (1 - 2 * phase) + 0.03 * noise(&seed);
        double y = 0;
        for (int f = 0; f < 3; f++)
            y += resonate(&filters[f], x, from[f] + glide * (to[f] - from[f]),
                          80 + 40 * f, rate_hz);
        pcm[i] = (float)(LEVEL * y);
    }
}
