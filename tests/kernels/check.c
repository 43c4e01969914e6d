/* check.c: the driver of checkkernels.
 *
 *   checkkernels [--isa NAME] [--kernel NAME] [--seed N] [--bench]
 *
 * Goal: every entry of the kernel table gives the reference's results, at
 * every level that this processor has, and touches nothing but its arrays.
 * A failure prints the command that repeats it. */
#include "check.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Failures of one check that are printed. */
#define FAILURES_SHOWN 5

static const check *const groups[] = {
    checks_to_f32, checks_linear, checks_quantize, checks_pointwise,
    checks_norm,   checks_attend, checks_nearest,  checks_panels,
};

static struct {
    const char *name;
    cpu_level level;
    unsigned long seed;
    uint64_t state;
    int failures;
} now;

static sigjmp_buf after_crash;

uint32_t random_bits(void)
{
    /* splitmix64; its upper half is good in every bit. */
    uint64_t z = now.state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ z >> 31) >> 32);
}

size_t random_below(size_t n)
{
    return random_bits() % n;
}

float random_float(void)
{
    return (float)((int32_t)random_bits() / 0x1p31);
}

void fail(const char *format, ...)
{
    if (now.failures++ >= FAILURES_SHOWN)
        return;
    va_list arguments;
    va_start(arguments, format);
    printf("  ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

bool expect_near(double got, double want, double most, const char *what,
                 size_t index)
{
    if (isnan(want) ? isnan(got)
                    : got == want || fabs(got - want) <= most)
        return true;
    fail("%s[%zu]: got %.9g, expected %.9g ± %.2g", what, index, got, want,
         most);
    return false;
}

bool expect_same(const float *got, const float *want, size_t n,
                 const char *what)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(got + i, want + i, sizeof *got) != 0 &&
            !(isnan(got[i]) && isnan(want[i]))) {
            fail("%s[%zu]: got %a, expected the bits of %a", what, i,
                 (double)got[i], (double)want[i]);
            return false;
        }
    return true;
}

static void crashed(int number)
{
    siglongjmp(after_crash, number);
}

static void catch_crashes(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    struct sigaction action = {.sa_handler = crashed};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

/* One check at one level; the seed is mixed with the name, so that a check
 * draws the same numbers alone as among the others. */
static bool run_check(const check *c, const kernel_table *table,
                      unsigned long seed)
{
    now.name = c->name;
    now.level = table->level;
    now.seed = seed;
    now.failures = 0;
    now.state = seed;
    for (const char *p = c->name; *p; p++)
        now.state = (now.state ^ (unsigned char)*p) * 0x100000001b3u;
    int number = sigsetjmp(after_crash, 1);
    if (number == 0)
        c->run(table, c->type);
    else
        fail("stopped by signal %d (a read or write outside its arrays?)",
             number);
    arrays_clear();
    if (now.failures == 0)
        return true;
    printf("FAIL %s %s: %d failures; repeat with:\n"
           "  checkkernels --isa %s --kernel %s --seed %lu\n",
           c->name, cpu_level_name(now.level), now.failures,
           cpu_level_name(now.level), c->name, now.seed);
    return false;
}

static int usage(void)
{
    fprintf(stderr, "usage: checkkernels [--isa NAME] [--kernel NAME] "
                    "[--seed N] [--bench]\n");
    return 2;
}

int main(int argc, char **argv)
{
    const char *isa = NULL, *only = NULL;
    unsigned long seed = 1;
    bool bench = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--bench") == 0)
            bench = true;
        else if (i + 1 == argc)
            return usage();
        else if (strcmp(argv[i], "--isa") == 0)
            isa = argv[++i];
        else if (strcmp(argv[i], "--kernel") == 0)
            only = argv[++i];
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoul(argv[++i], NULL, 0);
        else
            return usage();
    }
    int passed = 0, failed = 0, levels = 0;
    if (!bench)
        catch_crashes();
    for (cpu_level level = CPU_REF; level <= cpu_level_chosen(); level++) {
        if (!cpu_level_here(level))
            continue;
        const kernel_table *table = kernels_for(level);
        if (isa && strcmp(isa, cpu_level_name(level)) != 0)
            continue;
        if (bench) {
            bench_run(table, only);
            continue;
        }
        levels++;
        for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
            for (const check *c = groups[g]; c->name; c++)
                if (!only || strcmp(only, c->name) == 0)
                    *(run_check(c, table, seed) ? &passed : &failed) += 1;
    }
    if (!bench)
        printf("%d passed, %d failed, in %d level%s\n", passed, failed,
               levels, levels == 1 ? "" : "s");
    return failed || (!bench && !passed);
}
