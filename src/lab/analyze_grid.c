/* analyze_grid.c: likelihood ratios of cuts at every grid of frames. */
#include "lab/analyze_grid.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

/* A true cut is placed within this many samples. */
#define TOLERANCE 1
/* The model of a boundary that was cut: with probability SEEN it is a
 * candidate whose rarity u (the share of samples that lie as near to one as
 * large) spreads evenly in log u between RARE and COMMON; else it is like any
 * other place, where u is even. Measured at 5 s: SEEN 0.55 … 0.95. */
#define SEEN   0.6
#define RARE   1e-5
#define COMMON 1e-3
/* Two natural events often keep step by chance. */
#define HITS_MIN 3

typedef struct rated {
    size_t at;
    double gain; /* logarithm of the likelihood ratio */
} rated;

static int by_size(const void *a, const void *b)
{
    float x = ((const cut *)a)->size, y = ((const cut *)b)->size;
    return (x < y) - (x > y);
}

static int by_place(const void *a, const void *b)
{
    size_t x = ((const rated *)a)->at, y = ((const rated *)b)->at;
    return (x > y) - (x < y);
}

/* Rank the candidates of this segment against each other: what is common in it
 * proves little. */
static rated *rate(const cut_list *cuts)
{
    cut *order = memory_calloc(cuts->count, sizeof *order);
    rated *out = memory_calloc(cuts->count, sizeof *out);
    if (!order || !out) {
        memory_free(order);
        memory_free(out);
        return NULL;
    }
    for (size_t i = 0; i < cuts->count; i++)
        order[i] = cuts->cuts[i];
    qsort(order, cuts->count, sizeof *order, by_size);
    for (size_t i = 0; i < cuts->count; i++) {
        double u = (double)(i + 1) * (2 * TOLERANCE + 1) /
                   (double)cuts->active_samples;
        double ratio = u > 3 * COMMON ? 0
                       : SEEN / (fmax(u, RARE) * log(COMMON / RARE));
        out[i] = (rated){order[i].at, log(1 - SEEN + ratio)};
    }
    qsort(out, cuts->count, sizeof *out, by_place);
    memory_free(order);
    return out;
}

/* What each boundary of one offset says: v[k] for sample offset + k frames. */
static void rate_boundaries(double *v, size_t K, size_t offset,
                            const cut_list *cuts, const rated *all)
{
    size_t i = 0;
    for (size_t k = 0; k < K; k++) {
        size_t at = offset + k * GRID_FRAME;
        double best = -INFINITY;
        while (i < cuts->count && all[i].at + TOLERANCE < at)
            i++;
        for (size_t j = i; j < cuts->count && all[j].at <= at + TOLERANCE; j++)
            best = fmax(best, all[j].gain);
        v[k] = isfinite(best) ? best
               : cuts->active[at / CUT_BLOCK] ? log(1 - SEEN) : 0;
    }
}

/* Hold boundaries phase, phase + period, … against chance; keep the best. */
static void consider(grid *best, const double *v, size_t K, size_t offset,
                     size_t period, size_t phase)
{
    double whole = 0, run = 0, top = 0;
    size_t begin = phase, first = phase, last = phase, end = phase;
    size_t hits = 0;
    for (size_t k = phase; k < K; k += period) {
        whole += v[k];
        hits += v[k] > 0;
        if (run <= 0) {
            run = 0;
            begin = k;
        }
        run += v[k];
        if (run > top) {
            top = run;
            first = begin;
            last = k;
        }
        end = k;
    }
    bool is_whole = whole / GRID_LIMIT_WHOLE >= top / GRID_LIMIT_STRETCH;
    double evidence = is_whole ? whole / GRID_LIMIT_WHOLE
                               : top / GRID_LIMIT_STRETCH;
    if (hits < HITS_MIN || evidence <= best->evidence)
        return;
    *best = (grid){.evidence = evidence, .offset = offset, .period = period,
                   .phase = phase, .first = is_whole ? phase : first,
                   .last = is_whole ? end : last};
}

static void count(grid *g, const cut_list *cuts)
{
    if (g->evidence <= 0)
        return;
    for (size_t k = g->first; k <= g->last; k += g->period) {
        size_t at = g->offset + k * GRID_FRAME;
        bool cut_here = grid_cut_at(cuts, at) != NULL;
        g->cut += cut_here;
        g->active += cut_here || cuts->active[at / CUT_BLOCK];
    }
}

moshi_status grid_find(grid *out, const cut_list *cuts, size_t n,
                       moshi_error *err)
{
    grid best = {0};
    *out = best;
    if (cuts->count < 2 || n < 2 * GRID_FRAME)
        return MOSHI_OK;
    double *v = memory_calloc(n / GRID_FRAME + 1, sizeof *v);
    bool *seen = memory_calloc(GRID_FRAME, sizeof *seen);
    rated *all = rate(cuts);
    for (size_t i = 0; all && v && seen && i < cuts->count; i++) {
        size_t offset = cuts->cuts[i].at % GRID_FRAME;
        size_t K = (n - offset + GRID_FRAME - 1) / GRID_FRAME;
        if (seen[offset])
            continue;
        seen[offset] = true;
        rate_boundaries(v, K, offset, cuts, all);
        for (size_t period = 1; period <= GRID_PERIOD_MAX; period++)
            for (size_t phase = 0; phase < period && phase < K; phase++)
                consider(&best, v, K, offset, period, phase);
    }
    moshi_status status = all && v && seen
                              ? MOSHI_OK
                              : error_no_memory(err, "the search for cuts");
    memory_free(all);
    memory_free(seen);
    memory_free(v);
    if (status == MOSHI_OK) {
        count(&best, cuts);
        *out = best;
    }
    return status;
}

const cut *grid_cut_at(const cut_list *cuts, size_t at)
{
    size_t low = 0, high = cuts->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cuts->cuts[middle].at + TOLERANCE < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low < cuts->count && cuts->cuts[low].at <= at + TOLERANCE
               ? &cuts->cuts[low] : NULL;
}
