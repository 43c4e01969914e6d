/* bench_machine.c: the ruler: what this machine can do at most. */
#include "base/error.h"
#include "lab/bench.h"

#define PASSES 5

int bench_thread_counts(int counts[BENCH_READS_MAX], int cores, int threads)
{
    int last = threads > cores ? threads : cores, n = 0;
    for (int i = 1; n < BENCH_READS_MAX;) {
        int next = i < 8 ? i + 1 : 2 * i;
        counts[n++] = i;
        if (i == last)
            break;
        if (i < cores && next > cores)
            next = cores;
        i = next < last ? next : last;
    }
    return n;
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
    m.n_reads = bench_thread_counts(m.threads, cores, threads);
    for (int i = 0; i < m.n_reads && status == MOSHI_OK; i++) {
        int n = m.threads[i];
        peaks *ops = n == 1 ? &m.one : n == cores ? &m.all : NULL;
        status = measure(n, memory, &m.bytes_per_s[i], ops, err);
    }
    if (cores == 1)
        m.all = m.one;
    if (status == MOSHI_OK)
        *out = m;
    return status;
}
