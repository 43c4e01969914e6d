/* diff.h: hold two traces against each other.
 *
 * Operations are aligned by name, frames by number; the order is that of trace
 * A, which is the order of its plans. An error is the largest difference of a
 * frame's numbers, divided by the largest magnitude that either trace holds
 * for that operation in the frames compared; whole numbers (codes, tokens) are
 * equal or have an error of 1. The first difference is the first in time: the
 * earliest frame, and in it the earliest operation beyond the tolerance.
 *
 * Memory: the headers and a line for each operation, whatever the files'
 * size. The files are not trusted (trace_file.h). */
#ifndef MOSHI_LAB_DIFF_H
#define MOSHI_LAB_DIFF_H

#include <stdbool.h>
#include <stdint.h>

#include <moshi/error.h>

#include "lab/trace_file.h"

/* Without --tolerance. The same weights on the same device differ by the order
 * of sums alone: some 1e-6 a layer. Where weights are of other types, sums are
 * quantised on the way, or devices round differently, some percent are no fault:
 * Q8_0 against F32 is 7 % apart at the worst in the tiny models. */
#define DIFF_TOLERANCE 1e-4
#define DIFF_TOLERANCE_HALVES 5e-3 /* keys and values in f16 */
#define DIFF_TOLERANCE_LOOSE 0.1

/* Errors are kept for so many groups of frames, each as long as the next. */
#define DIFF_COLUMNS 6

typedef struct diff_op {
    const char *name;    /* borrowed from trace A */
    double max_error;    /* INFINITY: shapes differ, or only one is a number */
    int64_t frame;       /* of max_error */
    int64_t first_frame; /* the first beyond the tolerance, or -1 */
    double peak;
    bool identical;      /* byte for byte, in every frame compared */
    bool shapes_differ;  /* of a frame: nothing was compared */
    size_t not_finite_a, not_finite_b; /* numbers that are NaN or infinite */
    float columns[DIFF_COLUMNS];
} diff_op;

/* What a token table holds in its first difference. */
typedef struct diff_token {
    trace_table table; /* CODES_IN, TEXT_TOKENS, AUDIO_TOKENS or LIKELIEST */
    size_t row;        /* codebook; of LIKELIEST 0 is text */
    int64_t frame;
    int64_t a, b;
    float margin_a, margin_b; /* of the choice in logits; NaN: not known */
} diff_token;

typedef struct diff_tokens {
    size_t compared, different;
    bool forced;      /* tokens were given in one of the runs: what it would
                         have chosen is compared instead */
    bool identical;
    diff_token first; /* if different > 0 */
    double margin_min; /* the smallest of either run; NaN: none is known */
} diff_tokens;

typedef struct diff {
    trace_file a, b;
    double tolerance;
    const char *tolerance_reason; /* static */
    diff_op *ops;                 /* owned; n_ops, in the order of A */
    size_t n_ops;
    size_t frames;                /* compared */
    int64_t frame_first, frame_last;
    size_t only_a, only_b;        /* operations that the other has not */
    const char *only_a_name, *only_b_name; /* the first of them, or NULL */
    bool equal;     /* no operation beyond the tolerance, no given token
                       another */
    bool identical; /* byte for byte */
    const diff_op *first; /* NULL: none is beyond the tolerance */
    double first_error;   /* in first->first_frame */
    diff_tokens tokens;
} diff;

/* tolerance: < 0 for the default that fits. Errors: those of opening a trace;
 * MOSHI_MISMATCH (no operation or no frame in common). */
moshi_status diff_open(diff **out, const char *path_a, const char *path_b,
                       double tolerance, moshi_error *err);
/* The same for traces that are open: both are taken over in any case. */
moshi_status diff_of_traces(diff **out, trace_file *a, trace_file *b,
                            double tolerance, moshi_error *err);
void diff_close(diff **d);

/* The notes whose texts differ, by index from 0; NULL after the last. Texts
 * are "" where a trace does not say. */
typedef struct diff_note {
    const char *key, *a, *b;
} diff_note;
bool diff_note_at(const diff *d, size_t index, diff_note *out);

#endif
