/* panels.h: a weight matrix laid out for reading once, from front to back.
 *
 * W [N, K] is cut into panels of PANEL_ROWS rows (the last one filled up with
 * zeros); inside a panel the rows stand side by side: element (k, row) of a
 * panel lies at k * PANEL_ROWS + row. A product then broadcasts x[k] and needs
 * no sum across a vector, and memory is read in a few long streams, however
 * short the rows are (float32 [2048, 512] times two columns on one core of an
 * EPYC 9004: 25 GB/s, against 12 to 14 row by row).
 *
 * F32 and BF16: as said. Q8_0: K is a multiple of 32; for each 32 k, 16 scales
 * (halves), one for each row, then the 32 × 16 signed bytes: the same numbers
 * as the rows' Q8_0 blocks hold, in another order.
 *
 * Products sum PANEL_BLOCK k at a time (panels of Q8_0: 32), one after the
 * other, and then the blocks, in order: the bits depend on K alone. */
#ifndef MOSHI_PLAN_PANELS_H
#define MOSHI_PLAN_PANELS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/dtype.h"

#define PANEL_ROWS  16u
#define PANEL_BLOCK 512u

/* Panels in N rows. */
static inline size_t panels_of(size_t rows)
{
    return (rows + PANEL_ROWS - 1) / PANEL_ROWS;
}

/* Can a matrix [·, K] of that type stand in panels? */
bool panels_possible(dtype type, size_t K);

/* Bytes of one panel. */
size_t panel_bytes(dtype type, size_t K);

/* Elements k0 … k0 + n - 1 of a panel from floats [n][PANEL_ROWS], rounded to
 * the type; Q8_0 as the official engine quantises (docs/FORMATS.md), k0 and n
 * multiples of 32. */
void panel_put(void *panel, dtype type, size_t k0, size_t n,
               const float (*values)[PANEL_ROWS]);

/* The same rounding of a row of n floats that stays a row, as files have it,
 * for who takes no panels. */
void panel_round_row(void *row, dtype type, size_t n, const float *values);

#endif
