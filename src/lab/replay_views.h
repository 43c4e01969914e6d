/* replay_views.h: the other ways in which recorded codes could be meant.
 *
 * A view takes each code of a table from another place: another frame (delays
 * left in, or undone that were not there), another codebook (exchanged,
 * reversed, those of two speakers mixed), or another reading of the file. */
#ifndef MOSHI_LAB_REPLAY_VIEWS_H
#define MOSHI_LAB_REPLAY_VIEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

/* Frames that a shift reaches to either side. */
#define REPLAY_SHIFT 3

/* Codebooks that are shifted and exchanged one by one: those after them weigh
 * too little to decide anything. */
#define REPLAY_BOOKS 8

typedef enum view_kind {
    VIEW_RECORDED,
    VIEW_SHIFT_ACOUSTIC, /* all but the semantic codebook, by `a` frames */
    VIEW_SHIFT_ONE,      /* codebook `a` by `b` frames */
    VIEW_SWAP,           /* codebooks `a` and `b` exchanged */
    VIEW_REVERSED_BOOKS,
    VIEW_TRANSPOSED,     /* the file's numbers read as [T, K] for [K, T] */
    VIEW_FIRST_HALF,     /* one of two speakers, one after the other … */
    VIEW_SECOND_HALF,
    VIEW_EVEN_BOOKS,     /* … or taking turns codebook by codebook */
    VIEW_ODD_BOOKS,
    VIEW_REVERSED_TIME
} view_kind;

typedef struct replay_view {
    view_kind kind;
    int a, b;
    int K;         /* codebooks of the view */
    char name[48]; /* "acoustic +1"; for the table and --json */
} replay_view;

/* All views of tables of K codebooks, the recorded one first. *views is
 * allocated (memory_free). */
moshi_status replay_views_make(bool delays, bool orders, int K,
                               replay_view **views, size_t *count,
                               moshi_error *err);

/* Frames first … first + n of the table codes [T][K], seen so: out is
 * [n][view->K]. REPLAY_SHIFT frames must lie on either side. */
void replay_view_fill(const replay_view *view, const int32_t *codes, int K,
                      size_t T, size_t first, size_t n, int32_t *out);

/* What it means when this view is the right one, as half a sentence. */
void replay_view_meaning(const replay_view *view, char *out, size_t room);

#endif
