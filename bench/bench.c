/* bench.c: options, turns of kernel and floor, the table, the comparison. */
#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/denormals.h"
#include "base/memory.h"
#include "base/pages.h"
#include "base/quantile.h"
#include "base/threads.h"
#include "lab/bandwidth.h"

#define TURNS    12
/* A kernel that has lost is tried again so often, with pauses. */
#define ROUNDS   10
#define ROUND_SECONDS 6
#define LONGEST_PAUSE 3600
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
    unsigned pause_s; /* before a kernel that has lost is tried again */
} settings;

typedef struct measured {
    double ratio, bytes_per_s, floor_bytes_per_s; /* medians */
} measured;

static double median(double *values, size_t n)
{
    return quantile(values, n, 0.5);
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

/* --- one kernel at one level --- */

typedef struct bench_row {
    const bench_case *c;
    cpu_level level;
    measured before; /* what is recorded; 0: nothing */
    measured best;   /* the attempt of the best ratio */
    bool lost;
} bench_row;

/* Other programs and other machines on the same processor only ever make a
 * kernel slower: one attempt in which it has not lost is enough. */
static void attempt(bench_row *row, const bench_arrays *a, bandwidth *memory,
                    pool *one)
{
    measured m = measure(row->c, kernels_for(row->level), a, memory, one);
    if (m.ratio > row->best.ratio)
        row->best = m;
    row->lost = has_lost(&m, &row->before);
}

static void finish_row(const settings *s, const bench_row *row, FILE *record)
{
    const char *isa = cpu_level_name(row->level);
    print_row(isa, row->c, &row->best, row->before.ratio);
    printf("%s\n", row->lost                           ? "  SLOWER"
                   : s->check && row->before.ratio <= 0 ? "  not recorded"
                                                        : "");
    fflush(stdout);
    if (record)
        fprintf(record, "%s %s %.3f %.2f\n", isa, row->c->name,
                row->best.ratio, 1e-9 * row->best.bytes_per_s);
}

static void run_row(const settings *s, bench_row *row, const bench_arrays *a,
                    bandwidth *memory, pool *one, FILE *record)
{
    if (s->check)
        row->before = recorded(s->check, cpu_level_name(row->level),
                               row->c->name);
    /* Faster than memory is luck: it was slow while it was read plainly. */
    if (!row->c->cached && row->before.ratio > 1)
        row->before.ratio = 1;
    if (record)
        row->best = measure_to_record(row->c, kernels_for(row->level), a,
                                      memory, one);
    else
        attempt(row, a, memory, one);
    if (!row->lost) /* else it is tried again */
        finish_row(s, row, record);
}

/* A slow moment of the machine may last for a minute; a slow kernel stays. */
static size_t try_again(const settings *s, bench_row *rows, size_t n,
                        const bench_arrays *a, bandwidth *memory, pool *one)
{
    size_t lost = 0;
    for (size_t i = 0; i < n; i++)
        lost += rows[i].lost;
    for (int round = 0; lost > 0 && round < ROUNDS; round++) {
        printf("%zu kernels are tried again\n", lost);
        fflush(stdout);
        if (round > 0)
            sleep(s->pause_s);
        for (size_t i = 0; i < n; i++) {
            if (!rows[i].lost)
                continue;
            attempt(&rows[i], a, memory, one);
            if (!rows[i].lost) {
                finish_row(s, &rows[i], NULL);
                lost--;
            }
        }
    }
    for (size_t i = 0; lost > 0 && i < n; i++)
        if (rows[i].lost)
            finish_row(s, &rows[i], NULL);
    return lost;
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
                    "[--check FILE [--pause SECONDS] | --record FILE]\n");
    return 2;
}

static bool parse(settings *s, int argc, char **argv)
{
    const char *pause = NULL;
    s->pause_s = ROUND_SECONDS;
    for (int i = 1; i + 1 < argc; i += 2) {
        const char **to = strcmp(argv[i], "--isa") == 0      ? &s->isa
                          : strcmp(argv[i], "--kernel") == 0 ? &s->only
                          : strcmp(argv[i], "--check") == 0  ? &s->check
                          : strcmp(argv[i], "--record") == 0 ? &s->record
                          : strcmp(argv[i], "--pause") == 0  ? &pause
                                                             : NULL;
        if (!to)
            return false;
        *to = argv[i + 1];
    }
    char end;
    if (pause && (sscanf(pause, "%u%c", &s->pause_s, &end) != 1 ||
                  s->pause_s > LONGEST_PAUSE))
        return false;
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
    size_t slow = 0, n = 0;
    if (!parse(&s, argc, argv))
        return usage();
    if (!check_names(&s, cases, count))
        return 2;
    if (s.record && !(record = fopen(s.record, "a"))) {
        fprintf(stderr, "bench: cannot write %s\n", s.record);
        return 2;
    }
    bench_row *rows = memory_calloc(CPU_LEVEL_COUNT * count, sizeof *rows);
    if (!rows || !arrays_open(&a) || pool_open(&one, 1, NULL) != MOSHI_OK ||
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
            if (!s.only || strcmp(s.only, cases[i].name) == 0) {
                rows[n] = (bench_row){.c = &cases[i], .level = level};
                run_row(&s, &rows[n++], &a, memory, one, record);
            }
    }
    slow = try_again(&s, rows, n, &a, memory, one);
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
    memory_free(rows);
    return lost ? 2 : slow > 0;
}
