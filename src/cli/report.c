/* report.c: one line for an error, a warning or a note, on standard error. */
#include "cli/report.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Colour only for a person at a terminal who has not declined it
 * (no-color.org: NO_COLOR set to anything but nothing). */
static bool may_colour(void)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDERR_FILENO) && !(no_color && *no_color) && term &&
           strcmp(term, "dumb") != 0;
}

static void print_line(const char *colour, const char *label, const char *text)
{
    /* What was said on standard output so far comes first. */
    fflush(stdout);
    if (may_colour())
        fprintf(stderr, "\033[%sm%s:\033[0m %s\n", colour, label, text);
    else
        fprintf(stderr, "%s: %s\n", label, text);
}

exit_status report_error(const moshi_error *err)
{
    assert(err->status < 0); /* else a failure would exit as a success */
    const char *message = err->message[0] ? err->message
                                          : moshi_status_text(err->status);
    print_line("1;31", "moshi", message);
    if (err->hint[0])
        print_line("36", "hint", err->hint);
    return exit_status_of(err->status);
}

exit_status report_usage(const char *command, const char *format, ...)
{
    moshi_error err = {.status = MOSHI_ARGUMENT};
    va_list args;
    va_start(args, format);
    vsnprintf(err.message, sizeof err.message, format, args);
    va_end(args);
    snprintf(err.hint, sizeof err.hint, "read 'moshi %s%s'",
             command ? "help " : "--help", command ? command : "");
    report_error(&err);
    return EXIT_STATUS_USAGE;
}

void report_warning(const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_line("1;33", "moshi: warning", text);
}

void report_note(bool quiet, const char *format, ...)
{
    if (quiet)
        return;
    fflush(stdout);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void report_slow(double frame_seconds)
{
    if (frame_seconds > 0.08)
        report_warning("a frame of 80 ms takes this machine %.0f ms: answers "
                       "will come late and broken; 'moshi bench' says what "
                       "would help", 1e3 * frame_seconds);
}
