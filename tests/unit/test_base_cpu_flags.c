/* Goal: the levels of instruction sets are named, ordered and chosen as
 * base/cpu_flags.h says. Method: names there and back; MOSHI_CPU set to each
 * name and to what is none; what the processor says of itself, by another way
 * than the library's; and that a level's table of kernels is that level's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu_flags.h"
#include "cpu/kernels.h"

static cpu_level each(int i) { return (cpu_level)i; }

static void names(void **state)
{
    cpu_level found = CPU_LEVEL_COUNT;
    (void)state;
    for (int i = 0; i < CPU_LEVEL_COUNT; i++) {
        assert_true(cpu_level_from_name(cpu_level_name(each(i)), &found));
        assert_int_equal(found, i);
    }
    found = CPU_AVX2;
    assert_false(cpu_level_from_name("", &found));
    assert_false(cpu_level_from_name("AVX2", &found));
    assert_false(cpu_level_from_name("avx2vnni ", &found));
    assert_int_equal(found, CPU_AVX2); /* untouched */
}

/* MOSHI_CPU lowers the level to each that is there, and does nothing else. */
static void chosen(void **state)
{
    const char *set = getenv("MOSHI_CPU");
    char *before = set ? strdup(set) : NULL;
    cpu_level best = cpu_level_best();
    (void)state;
    assert_true(cpu_level_here(best));
    for (int i = 0; i < CPU_LEVEL_COUNT; i++) {
        bool there = cpu_level_here(each(i)) && each(i) <= best;
        setenv("MOSHI_CPU", cpu_level_name(each(i)), 1);
        assert_int_equal(cpu_level_chosen(), there ? each(i) : best);
    }
    setenv("MOSHI_CPU", "avx1024", 1);
    assert_int_equal(cpu_level_chosen(), best);
    unsetenv("MOSHI_CPU");
    assert_int_equal(cpu_level_chosen(), best);
    if (before)
        setenv("MOSHI_CPU", before, 1);
    free(before);
}

static void tables(void **state)
{
    (void)state;
    for (int i = 0; i <= (int)cpu_level_best(); i++)
        if (cpu_level_here(each(i)))
            assert_int_equal(kernels_for(each(i))->level, i);
}

#if defined(__x86_64__) && defined(__linux__)
/* Is it among the words that Linux has for what the processor can do? */
static bool listed(const char *flag)
{
    char line[8192], word[64];
    bool found = false;
    FILE *f = fopen("/proc/cpuinfo", "r");
    assert_non_null(f);
    snprintf(word, sizeof word, " %s ", flag);
    while (fgets(line, sizeof line, f))
        if (strncmp(line, "flags", 5) == 0) {
            line[strcspn(line, "\n")] = ' ';
            found = strstr(line, word) != NULL;
            break;
        }
    fclose(f);
    return found;
}

static void as_linux_says(void **state)
{
    bool avx2 = listed("avx2") && listed("fma") && listed("f16c");
    bool avx512 = avx2 && listed("avx512f") && listed("avx512bw") &&
                  listed("avx512dq") && listed("avx512vl") &&
                  listed("avx512_vnni");
    bool has_vnni = avx2 && listed("avx_vnni");
    bool vnni = has_vnni && cpu_level_here(CPU_AVX2VNNI);
    (void)state;
    assert_int_equal(cpu_has_avx_vnni(), has_vnni);
    assert_int_equal(cpu_level_best(), avx512 ? CPU_AVX512
                                       : vnni ? CPU_AVX2VNNI
                                       : avx2 ? CPU_AVX2
                                              : CPU_REF);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(chosen),
        cmocka_unit_test(tables),
#if defined(__x86_64__) && defined(__linux__)
        cmocka_unit_test(as_linux_says),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
