/* bench_clock.h: when the operations of a plan ended.
 *
 * A hook that looks at the clock after each operation, or, so as not to
 * disturb what it measures, only around those that a part of a frame ends
 * with. */
#ifndef MOSHI_LAB_BENCH_CLOCK_H
#define MOSHI_LAB_BENCH_CLOCK_H

#include "lab/bench.h"
#include "plan/hooks.h"

typedef struct bench_clock {
    const plan *plan;     /* borrowed */
    unsigned char *looks; /* owned; for each operation: is the clock read? */
    double *seconds;      /* owned; sums over the frames, for each */
    int frames;           /* that the sums are of */
    bool all;             /* look at every operation, and add up */
    double last;          /* when the clock was read */
    size_t last_op;       /* and after which operation */
    double text_done;     /* when the text token was chosen */
    double sampling;      /* seconds, of this frame */
} bench_clock;

moshi_status bench_clock_init(bench_clock *c, const plan *p, moshi_error *err);
void bench_clock_release(bench_clock *c);

/* Just before a plan runs. */
void bench_clock_start(bench_clock *c);
plan_hook bench_clock_hook(bench_clock *c);

/* Bytes of operations first … end - 1 for `lanes` streams that have made
 * `steps` steps: weights once, keys and values that are valid for each. */
uint64_t bench_bytes(const plan *p, size_t first, size_t end, int lanes,
                     int64_t steps);

/* Add the sums up by kind and by layer; false when out of memory. */
bool bench_clock_rows(const bench_clock *c, int lanes, int64_t steps,
                      bench_rows *by_kind, bench_rows *by_layer);

#endif
