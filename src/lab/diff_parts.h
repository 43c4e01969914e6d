/* diff_parts.h: the parts of a comparison, between the files of diff. */
#ifndef MOSHI_LAB_DIFF_PARTS_H
#define MOSHI_LAB_DIFF_PARTS_H

#include "lab/diff.h"

/* The rows of the frames that both traces hold, one after the other. */
typedef struct diff_rows {
    const trace_file *a, *b;
    bool started;
    size_t row_a, row_b;
    int64_t frame;
} diff_rows;

void diff_rows_init(diff_rows *r, const trace_file *a, const trace_file *b);
bool diff_rows_next(diff_rows *r);

/* Fill in everything of one operation but its name. */
void diff_compare_op(const diff *d, diff_op *op);

/* The error of one frame, once the operation has been compared. */
double diff_error_in_frame(const diff *d, const diff_op *op, int64_t frame);

/* Fill in d->tokens. */
void diff_compare_tokens(diff *d);

#endif
