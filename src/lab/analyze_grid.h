/* analyze_grid.h: do cuts keep step with frames of 80 ms?
 *
 * A recording may have been cut anywhere, so the frames may begin at any of
 * 1,920 samples; and a fault may touch every n-th boundary only. Each of these
 * hypotheses gets the logarithm of its likelihood ratio against chance, and
 * the best must exceed a limit that allows for their number. */
#ifndef MOSHI_LAB_ANALYZE_GRID_H
#define MOSHI_LAB_ANALYZE_GRID_H

#include "lab/analyze_cuts.h"

#define GRID_FRAME      1920
#define GRID_PERIOD_MAX 9 /* every 8th frame doubled: 9 frames apart */

/* Limits of the ratio's logarithm (docs/ANALYZE.md): over the whole segment,
 * and over its best stretch, which has more ways to be found by chance. */
#define GRID_LIMIT_WHOLE   14.5
#define GRID_LIMIT_STRETCH 23.5

typedef struct grid {
    double evidence; /* 1 is the limit */
    size_t offset;   /* of the first boundary, below GRID_FRAME */
    size_t period;   /* boundaries from one cut to the next: 1 … */
    size_t phase;    /* the first of them */
    size_t first, last; /* boundaries offset + GRID_FRAME * k of the stretch */
    size_t cut, active; /* of those: show a cut; could show one */
} grid;

/* In n samples. Errors: MOSHI_NO_MEMORY. */
moshi_status grid_find(grid *out, const cut_list *cuts, size_t n,
                       moshi_error *err);

/* The candidate within one sample of `at`, or NULL. */
const cut *grid_cut_at(const cut_list *cuts, size_t at);

#endif
