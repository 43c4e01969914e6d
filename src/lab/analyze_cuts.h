/* analyze_cuts.h: where sound was cut and joined to something else.
 *
 * Speech is smooth on a fine scale: a linear predictor of its last 1.3 ms says
 * the next sample well, forwards and backwards. Across a cut both fail at the
 * same place. A pulse of the voice also surprises the predictor, but so do its
 * neighbours a few milliseconds off; a cut stands alone. */
#ifndef MOSHI_LAB_ANALYZE_CUTS_H
#define MOSHI_LAB_ANALYZE_CUTS_H

#include <stdbool.h>
#include <stddef.h>

#include <moshi/error.h>

/* Before sample `at` lies a cut, or what looks like one: its surprise is
 * exp(size) times that of anything within 20 ms. */
typedef struct cut {
    size_t at;
    float size;
} cut;

/* Smaller ones are not kept: half of all frames of clean speech have one. */
#define CUT_FLOOR 0.4
#define CUT_BLOCK 240

typedef struct cut_list {
    cut *cuts; /* owned, by place */
    size_t count, room;
    bool *active; /* owned: for each block of CUT_BLOCK samples, is there sound
                     on both sides, so that a cut would show? */
    size_t blocks, active_samples;
} cut_list;

/* The candidates in n samples of 24 kHz sound; *out is empty before. */
moshi_status cuts_find(cut_list *out, const float *pcm, size_t n,
                       moshi_error *err);
void cut_list_release(cut_list *list);

#endif
