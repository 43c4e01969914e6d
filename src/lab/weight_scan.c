/* weight_scan.c: rows are shared out to threads; each keeps its own sums. */
#include "lab/weight_scan.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/kernels.h"

/* A row is widened in pieces, which are whole blocks of every type. */
#define PIECE 4096

#define ROWS_A_TASK 32
#define ROWS_MOST   ((size_t)1 << 20) /* whose scales are compared */
#define ROWS_LEAST  8

#define OUTLIER 12.0

typedef struct tally {
    size_t not_finite, first_bad, nonzero;
    double squares;
    float least, most;
} tally;

typedef struct job {
    const checkpoint_tensor *tensor;
    kernel_to_f32 *widen;
    size_t rows, width, row_bytes;
    float *rms;     /* of each row; NULL: too many */
    tally *tallies; /* of each worker */
} job;

static void look_at_row(const job *j, size_t row, tally *t)
{
    float piece[PIECE];
    const dtype_traits *type = dtype_info(j->tensor->type);
    const char *at = (const char *)j->tensor->data + row * j->row_bytes;
    double squares = 0;
    size_t bad = 0;
    for (size_t i = 0; i < j->width; i += PIECE) {
        size_t n = j->width - i < PIECE ? j->width - i : PIECE;
        j->widen(piece, at + i / type->block * type->bytes, n);
        for (size_t k = 0; k < n; k++) {
            float x = piece[k];
            if (!isfinite(x)) {
                bad++;
                continue;
            }
            squares += (double)x * x;
            t->nonzero += x != 0;
            t->least = x < t->least ? x : t->least;
            t->most = x > t->most ? x : t->most;
        }
    }
    if (bad && row < t->first_bad)
        t->first_bad = row;
    t->not_finite += bad;
    t->squares += squares;
    if (j->rms)
        j->rms[row] = (float)sqrt(squares / (double)j->width);
}

static void run_task(void *context, size_t task, int worker)
{
    const job *j = context;
    size_t first = task * ROWS_A_TASK;
    for (size_t r = first; r < first + ROWS_A_TASK && r < j->rows; r++)
        look_at_row(j, r, &j->tallies[worker]);
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

size_t weight_scan_outlier(const float *rms, size_t n, double *ratio,
                           moshi_status *status)
{
    *status = MOSHI_OK;
    if (n < ROWS_LEAST)
        return n;
    float *sorted = memory_calloc(n, sizeof *sorted);
    if (!sorted) {
        *status = MOSHI_NO_MEMORY;
        return n;
    }
    size_t found = n;
    for (size_t i = 0; i < n; i++)
        sorted[i] = rms[i];
    qsort(sorted, n, sizeof *sorted, ascending);
    double median = sorted[n / 2], most = sorted[n - 1], next = sorted[n - 2];
    if (median > 0 && most > OUTLIER * median &&
        log(most / median) > 2 * log(next / median))
        for (size_t i = 0; i < n && found == n; i++)
            if (rms[i] == sorted[n - 1])
                found = i;
    *ratio = median > 0 ? most / median : 0;
    memory_free(sorted);
    return found;
}

static moshi_status conclude(weight_scan *out, const job *j, int workers,
                             moshi_error *err)
{
    tally sum = {.first_bad = SIZE_MAX, .least = INFINITY, .most = -INFINITY};
    for (int w = 0; w < workers; w++) {
        const tally *t = &j->tallies[w];
        sum.not_finite += t->not_finite;
        sum.nonzero += t->nonzero;
        sum.squares += t->squares;
        sum.first_bad = t->first_bad < sum.first_bad ? t->first_bad
                                                     : sum.first_bad;
        sum.least = t->least < sum.least ? t->least : sum.least;
        sum.most = t->most > sum.most ? t->most : sum.most;
    }
    double values = (double)j->rows * (double)j->width;
    *out = (weight_scan){
        .rows = j->rows,
        .width = j->width,
        .not_finite = sum.not_finite,
        .first_bad_row = sum.first_bad,
        .all_zero = sum.nonzero == 0 && sum.not_finite == 0,
        .constant = sum.least == sum.most && sum.not_finite == 0,
        .rms = sqrt(sum.squares / values),
    };
    if (!j->rms)
        return MOSHI_OK;
    moshi_status status;
    out->outlier = weight_scan_outlier(j->rms, j->rows, &out->outlier_ratio,
                                       &status);
    out->has_outlier = out->outlier < j->rows;
    return status == MOSHI_OK ? status
                              : error_no_memory(err, "the scales of a tensor");
}

moshi_status weight_scan_tensor(weight_scan *out, const checkpoint_tensor *t,
                                pool *threads, moshi_error *err)
{
    size_t elements = checkpoint_elements(t);
    int workers = pool_threads(threads);
    job j = {.tensor = t,
             .widen = kernels_for(cpu_level_chosen())->to_f32[t->type],
             .rows = t->n_dims > 1 ? t->dims[0] : 1};
    *out = (weight_scan){0};
    if (!j.widen || elements == 0)
        return MOSHI_OK;
    j.width = elements / j.rows;
    if (!dtype_row_bytes(t->type, j.width, &j.row_bytes))
        return MOSHI_OK;
    moshi_status status = MOSHI_OK;
    j.tallies = memory_calloc((size_t)workers, sizeof *j.tallies);
    if (j.rows <= ROWS_MOST)
        j.rms = memory_calloc(j.rows, sizeof *j.rms);
    if (!j.tallies || (!j.rms && j.rows <= ROWS_MOST))
        status = error_no_memory(err, "the scales of a tensor");
    if (status == MOSHI_OK) {
        for (int w = 0; w < workers; w++)
            j.tallies[w] = (tally){.first_bad = SIZE_MAX, .least = INFINITY,
                                   .most = -INFINITY};
        pool_run(threads, (j.rows + ROWS_A_TASK - 1) / ROWS_A_TASK, run_task,
                 &j);
        status = conclude(out, &j, workers, err);
    }
    memory_free(j.tallies);
    memory_free(j.rms);
    return status;
}
