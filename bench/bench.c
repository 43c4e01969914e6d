/* bench.c: options, turns of kernel and floor, the table, the comparison. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/denormals.h"
#include "base/memory.h"
#include "base/pages.h"
#include "base/threads.h"
#include "lab/bandwidth.h"

#define TURNS    12
#define ATTEMPTS 3
/* What is recorded is the median of so many. */
#define RECORDED 5
/* A ratio may fall so far below the recorded one. */
#define LEAST    0.85
/* Bytes of one turn of a case in the cache, so that the clock is fine enough */
#define CACHED_TURN ((size_t)8 << 20)
/* The reference is not fast, and need not be: a share of the rows. */
#define REF_SHARE 16

typedef struct settings {
    const char *check, *record, *isa, *only;
} settings;

typedef struct measured {
    double ratio, bytes_per_s, floor_bytes_per_s; /* medians */
} measured;

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, ascending);
    return values[n / 2];
}

static volatile unsigned sink;

/* Bytes per second of reading `bytes` bytes that are in the cache. */
static double read_cached(const void *at, size_t bytes, size_t times)
{
    typedef unsigned line __attribute__((vector_size(64), aligned(4)));
    line sum[4] = {{0}};
    double start = clock_seconds();
    for (size_t t = 0; t < times; t++) {
        const unsigned char *p = at;
        for (size_t i = 0; i + 256 <= bytes; i += 256)
#if !defined(__clang__)
#pragma GCC unroll 4
#endif
            for (size_t s = 0; s < 4; s++)
                sum[s] += *(const line *)(const void *)(p + i + 64 * s);
        __asm__ __volatile__("" : : : "memory");
    }
    double took = clock_seconds() - start;
    sum[0] += sum[1] + sum[2] + sum[3];
    sink += sum[0][0];
    return (double)bytes * (double)times / took;
}

static measured measure(const bench_case *c, const kernel_table *t,
                        const bench_arrays *a, bandwidth *memory, pool *one)
{
    double ratios[TURNS], rates[TURNS], floors[TURNS];
    size_t times = c->cached ? CACHED_TURN / c->bytes + 1 : 1;
    bench_case sized = *c;
    if (t->level == CPU_REF && !c->cached) {
        sized.N = c->N / REF_SHARE;
        sized.bytes = c->bytes / c->N * sized.N;
    } else if (t->level == CPU_REF) {
        times = times / REF_SHARE + 1;
    }
    sized.run(&sized, t, a);
    for (int i = 0; i < TURNS; i++) {
        size_t bytes = c->bytes < (1u << 16) ? c->bytes : 1u << 16;
        floors[i] = c->cached
                        ? read_cached(a->x, bytes < 256 ? 256 : bytes,
                                      CACHED_TURN / (bytes + 1) + 1)
                        : bandwidth_read(memory, one);
        double start = clock_seconds();
        for (size_t r = 0; r < times; r++)
            sized.run(&sized, t, a);
        double took = clock_seconds() - start;
        rates[i] = (double)sized.bytes * (double)times / took;
        ratios[i] = rates[i] / floors[i];
    }
    return (measured){median(ratios, TURNS), median(rates, TURNS),
                      median(floors, TURNS)};
}

/* --- what is recorded: "isa name ratio GB/s", one a line --- */

static measured recorded(const char *path, const char *isa, const char *name)
{
    char line[256], level[16], kernel[128];
    double ratio, rate;
    measured found = {0};
    FILE *f = fopen(path, "r");
    if (!f)
        return found;
    while (fgets(line, sizeof line, f))
        if (line[0] != '#' &&
            sscanf(line, "%15s %127s %lf %lf", level, kernel, &ratio, &rate) ==
                4 &&
            strcmp(level, isa) == 0 && strcmp(kernel, name) == 0)
            found = (measured){ratio, 1e9 * rate, 0};
    fclose(f);
    return found;
}

/* Where memory is now faster, now slower, a kernel that waits for it keeps its
 * ratio, and one that is bound by arithmetic keeps its rate: who has lost has
 * lost in both. */
static bool has_lost(const measured *now, const measured *before)
{
    return now->ratio < LEAST * before->ratio &&
           now->bytes_per_s < LEAST * before->bytes_per_s;
}

static void print_row(const char *isa, const bench_case *c, const measured *m,
                      double before)
{
    printf("%-8s %-26s %8.2f GB/s  floor %8.2f GB/s  ratio %6.3f", isa,
           c->name, m->bytes_per_s * 1e-9, m->floor_bytes_per_s * 1e-9,
           m->ratio);
    if (before > 0)
        printf("  recorded %6.3f", before);
}

/* Neither the luckiest of several nor the unluckiest. */
static measured measure_to_record(const bench_case *c, const kernel_table *t,
                                  const bench_arrays *a, bandwidth *memory,
                                  pool *one)
{
    measured m[RECORDED];
    double ratios[RECORDED];
    size_t middle = 0;
    for (int i = 0; i < RECORDED; i++) {
        m[i] = measure(c, t, a, memory, one);
        ratios[i] = m[i].ratio;
    }
    double ratio = median(ratios, RECORDED);
    while (m[middle].ratio != ratio)
        middle++;
    return m[middle];
}

/* False: too slow in each attempt. */
static bool run_case(const settings *s, const bench_case *c,
                     const kernel_table *t, const bench_arrays *a,
                     bandwidth *memory, pool *one, FILE *record)
{
    const char *isa = cpu_level_name(t->level);
    measured before = {0};
    if (s->check)
        before = recorded(s->check, isa, c->name);
    measured best = record ? measure_to_record(c, t, a, memory, one)
                           : (measured){0};
    /* Faster than memory is luck: it was slow while it was read plainly. */
    if (!c->cached && before.ratio > 1)
        before.ratio = 1;
    for (int i = 0; i < ATTEMPTS && !record; i++) {
        measured m = measure(c, t, a, memory, one);
        if (m.ratio > best.ratio)
            best = m;
        if (!has_lost(&best, &before))
            break;
    }
    bool slow = has_lost(&best, &before);
    print_row(isa, c, &best, before.ratio);
    printf("%s\n", slow                           ? "  SLOWER"
                   : s->check && before.ratio <= 0 ? "  not recorded"
                                                  : "");
    fflush(stdout);
    if (record)
        fprintf(record, "%s %s %.3f %.2f\n", isa, c->name, best.ratio,
                1e-9 * best.bytes_per_s);
    return !slow;
}

static bool arrays_open(bench_arrays *a)
{
    a->weights = memory_aligned_calloc(BENCH_WEIGHT_BYTES + (1u << 20));
    a->x = memory_aligned_calloc(BENCH_FLOATS * sizeof *a->x);
    a->y = memory_aligned_calloc(BENCH_FLOATS * sizeof *a->y);
    a->norms = memory_aligned_calloc(BENCH_FLOATS * sizeof *a->norms);
    if (!a->weights || !a->x || !a->y || !a->norms)
        return false;
    pages_ask_large(a->weights, BENCH_WEIGHT_BYTES);
    /* 0 … 15: small numbers of every type. */
    for (size_t i = 0; i < BENCH_WEIGHT_BYTES; i++)
        a->weights[i] = (unsigned char)((i * 2654435761u) >> 28 & 15);
    for (size_t i = 0; i < BENCH_FLOATS; i++)
        a->x[i] = (float)(i % 201) / 100 - 1;
    return true;
}

static int usage(void)
{
    fprintf(stderr, "usage: bench [--isa NAME] [--kernel NAME] "
                    "[--check FILE | --record FILE]\n");
    return 2;
}

static bool parse(settings *s, int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        const char **to = strcmp(argv[i], "--isa") == 0      ? &s->isa
                          : strcmp(argv[i], "--kernel") == 0 ? &s->only
                          : strcmp(argv[i], "--check") == 0  ? &s->check
                          : strcmp(argv[i], "--record") == 0 ? &s->record
                                                             : NULL;
        if (!to)
            return false;
        *to = argv[i + 1];
    }
    return argc % 2 == 1 && !(s->check && s->record);
}

/* Whatever was asked for by name must be there: nothing measured is nothing
 * found, which would look like success. */
static bool check_names(const settings *s, const bench_case *cases,
                        size_t count)
{
    bool kernel = !s->only, isa = !s->isa;
    for (size_t i = 0; i < count; i++)
        kernel = kernel || strcmp(s->only, cases[i].name) == 0;
    for (cpu_level level = CPU_REF; level <= cpu_level_chosen(); level++)
        isa = isa || (cpu_level_here(level) &&
                      strcmp(s->isa, cpu_level_name(level)) == 0);
    FILE *f = s->check ? fopen(s->check, "r") : NULL;
    if (!kernel)
        fprintf(stderr, "bench: there is no kernel '%s' in this program\n",
                s->only);
    else if (!isa)
        fprintf(stderr, "bench: instruction set '%s' is not here\n", s->isa);
    else if (s->check && !f)
        fprintf(stderr, "bench: cannot read %s\n", s->check);
    if (f)
        fclose(f);
    return kernel && isa && (f || !s->check);
}

int bench_main(int argc, char **argv, const bench_case *cases, size_t count)
{
    settings s = {0};
    bench_arrays a = {0};
    pool *one = NULL;
    bandwidth *memory = NULL;
    FILE *record = NULL;
    size_t slow = 0;
    if (!parse(&s, argc, argv))
        return usage();
    if (!check_names(&s, cases, count))
        return 2;
    if (s.record && !(record = fopen(s.record, "a"))) {
        fprintf(stderr, "bench: cannot write %s\n", s.record);
        return 2;
    }
    if (!arrays_open(&a) || pool_open(&one, 1, NULL) != MOSHI_OK ||
        bandwidth_open(&memory, one, BENCH_WEIGHT_BYTES >> 20, NULL) !=
            MOSHI_OK) {
        fprintf(stderr, "bench: no memory\n");
        return 2;
    }
    denormals_flush();
    for (cpu_level level = CPU_REF; level <= cpu_level_chosen(); level++) {
        const char *isa = cpu_level_name(level);
        if (!cpu_level_here(level) || (s.isa && strcmp(s.isa, isa) != 0))
            continue;
        for (size_t i = 0; i < count; i++)
            if (!s.only || strcmp(s.only, cases[i].name) == 0)
                slow += !run_case(&s, &cases[i], kernels_for(level), &a,
                                  memory, one, record);
    }
    if (slow)
        printf("%zu kernels are more than 15 %% slower than recorded\n",
               slow);
    bool lost = record && ferror(record);
    if (record && (fclose(record) != 0 || lost)) {
        fprintf(stderr, "bench: cannot write %s\n", s.record);
        lost = true;
    }
    bandwidth_close(&memory);
    pool_close(&one);
    memory_aligned_free(a.weights);
    memory_aligned_free(a.x);
    memory_aligned_free(a.y);
    memory_aligned_free(a.norms);
    return lost ? 2 : slow > 0;
}
