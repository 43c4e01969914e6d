/* weight_scan.h: look at every value of a tensor, in little memory.
 *
 * Counts what is not finite, finds tensors that are zero or constant, and rows
 * whose scale stands apart from all others. */
#ifndef MOSHI_LAB_WEIGHT_SCAN_H
#define MOSHI_LAB_WEIGHT_SCAN_H

#include <stdbool.h>

#include "base/threads.h"
#include "files/checkpoint.h"

typedef struct weight_scan {
    size_t rows, width;
    size_t not_finite;
    size_t first_bad_row;  /* of those not finite */
    bool all_zero, constant;
    double rms;            /* of the finite values */
    /* The row that stands apart, if there is one. */
    bool has_outlier;
    size_t outlier;
    double outlier_ratio;  /* its rms over the median row's */
} weight_scan;

/* Errors: MOSHI_NO_MEMORY. A tensor of a type that no weight has (and an empty
 * one) is not looked at: rows is 0 then. */
moshi_status weight_scan_tensor(weight_scan *out, const checkpoint_tensor *t,
                                pool *threads, moshi_error *err);

/* The row of n scales that stands apart, or n. A row does when it is OUTLIER
 * times the median, and twice as far from it, in octaves, as the next: trained
 * rows differ too, but their tail is filled. */
size_t weight_scan_outlier(const float *rms, size_t n, double *ratio,
                           moshi_status *status);

#endif
