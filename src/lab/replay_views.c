/* replay_views.c: the list of views, and how each takes its codes. */
#include "lab/replay_views.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"

typedef struct list {
    replay_view *views; /* owned until handed over */
    size_t count, room;
    bool failed;
} list;

static void add(list *l, replay_view view, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(list *l, replay_view view, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(view.name, sizeof view.name, format, args);
    va_end(args);
    if (!memory_grow((void **)&l->views, &l->room, l->count + 1,
                     sizeof *l->views)) {
        l->failed = true;
        return;
    }
    l->views[l->count++] = view;
}

static int books_tried(int K)
{
    return K < REPLAY_BOOKS ? K : REPLAY_BOOKS;
}

static void add_delays(list *l, int K)
{
    for (int d = -REPLAY_SHIFT; d <= REPLAY_SHIFT; d++)
        if (d && K > 1)
            add(l, (replay_view){.kind = VIEW_SHIFT_ACOUSTIC, .a = d, .K = K},
                "acoustic %+d", d);
    /* Shifting the semantic one alone is shifting all others back; so is the
     * only acoustic one. */
    for (int k = 1; k < books_tried(K) && K > 2; k++)
        for (int d = -REPLAY_SHIFT; d <= REPLAY_SHIFT; d++)
            if (d)
                add(l, (replay_view){.kind = VIEW_SHIFT_ONE, .a = k, .b = d,
                                     .K = K}, "codebook %d %+d", k, d);
}

static void add_orders(list *l, int K)
{
    for (int a = 0; a < books_tried(K); a++)
        for (int b = a + 1; b < books_tried(K); b++)
            add(l, (replay_view){.kind = VIEW_SWAP, .a = a, .b = b, .K = K},
                "swap %d and %d", a, b);
    if (K > 2)
        add(l, (replay_view){.kind = VIEW_REVERSED_BOOKS, .K = K},
            "codebooks reversed");
    if (K > 1)
        add(l, (replay_view){.kind = VIEW_TRANSPOSED, .K = K}, "transposed");
    if (K > 2 && K % 2 == 0) {
        const replay_view half = {.K = K / 2};
        static const struct { view_kind kind; const char *name; } halves[] = {
            {VIEW_FIRST_HALF, "first half"},
            {VIEW_SECOND_HALF, "second half"},
            {VIEW_EVEN_BOOKS, "even codebooks"},
            {VIEW_ODD_BOOKS, "odd codebooks"},
        };
        for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
            replay_view v = half;
            v.kind = halves[i].kind;
            add(l, v, "%s", halves[i].name);
        }
    }
    add(l, (replay_view){.kind = VIEW_REVERSED_TIME, .K = K},
        "time reversed");
}

moshi_status replay_views_make(bool delays, bool orders, int K,
                               replay_view **views, size_t *count,
                               moshi_error *err)
{
    list l = {0};
    add(&l, (replay_view){.kind = VIEW_RECORDED, .K = K}, "as recorded");
    if (delays)
        add_delays(&l, K);
    if (orders)
        add_orders(&l, K);
    if (l.failed) {
        memory_free(l.views);
        return error_no_memory(err, "the list of views");
    }
    *views = l.views;
    *count = l.count;
    return MOSHI_OK;
}

/* Where the code (f, k) of a view stands in the table. */
typedef struct place {
    size_t f, k;
} place;

static size_t moved(size_t f, int by)
{
    return by < 0 ? f - (size_t)-by : f + (size_t)by;
}

static place place_of(const replay_view *v, size_t K, size_t T, size_t first,
                      size_t n, size_t f, size_t k)
{
    size_t a = (size_t)v->a, b = (size_t)v->b, at = f * K + k;
    switch (v->kind) {
    case VIEW_RECORDED:
    case VIEW_FIRST_HALF:
        break;
    case VIEW_SHIFT_ACOUSTIC:
        return (place){k ? moved(f, v->a) : f, k};
    case VIEW_SHIFT_ONE:
        return (place){k == a ? moved(f, v->b) : f, k};
    case VIEW_SWAP:
        return (place){f, k == a ? b : k == b ? a : k};
    case VIEW_REVERSED_BOOKS:
        return (place){f, K - 1 - k};
    case VIEW_TRANSPOSED:
        return (place){at % T, at / T};
    case VIEW_SECOND_HALF:
        return (place){f, K / 2 + k};
    case VIEW_EVEN_BOOKS:
        return (place){f, 2 * k};
    case VIEW_ODD_BOOKS:
        return (place){f, 2 * k + 1};
    case VIEW_REVERSED_TIME:
        return (place){2 * first + n - 1 - f, k};
    }
    return (place){f, k};
}

void replay_view_fill(const replay_view *v, const int32_t *codes, int K,
                      size_t T, size_t first, size_t n, int32_t *out)
{
    for (size_t f = first; f < first + n; f++)
        for (size_t k = 0; k < (size_t)v->K; k++) {
            place p = place_of(v, (size_t)K, T, first, n, f, k);
            *out++ = codes[p.f * (size_t)K + p.k];
        }
}

void replay_view_meaning(const replay_view *v, char *out, size_t room)
{
    int by = v->kind == VIEW_SHIFT_ONE ? v->b : v->a;
    int frames = by < 0 ? -by : by;
    const char *plural = frames == 1 ? "" : "s";
    switch (v->kind) {
    case VIEW_RECORDED:
        snprintf(out, room, "delays and order are right");
        break;
    case VIEW_SHIFT_ACOUSTIC:
        snprintf(out, room, "the acoustic codebooks come %d frame%s too %s: "
                 "%d more step%s of delay should have been %s", frames, plural,
                 by > 0 ? "late" : "early", frames, plural,
                 by > 0 ? "undone" : "kept");
        break;
    case VIEW_SHIFT_ONE:
        snprintf(out, room, "codebook %d comes %d frame%s too %s", v->a,
                 frames, plural, by > 0 ? "late" : "early");
        break;
    case VIEW_SWAP:
        snprintf(out, room, "codebooks %d and %d are exchanged", v->a, v->b);
        break;
    case VIEW_REVERSED_BOOKS:
        snprintf(out, room, "the codebooks are in reverse order");
        break;
    case VIEW_TRANSPOSED:
        snprintf(out, room, "the table is transposed: its numbers are frames "
                 "by codebooks");
        break;
    case VIEW_FIRST_HALF:
    case VIEW_SECOND_HALF:
        snprintf(out, room, "the table holds two voices, one after the other; "
                 "the %s is one of them", v->name);
        break;
    case VIEW_EVEN_BOOKS:
    case VIEW_ODD_BOOKS:
        snprintf(out, room, "the table holds two voices, codebook by codebook "
                 "in turns; the %s are one of them", v->name);
        break;
    case VIEW_REVERSED_TIME:
        snprintf(out, room, "the frames are in reverse order");
        break;
    }
}
