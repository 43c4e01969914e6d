/* speech_level.h: does a recording hold speech at all?
 *
 * A cheap answer from levels alone, for the warning that `gen` gives at once:
 * the recorded case behind it was white noise at -65 dBFS labelled "user says
 * hello". Speech is loud against its own background: its 20 ms levels spread
 * over tens of decibels, while noise and silence stay flat. */
#ifndef MOSHI_AUDIO_SPEECH_LEVEL_H
#define MOSHI_AUDIO_SPEECH_LEVEL_H

#include <stdbool.h>
#include <stddef.h>

typedef struct speech_level {
    double seconds;
    double peak_dbfs;    /* of the largest sample; -inf for digital silence */
    double active_dbfs;  /* RMS of the loudest tenth of 20 ms windows */
    double range_db;     /* between the 95th and the 10th percentile level */
    double active_share; /* share of windows within 20 dB of active_dbfs and
                            above -55 dBFS */
    bool speech_likely;
    const char *reason;  /* why not: a static sentence; NULL if likely */
} speech_level;

/* mono samples in [-1, 1]. */
speech_level speech_level_measure(const float *mono, size_t n, int rate_hz);

#endif
