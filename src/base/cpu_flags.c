/* cpu_flags.c: detect the instruction sets that the kernels know. */
#include "base/cpu_flags.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const char *const names[CPU_LEVEL_COUNT] = {"ref", "avx2", "avx512"};

#if defined(__x86_64__)
/* Not every compiler's __builtin_cpu_supports knows this one (clang 14 does
 * not): leaf 1, ecx, bit 29. */
static bool has_f16c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

cpu_level cpu_level_best(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
        !has_f16c())
        return CPU_REF;
    if (__builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vnni"))
        return CPU_AVX512;
    return CPU_AVX2;
#else
    return CPU_REF;
#endif
}

cpu_level cpu_level_chosen(void)
{
    cpu_level best = cpu_level_best(), wanted;
    const char *name = getenv("MOSHI_CPU");
    if (name && cpu_level_from_name(name, &wanted) && wanted < best)
        return wanted;
    return best;
}

const char *cpu_level_name(cpu_level level)
{
    return names[level];
}

bool cpu_level_from_name(const char *name, cpu_level *out)
{
    for (int i = 0; i < CPU_LEVEL_COUNT; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (cpu_level)i;
            return true;
        }
    return false;
}
