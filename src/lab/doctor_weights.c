/* doctor_weights.c: every value of both files, with the eyes of weight_scan. */
#include <stdio.h>
#include <string.h>

#include "lab/doctor_work.h"
#include "lab/weight_scan.h"

/* What was found in one file; the first of each kind is named. */
typedef struct faults {
    size_t not_finite, zero, constant, outliers, tensors;
    char first_not_finite[160], first_zero[160], first_constant[160],
        first_outlier[224];
} faults;

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* A norm that is zero silences its layer; other vectors may well be zero. */
static bool is_norm(const char *name)
{
    return ends_with(name, ".alpha") ||
           (strstr(name, "norm") && ends_with(name, ".weight"));
}

/* Sums over what fell to an entry of a codebook: as uneven as use is. */
static bool is_usage(const char *name)
{
    return strstr(name, "_codebook.") != NULL;
}

static void note(faults *f, const char *name, const weight_scan *s)
{
    bool matrix = s->rows > 1 && s->width > 1;
    f->tensors++;
    if (s->not_finite && f->not_finite++ == 0)
        snprintf(f->first_not_finite, sizeof f->first_not_finite,
                 "%.100s: %zu values, first in row %zu", name, s->not_finite,
                 s->first_bad_row);
    if (s->all_zero && (matrix || is_norm(name))) {
        if (f->zero++ == 0)
            snprintf(f->first_zero, sizeof f->first_zero, "%.150s", name);
    } else if (s->constant && matrix && !is_usage(name) &&
               f->constant++ == 0) {
        snprintf(f->first_constant, sizeof f->first_constant, "%.150s", name);
    }
    if (s->has_outlier && s->width > 1 && !is_usage(name) &&
        f->outliers++ == 0)
        snprintf(f->first_outlier, sizeof f->first_outlier,
                 "%.100s: row %zu is %.1f times as large as the middle row",
                 name, s->outlier, s->outlier_ratio);
}

static void report_one(doctor *d, const char *part, const char *what,
                       size_t count, const char *first, const char *expected,
                       const char *advice, size_t tensors)
{
    char name[48];
    snprintf(name, sizeof name, "%s: %s", part, what);
    doctor_finding f = {name, LAB_FILE, count ? DOCTOR_FAULT : DOCTOR_OK,
                        expected, advice};
    if (count)
        doctor_add(d, f, "%zu tensor%s, first %s", count,
                   count == 1 ? "" : "s", first);
    else
        doctor_add(d, f, "none in %zu tensors", tensors);
}

static void report(doctor *d, const char *part, const faults *f)
{
    static const char again[] = "the values are damaged: download the file "
                                "again, or convert it again";
    report_one(d, part, "NaN and infinity", f->not_finite,
               f->first_not_finite, "finite values everywhere", again,
               f->tensors);
    report_one(d, part, "zero tensors", f->zero, f->first_zero,
               "no matrix and no norm is all zero", again, f->tensors);
    report_one(d, part, "constant tensors", f->constant, f->first_constant,
               "no matrix holds one value only", again, f->tensors);
    report_one(d, part, "scale of rows", f->outliers, f->first_outlier,
               "no row more than 12 times the middle one and far from all "
               "others", "the scale of that row was lost, as in a faulty "
               "quantisation: convert the file again", f->tensors);
}

static void scan_file(doctor *d, const char *part, const checkpoint *file,
                      pool *threads)
{
    faults f = {0};
    moshi_error err = {0};
    size_t bytes = 0, done = 0;
    for (size_t i = 0; i < checkpoint_count(file); i++)
        bytes += checkpoint_at(file, i)->n_bytes;
    if (bytes > (size_t)1 << 30)
        doctor_announce(d, "reading all values of the %s, %.1f GB", part,
                        (double)bytes * 1e-9);
    for (size_t i = 0; i < checkpoint_count(file); i++) {
        weight_scan s;
        const checkpoint_tensor *t = checkpoint_at(file, i);
        if (weight_scan_tensor(&s, t, threads, &err) != MOSHI_OK) {
            d->report->failed = true;
            return;
        }
        if (s.rows)
            note(&f, t->name, &s);
        done += t->n_bytes;
        doctor_progress(d, "values",
                        bytes ? (double)done / (double)bytes : 1);
    }
    report(d, part, &f);
}

void doctor_weights_check(doctor *d)
{
    pool *threads = NULL;
    doctor_finding skipped = {"values of the weights", LAB_FILE,
                              DOCTOR_SKIPPED, "", ""};
    if (d->params->quick) {
        doctor_add(d, skipped, "--quick leaves out what reads all weights");
        return;
    }
    if (pool_open(&threads, d->params->model.threads, &d->ignored) != MOSHI_OK) {
        d->report->failed = true;
        return;
    }
    if (d->lm_file)
        scan_file(d, "language model", d->lm_file, threads);
    if (d->mimi_file)
        scan_file(d, "codec", d->mimi_file, threads);
    pool_close(&threads);
}
