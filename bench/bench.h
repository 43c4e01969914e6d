/* bench.h: the frame of the benchmarks of kernels.
 *
 * A case is one kernel of one instruction set on arrays of one size. Its floor
 * is the time in which a plain loop reads the same number of bytes, from
 * memory or from the cache, wherever the case takes them from. Both run in
 * turns, a dozen times and on one thread; the ratio is the floor over the
 * kernel's time, the median of the turns. A memory that is busy with other
 * things slows both. */
#ifndef MOSHI_BENCH_BENCH_H
#define MOSHI_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>

#include "cpu/kernels.h"

/* What cases read and write; aligned, filled with small finite numbers. */
typedef struct bench_arrays {
    unsigned char *weights; /* BENCH_WEIGHT_BYTES */
    float *x, *y;           /* BENCH_FLOATS each */
    double *norms;          /* BENCH_FLOATS */
} bench_arrays;
#define BENCH_WEIGHT_BYTES ((size_t)96 << 20)
#define BENCH_FLOATS       ((size_t)1 << 18)

typedef struct bench_case bench_case;
struct bench_case {
    const char *name; /* of the kernel and its sizes; unique in a program */
    void (*run)(const bench_case *c, const kernel_table *t,
                const bench_arrays *a);
    size_t bytes;  /* that one run reads at least */
    bool cached;   /* they fit the cache */
    dtype type;
    size_t N, K;
    int columns;
};

/* The whole program: options, all cases at all levels, the table, and with
 * --check FILE the comparison with what is recorded there: exit status 1 if
 * ratio and rate are both more than 15 % below it in each of eleven attempts,
 * with a pause of six seconds or --pause SECONDS between them.
 * --record FILE adds this program's ratios and rates to a file. Exit status 2:
 * what was asked for is not there, or a file cannot be read or written. */
int bench_main(int argc, char **argv, const bench_case *cases, size_t count);

#endif
