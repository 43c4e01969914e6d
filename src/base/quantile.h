/* quantile.h: the median and its like, of measured times above all.
 *
 * Thread-safety: no shared state. */
#ifndef MOSHI_BASE_QUANTILE_H
#define MOSHI_BASE_QUANTILE_H

#include <stddef.h>

/* The value at the share q (0 … 1) of n values, which are sorted in place: the
 * nearest of them, never one between two. 0 if there are none. */
double quantile(double *values, size_t n, double q);

#endif
