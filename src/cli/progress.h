/* progress.h: a progress bar on standard error, when that is a terminal. */
#ifndef MOSHI_CLI_PROGRESS_H
#define MOSHI_CLI_PROGRESS_H

#include <stdbool.h>

typedef struct progress {
    const char *label; /* borrowed: "writing" */
    bool shown;
    double drawn_at; /* seconds (base/clock); below 0: never */
} progress;

/* Nothing is ever drawn when quiet, or when standard error is no terminal. */
void progress_open(progress *p, const char *label, bool quiet);

/* fraction: 0 … 1; note: a few words after the bar, or NULL. Drawn at most
 * ten times a second, so it may be called for every frame. */
void progress_set(progress *p, double fraction, const char *note);

/* Take the bar away, so that the next line starts on an empty one. */
void progress_close(progress *p);

#endif
