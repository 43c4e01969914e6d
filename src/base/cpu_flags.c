/* cpu_flags.c: detect the instruction sets that the kernels know. */
#include "base/cpu_flags.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

static const char *const names[CPU_LEVEL_COUNT] = {"ref",    "avx2", "avx2vnni",
                                                    "avx512", "neon",
                                                    "dotprod", "i8mm"};

#if defined(__x86_64__)
/* Not every compiler's __builtin_cpu_supports knows this one (clang 14 does
 * not): leaf 1, ecx, bit 29. */
static bool has_f16c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

/* Nor this one: leaf 7, sub-leaf 1, eax, bit 4. A processor that has no
 * sub-leaf 1 answers zeros. It works on the registers of AVX. */
bool cpu_has_avx_vnni(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1) &&
           __builtin_cpu_supports("avx2");
}
#else
bool cpu_has_avx_vnni(void) { return false; }
#endif

#if defined(__aarch64__) && defined(__linux__)
/* Not all headers name them. */
#define AUX_DOTPROD (1ul << 20) /* of AT_HWCAP */
#define AUX_I8MM    (1ul << 13) /* of AT_HWCAP2 */

static bool has_dotprod(void) { return getauxval(AT_HWCAP) & AUX_DOTPROD; }
static bool has_i8mm(void) { return getauxval(AT_HWCAP2) & AUX_I8MM; }
#elif defined(__aarch64__)
static bool has_feature(const char *name)
{
    int yes = 0;
#if defined(__APPLE__)
    size_t size = sizeof yes;
    if (sysctlbyname(name, &yes, &size, NULL, 0) != 0)
        return false;
#else
    (void)name;
#endif
    return yes != 0;
}

static bool has_dotprod(void)
{
    return has_feature("hw.optional.arm.FEAT_DotProd");
}

static bool has_i8mm(void)
{
    return has_feature("hw.optional.arm.FEAT_I8MM");
}
#endif

bool cpu_level_here(cpu_level level)
{
    if (level == CPU_REF)
        return true;
#if defined(__x86_64__) && defined(MOSHI_WITHOUT_AVX2VNNI)
    return level == CPU_AVX2 || level == CPU_AVX512;
#elif defined(__x86_64__)
    return level >= CPU_AVX2 && level <= CPU_AVX512;
#elif defined(__aarch64__)
    return level >= CPU_NEON && level <= CPU_I8MM;
#else
    return false;
#endif
}

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
    return cpu_level_here(CPU_AVX2VNNI) && cpu_has_avx_vnni() ? CPU_AVX2VNNI
                                                              : CPU_AVX2;
#elif defined(__aarch64__)
    if (!has_dotprod())
        return CPU_NEON;
    return has_i8mm() ? CPU_I8MM : CPU_DOTPROD;
#else
    return CPU_REF;
#endif
}

cpu_level cpu_level_chosen(void)
{
    cpu_level best = cpu_level_best(), wanted;
    const char *name = getenv("MOSHI_CPU");
    if (name && cpu_level_from_name(name, &wanted) && wanted < best &&
        cpu_level_here(wanted))
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
