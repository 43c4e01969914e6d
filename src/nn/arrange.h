/* arrange.h: weights that are computed with in another order than the file's.
 *
 * An arrangement says where the file has element (row, column) of a matrix;
 * weights_arrange makes that matrix in memory of the model's own, row by row
 * or in panels (plan/panels.h), when the store does its work (weights.h). */
#ifndef MOSHI_NN_ARRANGE_H
#define MOSHI_NN_ARRANGE_H

#include <stddef.h>

#include "nn/weights.h"

/* Element (r, s * run + i) is element
 *   (r % period) * row_step + r / period * period_step
 *   + first + s * run_step + i * column_step
 * of `data`; rows and runs as the matrix has them. */
typedef struct arrangement {
    const void *data;
    dtype type; /* F32, F16 or BF16; data need not be aligned */
    size_t period, row_step, period_step;
    size_t run, column_step;
    ptrdiff_t first, run_step;
} arrangement;

/* A matrix [rows, width], in panels if the loader makes them (weights.h): F32,
 * or if it is large what the loader keeps. data NULL after a failure. */
nn_matrix weights_arrange(weights *w, const arrangement *a, size_t rows,
                          size_t width);

/* As weights_matrix, but rounded to what the loader keeps. */
nn_matrix weights_matrix_kept(weights *w, const char *name, size_t rows,
                              size_t width);

#endif
