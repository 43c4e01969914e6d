/* progress.c: a progress bar that redraws one line of a terminal. */
#include "cli/progress.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

#define REDRAW_SECONDS 0.1
#define BAR_CELLS      30

static int terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

void progress_open(progress *p, const char *label, bool quiet)
{
    *p = (progress){.label = label,
                    .shown = !quiet && isatty(STDERR_FILENO),
                    .drawn_at = -1};
}

void progress_set(progress *p, double fraction, const char *note)
{
    if (!p->shown)
        return;
    double now = clock_seconds();
    if (p->drawn_at >= 0 && now - p->drawn_at < REDRAW_SECONDS)
        return;
    p->drawn_at = now;
    if (!(fraction >= 0))
        fraction = 0;
    if (fraction > 1)
        fraction = 1;
    char bar[BAR_CELLS + 1], line[256];
    int full = (int)(fraction * BAR_CELLS);
    for (int i = 0; i < BAR_CELLS; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR_CELLS] = 0;
    snprintf(line, sizeof line, "%s [%s] %3d%%%s%s", p->label, bar,
             (int)(fraction * 100), note ? "  " : "", note ? note : "");
    /* A line that wraps could not be redrawn. */
    fprintf(stderr, "\r\033[K%.*s", terminal_columns() - 1, line);
    fflush(stderr);
}

void progress_close(progress *p)
{
    if (p->shown && p->drawn_at >= 0) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    p->shown = false;
}
