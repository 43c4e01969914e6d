/* analyze_fold.h: does something stand out at one place of every period?
 *
 * Rows of one period each are laid under each other; the mean of a column that
 * stands out from all others by more than its own spread is what keeps step. */
#ifndef MOSHI_LAB_ANALYZE_FOLD_H
#define MOSHI_LAB_ANALYZE_FOLD_H

#include <stddef.h>

#define FOLD_ROWS_LEAST 20

typedef struct fold {
    size_t period;
    double *sum, *squares; /* owned, [period] */
    size_t rows;
} fold;

/* Returns 0 when there is no memory. */
int fold_open(fold *f, size_t period);
void fold_close(fold *f);

/* row: [period] */
void fold_add(fold *f, const double *row);

/* The column that stands out most: by how much it exceeds the mean of all, as a
 * share of that mean, less `sigmas` standard errors of the column; *column:
 * which. NAN with fewer than FOLD_ROWS_LEAST rows. */
double fold_excess(const fold *f, double sigmas, size_t *column);

#endif
