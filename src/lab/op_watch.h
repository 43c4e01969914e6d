/* op_watch.h: watch what the operations of a plan put out, to hold two runs
 * against each other: by a hash of each output (are the bits the same?) or by
 * the values themselves (how far are two kernels apart?).
 *
 * Only float outputs of a frame are looked at: caches outlive it, and token
 * tables are filled column by column. */
#ifndef MOSHI_LAB_OP_WATCH_H
#define MOSHI_LAB_OP_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/backend.h"

typedef enum op_watch_mode {
    OP_WATCH_HASH,   /* remember a hash of each output */
    OP_WATCH_KEEP,   /* remember the values of one frame */
    OP_WATCH_COMPARE /* hold the outputs of one frame against kept ones */
} op_watch_mode;

typedef struct op_watch {
    const plan *plan;
    backend *backend;       /* of the run that is watched */
    op_watch_mode mode;
    const struct op_watch *kept; /* COMPARE: borrowed */
    uint64_t *hashes;       /* owned: HASH; of each operation, this frame */
    float *values;          /* owned: KEEP; one output after the other */
    float *output;          /* owned: room for the largest */
    /* COMPARE: the operation that is farthest off, of all frames so far. */
    double error;           /* ‖a - b‖ / ‖b‖ */
    const char *farthest;   /* its name, borrowed from the plan */
    const char *first_off;  /* the first beyond `tolerance`, or NULL */
    double tolerance;
    bool parted;            /* a code was chosen otherwise: what follows may
                               differ by right */
    int32_t *choices;       /* owned: KEEP; outputs of NEAREST, in order */
    size_t n_choices, at_value, at_choice; /* of this frame */
} op_watch;

/* Errors: MOSHI_NO_MEMORY. tolerance and kept: for COMPARE. */
moshi_status op_watch_init(op_watch *w, const plan *p, backend *be,
                           op_watch_mode mode, const op_watch *kept,
                           double tolerance);
void op_watch_release(op_watch *w);

/* Before each frame. */
plan_hook op_watch_begin(op_watch *w);

/* The first operation whose hash differs between two frames; NULL: none. */
const char *op_watch_difference(const op_watch *a, const op_watch *b);

#endif
