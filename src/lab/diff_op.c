/* diff_op.c: the error of one operation, frame by frame.
 *
 * Twice over the rows, in pieces of fixed size: first for the peak, then for
 * the errors, which are relative to it. */
#include "lab/diff_parts.h"

#include <math.h>
#include <string.h>

#define PIECE 2048

typedef struct pair {
    const checkpoint_tensor *a, *b;
    size_t n; /* numbers of a row */
    bool whole;
} pair;

/* Axes of one element do not count: other engines keep or drop them. */
static int axes(const checkpoint_tensor *t, size_t *dims)
{
    int n = 0;
    for (int i = 1; i < t->n_dims; i++)
        if (t->dims[i] != 1)
            dims[n++] = t->dims[i];
    return n;
}

static bool find_pair(const diff *d, const char *name, pair *p)
{
    size_t dims_a[LIMIT_DIMS] = {0}, dims_b[LIMIT_DIMS] = {0};
    p->a = trace_file_find(&d->a, name);
    p->b = trace_file_find(&d->b, name);
    p->n = trace_row_numbers(p->a);
    p->whole = trace_is_whole(p->a);
    return p->whole == trace_is_whole(p->b) &&
           axes(p->a, dims_a) == axes(p->b, dims_b) &&
           memcmp(dims_a, dims_b, sizeof dims_a) == 0;
}

static bool same_bytes(const pair *p, size_t row_a, size_t row_b)
{
    size_t bytes = p->n * dtype_info(p->a->type)->bytes;
    return p->a->type == p->b->type &&
           memcmp((const char *)p->a->data + row_a * bytes,
                  (const char *)p->b->data + row_b * bytes, bytes) == 0;
}

/* The largest magnitude of a row; counts what is not finite. */
static double row_peak(const checkpoint_tensor *t, size_t row, size_t n,
                       size_t *not_finite)
{
    float x[PIECE];
    float peak = 0;
    for (size_t from = 0; from < n; from += PIECE) {
        size_t m = n - from < PIECE ? n - from : PIECE;
        trace_row_floats(t, row, from, m, x);
        for (size_t i = 0; i < m; i++) {
            float magnitude = fabsf(x[i]);
            if (!isfinite(magnitude))
                ++*not_finite;
            else if (magnitude > peak)
                peak = magnitude;
        }
    }
    return peak;
}

/* |a - b|, where two NaN, or the same infinity, are the same. */
static double difference(float a, float b)
{
    if (a == b || (isnan(a) && isnan(b)))
        return 0;
    double e = fabs((double)a - (double)b);
    return isnan(e) ? INFINITY : e;
}

/* The largest difference of two rows. */
static double row_difference(const pair *p, size_t row_a, size_t row_b)
{
    float a[PIECE], b[PIECE];
    double worst = 0;
    for (size_t from = 0; from < p->n; from += PIECE) {
        size_t m = p->n - from < PIECE ? p->n - from : PIECE;
        trace_row_floats(p->a, row_a, from, m, a);
        trace_row_floats(p->b, row_b, from, m, b);
        for (size_t i = 0; i < m; i++) {
            double e = difference(a[i], b[i]);
            worst = e > worst ? e : worst;
        }
    }
    return worst;
}

/* Of whole numbers: 1 if any differs. */
static double row_unequal(const pair *p, size_t row_a, size_t row_b)
{
    int64_t a[PIECE], b[PIECE];
    for (size_t from = 0; from < p->n; from += PIECE) {
        size_t m = p->n - from < PIECE ? p->n - from : PIECE;
        trace_row_whole(p->a, row_a, from, m, a);
        trace_row_whole(p->b, row_b, from, m, b);
        if (memcmp(a, b, m * sizeof *a) != 0)
            return 1;
    }
    return 0;
}

static double row_error(const pair *p, const diff_rows *r, double peak)
{
    if (same_bytes(p, r->row_a, r->row_b))
        return 0;
    if (p->whole)
        return row_unequal(p, r->row_a, r->row_b);
    double e = row_difference(p, r->row_a, r->row_b);
    return peak > 0 ? e / peak : e; /* without a peak e is 0 or infinite */
}

static void measure_peak(const diff *d, const pair *p, diff_op *op)
{
    diff_rows r;
    diff_rows_init(&r, &d->a, &d->b);
    op->identical = true;
    while (diff_rows_next(&r)) {
        op->identical = op->identical && same_bytes(p, r.row_a, r.row_b);
        if (p->whole)
            continue;
        double a = row_peak(p->a, r.row_a, p->n, &op->not_finite_a);
        double b = row_peak(p->b, r.row_b, p->n, &op->not_finite_b);
        op->peak = fmax(op->peak, fmax(a, b));
    }
}

static void note_error(const diff *d, diff_op *op, size_t index, int64_t frame,
                       double e)
{
    size_t column = index * DIFF_COLUMNS / d->frames;
    if (e > op->max_error) {
        op->max_error = e;
        op->frame = frame;
    }
    if ((float)e > op->columns[column])
        op->columns[column] = (float)e;
    if (e > d->tolerance && op->first_frame < 0)
        op->first_frame = frame;
}

void diff_compare_op(const diff *d, diff_op *op)
{
    pair p;
    diff_rows r;
    size_t index = 0;
    if (!find_pair(d, op->name, &p)) {
        op->shapes_differ = true;
        op->max_error = INFINITY;
        op->frame = op->first_frame = d->frame_first;
        for (int i = 0; i < DIFF_COLUMNS; i++)
            op->columns[i] = INFINITY;
        return;
    }
    measure_peak(d, &p, op);
    if (!op->identical) {
        diff_rows_init(&r, &d->a, &d->b);
        while (diff_rows_next(&r))
            note_error(d, op, index++, r.frame, row_error(&p, &r, op->peak));
    }
    checkpoint_forget(d->a.file, p.a);
    checkpoint_forget(d->b.file, p.b);
}

double diff_error_in_frame(const diff *d, const diff_op *op, int64_t frame)
{
    pair p;
    diff_rows r;
    if (!find_pair(d, op->name, &p))
        return INFINITY;
    diff_rows_init(&r, &d->a, &d->b);
    while (diff_rows_next(&r))
        if (r.frame == frame)
            return row_error(&p, &r, op->peak);
    return 0;
}
