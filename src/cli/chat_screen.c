/* chat_screen.c: words, status line and keys of moshi chat.
 *
 * Words go to standard output as they are spoken; the status line is the last
 * line of the terminal, on standard error, and is taken away before a word is
 * printed. */
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/quantile.h"
#include "cli/chat_work.h"
#include "cli/report.h"

#define DRAW_SECONDS 0.25
#define WRAP_COLUMN 60
#define METER_CELLS 10
#define METER_BOTTOM_DB (-60.0)

static struct termios before;
static bool raw;

/* A program that ends early must not leave the terminal without an echo. */
static void restore(void)
{
    if (raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    raw = false;
}

static bool listen_to_keys(void)
{
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0)
        return false;
    struct termios keys = before;
    keys.c_lflag &= (tcflag_t)~(ICANON | ECHO);
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    raw = tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
    if (raw)
        atexit(restore);
    return raw;
}

void chat_screen_open(chat_work *w)
{
    chat_screen *s = &w->screen;
    s->keys = listen_to_keys();
    s->status = !w->quiet && !w->json && isatty(STDERR_FILENO);
    s->drawn_at = -1;
    if (s->keys)
        report_note(w->quiet, "talk; m mutes the microphone, q quits");
}

static void erase(chat_screen *s)
{
    if (s->drawn)
        fputs("\r\033[K", stderr);
    s->drawn = false;
}

void chat_screen_close(chat_work *w)
{
    erase(&w->screen);
    restore();
    if (w->screen.column > 0)
        putchar('\n');
    w->screen.column = 0;
}

void chat_screen_say(chat_work *w, const char *text)
{
    chat_screen *s = &w->screen;
    if (w->json)
        return;
    if (s->drawn) {
        /* The words share the terminal with the line: go back up to them. */
        erase(s);
        if (s->column > 0)
            fprintf(stderr, "\033[A\033[%dG", s->column + 1);
        fflush(stderr);
    }
    if (s->status && s->column > WRAP_COLUMN && text[0] == ' ') {
        putchar('\n');
        s->column = 0;
        text++;
    }
    fputs(text, stdout);
    fflush(stdout);
    for (; *text; text++) /* characters, not bytes */
        s->column += ((unsigned char)*text & 0xc0) != 0x80;
}

static void draw_meter(const char *name, double dbfs)
{
    double share = (dbfs - METER_BOTTOM_DB) / -METER_BOTTOM_DB;
    int lit = (int)lrint(fmax(0, fmin(1, share)) * METER_CELLS);
    fprintf(stderr, "%s [", name);
    for (int i = 0; i < METER_CELLS; i++)
        fputc(i < lit ? '#' : '.', stderr);
    fputs("] ", stderr);
}

/* Time of a frame over the last seconds; q: 0 … 1. */
static double recent_quantile(const chat_recent *r, double q)
{
    double sorted[CHAT_RECENT];
    size_t n = r->count < CHAT_RECENT ? r->count : CHAT_RECENT;
    memcpy(sorted, r->seconds, n * sizeof *sorted);
    return quantile(sorted, n, q);
}

static void draw(chat_work *w)
{
    chat_screen *s = &w->screen;
    if (s->column > 0 && !s->drawn)
        fputc('\n', stderr);
    fputs("\r\033[K", stderr);
    draw_meter(w->muted ? "MUTED" : "you", w->muted ? -120 : w->level_in);
    draw_meter("moshi", w->level_out);
    fprintf(stderr, "frame %.0f/%.0f of 80 ms, %llu late",
            1e3 * recent_quantile(&w->recent, 0.5),
            1e3 * recent_quantile(&w->recent, 0.99),
            (unsigned long long)w->late);
    if (w->ends.live) {
        live_sound_state l = live_sound_look(w->ends.live);
        fprintf(stderr, ", under %llu over %llu, latency %.0f ms",
                (unsigned long long)l.underruns,
                (unsigned long long)(l.overruns + l.dropped),
                1e3 * (l.latency + recent_quantile(&w->recent, 0.5)));
    }
    fflush(stderr);
    s->drawn = true;
}

static void hear_keys(chat_work *w)
{
    char key;
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    while (poll(&in, 1, 0) > 0 && read(STDIN_FILENO, &key, 1) == 1) {
        if (key == 'q' || key == 4) /* Ctrl-D */
            w->quit = true;
        else if (key == 'm' || key == ' ')
            w->muted = !w->muted;
    }
}

void chat_screen_look(chat_work *w)
{
    chat_screen *s = &w->screen;
    double now = clock_seconds();
    if (s->keys)
        hear_keys(w);
    if (!s->status || now - s->drawn_at < DRAW_SECONDS)
        return;
    s->drawn_at = now;
    draw(w);
}
