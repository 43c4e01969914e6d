/* speech_level.c: the levels of a recording, and whether they are speech's.
 *
 * Levels of 20 ms windows go into a histogram of 0.1 dB steps, so a recording
 * of any length needs no memory. A window's level is measured about its own
 * mean: an offset of the sound card and rumble below 25 Hz count as silence. */
#include "audio/speech_level.h"

#include <math.h>
#include <stdint.h>

#define WINDOWS_PER_SECOND 50
#define STEPS_PER_DB       10
#define FLOOR_DBFS         (-100) /* below a 16-bit file's last bit */
#define CEILING_DBFS       20
#define STEPS              ((CEILING_DBFS - FLOOR_DBFS) * STEPS_PER_DB + 1)

/* Thresholds, from measurements at 24 kHz:
 *                                     active dBFS    contrast dB
 *   speech, recorded and synthetic    -10 … -18      32 … 86
 *   the same + white noise, SNR 10    -13 … -18      16 … 18
 *   the same + white noise, SNR 0     -12 … -17       7 … 8
 *   white noise, sines, any level         any        under 1.5
 * Noise swelling by 30 % stays under 6 dB too; only rumble (1/f^2) can pass
 * for speech here. -45 dBFS lies 27 dB below the quietest of the recordings:
 * a microphone that is muted or far away. */
#define CONTRAST_MIN_DB    6
#define ACTIVE_MIN_DBFS    (-45)
#define ACTIVE_WINDOWS_MIN 5 /* 0.1 s, shorter than any word */
#define SECONDS_MIN        0.1

typedef struct histogram {
    uint64_t count[STEPS];
    double power[STEPS]; /* sum of the windows' mean squares */
    uint64_t windows;
} histogram;

static double to_dbfs(double mean_square)
{
    return mean_square > 0 ? 10 * log10(mean_square) : -INFINITY;
}

static double step_dbfs(int step)
{
    return FLOOR_DBFS + (double)step / STEPS_PER_DB;
}

static int step_of(double dbfs)
{
    double step = (dbfs - FLOOR_DBFS) * STEPS_PER_DB;
    return step <= 0 ? 0 : step >= STEPS - 1 ? STEPS - 1 : (int)lround(step);
}

static void add_window(histogram *h, const float *in, size_t n)
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)in[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        square += ((double)in[i] - mean) * ((double)in[i] - mean);
    square /= (double)n;
    int step = step_of(to_dbfs(square));
    h->count[step]++;
    h->power[step] += square;
    h->windows++;
}

/* The level that a share of the windows does not exceed. */
static double percentile(const histogram *h, double share)
{
    uint64_t below = 0;
    for (int step = 0; step < STEPS; step++) {
        below += h->count[step];
        if ((double)below >= share * (double)h->windows)
            return step_dbfs(step);
    }
    return CEILING_DBFS;
}

/* RMS of the loudest tenth, at least one window. */
static double loudest_tenth(const histogram *h)
{
    uint64_t wanted = (h->windows + 9) / 10, have = 0;
    double power = 0;
    for (int step = STEPS - 1; step >= 0 && have < wanted; step--) {
        uint64_t n = h->count[step], left = wanted - have;
        if (n == 0)
            continue;
        uint64_t take = n < left ? n : left;
        power += h->power[step] * (double)take / (double)n;
        have += take;
    }
    return to_dbfs(power / (double)wanted);
}

static uint64_t windows_above(const histogram *h, double dbfs)
{
    uint64_t n = 0;
    for (int step = 0; step < STEPS; step++)
        if (step_dbfs(step) >= dbfs)
            n += h->count[step];
    return n;
}

/* contrast_db: from the background (10th percentile) to the loudest tenth. It
 * sees a word in a minute of silence, which range_db does not. */
static const char *why_not(const speech_level *l, uint64_t active,
                           double contrast_db)
{
    if (l->seconds < SECONDS_MIN)
        return "it is shorter than a tenth of a second";
    if (isinf(l->peak_dbfs))
        return "it is digital silence: every sample is zero";
    if (contrast_db < CONTRAST_MIN_DB)
        return "its level stays the same, as in noise, hum or silence, while "
               "speech rises and falls";
    if (l->active_dbfs < ACTIVE_MIN_DBFS)
        return "it is too quiet: its loudest parts lie below -45 dBFS";
    if (active < ACTIVE_WINDOWS_MIN)
        return "nothing in it is loud for longer than a click";
    return NULL;
}

speech_level speech_level_measure(const float *mono, size_t n, int rate_hz)
{
    histogram h = {0};
    speech_level l = {.peak_dbfs = -INFINITY, .active_dbfs = -INFINITY};
    size_t window = (size_t)rate_hz / WINDOWS_PER_SECOND;
    float peak = 0;
    if (window == 0)
        window = 1;
    for (size_t i = 0; i < n; i++)
        if (fabsf(mono[i]) > peak)
            peak = fabsf(mono[i]);
    l.peak_dbfs = to_dbfs((double)peak * (double)peak);
    l.seconds = (double)n / rate_hz;
    /* A last window that is not whole counts only when it is the only one. */
    for (size_t i = 0; i + window <= n; i += window)
        add_window(&h, mono + i, window);
    if (h.windows == 0 && n > 0)
        add_window(&h, mono, n);
    uint64_t active = 0;
    double contrast_db = 0;
    if (h.windows > 0) {
        double quiet = percentile(&h, 0.10);
        l.active_dbfs = loudest_tenth(&h);
        l.range_db = percentile(&h, 0.95) - quiet;
        contrast_db = l.active_dbfs - quiet;
        active = windows_above(&h, fmax(l.active_dbfs - 20, -55));
        l.active_share = (double)active / (double)h.windows;
    }
    l.reason = why_not(&l, active, contrast_db);
    l.speech_likely = l.reason == NULL;
    return l;
}
