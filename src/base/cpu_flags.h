/* cpu_flags.h: which instruction set the kernels use.
 *
 * Levels are ordered: a level includes all below it. MOSHI_CPU=ref|avx2|
 * avx512 in the environment lowers the level (never raises it above what the
 * processor has); an unknown value is ignored here and reported by
 * cpu_level_from_name for callers that want to check. */
#ifndef MOSHI_BASE_CPU_FLAGS_H
#define MOSHI_BASE_CPU_FLAGS_H

#include <stdbool.h>

typedef enum cpu_level {
    CPU_REF,    /* textbook C */
    CPU_AVX2,   /* AVX2, FMA, F16C */
    CPU_AVX512, /* AVX-512 F, BW, DQ, VL and VNNI */
    CPU_LEVEL_COUNT
} cpu_level;

/* What the processor and the operating system support. */
cpu_level cpu_level_best(void);

/* The level in force: best, lowered by MOSHI_CPU. */
cpu_level cpu_level_chosen(void);

const char *cpu_level_name(cpu_level level);
bool cpu_level_from_name(const char *name, cpu_level *out);

#endif
