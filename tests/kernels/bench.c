/* bench.c: checkkernels --bench: one thread, the best of several runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "check.h"
#include "cpu/kernel_list.h"

#define SECONDS_PER_KERNEL 0.3

/* A kernel bound to its arguments. */
typedef struct job {
    const kernel_table *table;
    dtype type;
    bool int8; /* activations of 8 bits */
    size_t N, K;
    int columns;
    unsigned char *w;
    float *x, *y, *z;
    double *half_norms;
    const void *x_columns[KERNEL_COLUMNS];
    float *y_columns[KERNEL_COLUMNS];
} job;

typedef void runner(const job *j);

/* Seconds of the fastest call. */
static double best_time(runner *run, const job *j)
{
    double best = 1e9, end = clock_seconds() + SECONDS_PER_KERNEL;
    double start = clock_seconds();
    while (start < end) {
        run(j);
        double now = clock_seconds();
        best = now - start < best ? now - start : best;
        start = now;
    }
    return best;
}

static void run_linear(const job *j)
{
    size_t row_bytes;
    kernel_linear *kernel = j->int8 ? j->table->linear_int8[j->type]
                                    : j->table->linear[j->type];
    if (dtype_row_bytes(j->type, j->K, &row_bytes))
        kernel(j->y_columns, j->x_columns, j->columns, j->w, row_bytes, j->K,
               NULL, 0, j->N);
}

static void run_attend(const job *j)
{
    const kernel_run run[2] = {{0, j->N}, {0, 0}};
    j->table->attend[DTYPE_F16](j->y, j->x, j->w, j->w + 2 * j->N * j->K,
                                2 * j->K, run, j->K, 0.1f, j->z);
}

static void run_elu(const job *j) { j->table->elu(j->y, j->x, j->K); }
static void run_gelu(const job *j) { j->table->gelu(j->y, j->x, j->K); }
static void run_silu(const job *j)
{
    j->table->silu_gate(j->y, j->x, j->x, j->K);
}
static void run_add(const job *j)
{
    j->table->add(j->y, j->x, j->x, j->x, j->K);
}
static void run_rms_norm(const job *j)
{
    j->table->rms_norm(j->y, j->x, j->x, j->K, 1e-5f);
}
static void run_layer_norm(const job *j)
{
    j->table->layer_norm(j->y, j->x, j->x, j->x, j->K, 1e-5f);
}
static void run_quantize(const job *j)
{
    j->table->quantize_q8_0(j->w, j->x, j->K);
}
static void run_nearest(const job *j)
{
    j->y[0] = (float)j->table->nearest(j->x, (const float *)j->w,
                                       j->half_norms, j->N, j->K);
}

/* GB/s of weights, and GFLOP/s. */
static void bench_linear(job *j, const char *name, size_t N, size_t K,
                         int columns)
{
    size_t row_bytes = 0;
    j->N = N;
    j->K = K;
    j->columns = columns;
    dtype_row_bytes(j->type, K, &row_bytes);
    double t = best_time(run_linear, j);
    printf("%-8s %-17s %6zu x %-5zu %d columns %8.2f GB/s %8.2f GFLOP/s\n",
           cpu_level_name(j->table->level), name, N, K, columns,
           (double)(N * row_bytes) / t / 1e9,
           2e-9 * (double)(N * K) * columns / t);
}

/* Time of the call, and `unit` per second. */
static void bench_other(job *j, const char *name, runner *run, size_t N,
                        size_t K, double amount, const char *unit)
{
    j->N = N;
    j->K = K;
    double t = best_time(run, j);
    printf("%-8s %-17s %6zu x %-5zu %9.2f us  %8.2f %s\n",
           cpu_level_name(j->table->level), name, N, K, t * 1e6,
           amount / t / 1e9, unit);
}

/* The reference is timed on less: it is not fast, and need not be. */
static void bench_linears(job *j, const char *only)
{
    for (const check *c = checks_linear; c->name; c++) {
        if (only && strcmp(only, c->name) != 0)
            continue;
        j->type = c->type;
        j->int8 = strncmp(c->name, "linear_int8", 11) == 0;
        if (j->table->level == CPU_REF) {
            bench_linear(j, c->name, 256, 4096, 1);
            continue;
        }
        bench_linear(j, c->name, 11264, 4096, 1);
        bench_linear(j, c->name, 512, 512, 1);
        bench_linear(j, c->name, 512, 512, 8);
        bench_linear(j, c->name, 64, 8192, 8);
    }
}

static void bench_others(job *j, const char *only)
{
    static const struct {
        const char *name;
        runner *run;
        size_t N, K;
        double amount;
        const char *unit;
    } list[] = {
        {"attend_f16", run_attend, 3000, 128, 2.0 * 3000 * 128 * 2, "GB/s"},
        {"attend_f16", run_attend, 250, 64, 2.0 * 250 * 64 * 2, "GB/s"},
        {"elu", run_elu, 1, 2048, 2048, "G/s"},
        {"gelu", run_gelu, 1, 2048, 2048, "G/s"},
        {"silu_gate", run_silu, 1, 2048, 2048, "G/s"},
        {"add", run_add, 1, 2048, 2048, "G/s"},
        {"rms_norm", run_rms_norm, 1, 4096, 4096, "G/s"},
        {"layer_norm", run_layer_norm, 1, 512, 512, "G/s"},
        {"quantize_q8_0", run_quantize, 1, 4096, 4096, "G/s"},
        {"nearest", run_nearest, 2048, 256, 2048.0 * 256 * 4, "GB/s"},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (!only || strcmp(only, list[i].name) == 0)
            bench_other(j, list[i].name, list[i].run, list[i].N, list[i].K,
                        list[i].amount, list[i].unit);
}

void bench_run(const kernel_table *table, const char *only)
{
    enum { WIDTH = 11264 };
    size_t w_bytes = (size_t)11264 * 4096 * 4;
    job j = {.table = table};
    j.w = memory_aligned_calloc(w_bytes);
    j.x = memory_aligned_calloc(KERNEL_COLUMNS * WIDTH * sizeof *j.x);
    j.y = memory_aligned_calloc(KERNEL_COLUMNS * WIDTH * sizeof *j.y);
    j.z = memory_aligned_calloc(WIDTH * sizeof *j.z);
    j.half_norms = memory_aligned_calloc(WIDTH * sizeof *j.half_norms);
    if (j.w && j.x && j.y && j.z && j.half_norms) {
        /* Small values of every type; untouched pages would be one page. */
        for (size_t i = 0; i < w_bytes; i++)
            j.w[i] = (unsigned char)(i * 2654435761u >> 28);
        for (size_t i = 0; i < KERNEL_COLUMNS * WIDTH; i++)
            j.x[i] = (float)(i % 201) / 100 - 1;
        for (int c = 0; c < KERNEL_COLUMNS; c++) {
            j.x_columns[c] = j.x + (size_t)c * WIDTH;
            j.y_columns[c] = j.y + (size_t)c * WIDTH;
        }
        bench_linears(&j, only);
        bench_others(&j, only);
    }
    memory_aligned_free(j.w);
    memory_aligned_free(j.x);
    memory_aligned_free(j.y);
    memory_aligned_free(j.z);
    memory_aligned_free(j.half_norms);
}
