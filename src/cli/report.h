/* report.h: what a command says to a person, on standard error. */
#ifndef MOSHI_CLI_REPORT_H
#define MOSHI_CLI_REPORT_H

#include <stdbool.h>

#include <moshi/error.h>

#include "cli/exit_status.h"

#if defined(__GNUC__)
#define REPORT_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define REPORT_PRINTF(f, a)
#endif

/* "moshi: MESSAGE", and "hint: HINT" on a second line if there is one.
 * Returns the exit status that fits, so that a command that fails ends with
 * `return report_error(&err);`. */
exit_status report_error(const moshi_error *err);

/* The same for wrong usage: returns EXIT_STATUS_USAGE and says which help to
 * read; `command` is NULL when it is not known. */
exit_status report_usage(const char *command, const char *format, ...)
    REPORT_PRINTF(2, 3);

/* "moshi: warning: …": something the user should know of a run that goes on.
 * Not silenced by --quiet. */
void report_warning(const char *format, ...) REPORT_PRINTF(1, 2);

/* A line about what is being done; nothing when quiet. */
void report_note(bool quiet, const char *format, ...) REPORT_PRINTF(2, 3);

/* A warning when a frame takes longer than it lasts (80 ms). */
void report_slow(double frame_seconds);

#endif
