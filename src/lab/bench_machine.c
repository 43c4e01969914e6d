/* bench_machine.c: the ruler: what this machine can do at most. */
#include "base/error.h"
#include "lab/bench.h"

#define PASSES 5

/* 1 to 8 one by one, then doubling, and the last. */
static int next_count(int n, int last)
{
    int next = n < 8 ? n + 1 : 2 * n;
    return n < last && next > last ? last : next;
}

static moshi_status measure(int n, bandwidth *memory, double *rate, peaks *ops,
                            moshi_error *err)
{
    pool *threads = NULL;
    double best = 0;
    moshi_status status = pool_open(&threads, n, err);
    for (int i = 0; i < PASSES && status == MOSHI_OK; i++) {
        double r = bandwidth_read(memory, threads);
        best = r > best ? r : best;
    }
    if (status == MOSHI_OK && ops)
        *ops = peaks_measure(threads);
    *rate = best;
    pool_close(&threads);
    return status;
}

moshi_status bench_machine_measure(bench_machine *out, bandwidth *memory,
                                   int threads, moshi_error *err)
{
    bench_machine m = {0};
    moshi_status status = MOSHI_OK;
    int cores = threads_usable_cores();
    int last = threads > cores ? threads : cores;
    for (int n = 1; n <= last && m.n_reads < BENCH_READS_MAX &&
                    status == MOSHI_OK; n = next_count(n, last)) {
        peaks *ops = n == 1 ? &m.one : n == cores ? &m.all : NULL;
        m.threads[m.n_reads] = n;
        status = measure(n, memory, &m.bytes_per_s[m.n_reads++], ops, err);
    }
    if (cores == 1)
        m.all = m.one;
    if (status == MOSHI_OK)
        *out = m;
    return status;
}
