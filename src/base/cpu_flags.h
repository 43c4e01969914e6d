/* cpu_flags.h: which instruction set the kernels use.
 *
 * The levels of one kind of processor are ordered: a level includes all below
 * it. MOSHI_CPU=ref|avx2|avx2vnni|avx512 (x86) or ref|neon|dotprod|i8mm (64-bit
 * Arm) in the environment lowers the level (never raises it above what the
 * processor has); a level that is not here, or no level at all, is ignored:
 * callers that want to check ask cpu_level_from_name and cpu_level_here. */
#ifndef MOSHI_BASE_CPU_FLAGS_H
#define MOSHI_BASE_CPU_FLAGS_H

#include <stdbool.h>

typedef enum cpu_level {
    CPU_REF,      /* textbook C */
    CPU_AVX2,     /* AVX2, FMA, F16C */
    CPU_AVX2VNNI, /* and 8-bit dot products of 256 bits */
    CPU_AVX512,   /* AVX-512 F, BW, DQ, VL and VNNI */
    CPU_NEON,     /* every 64-bit Arm */
    CPU_DOTPROD,  /* 8-bit dot products, Armv8.2 */
    CPU_I8MM,     /* 8-bit matrix products, Armv8.6 */
    CPU_LEVEL_COUNT
} cpu_level;

/* Is that a level of the kind of processor that this was built for, and in this
 * build? (A compiler that knows no AVX-VNNI leaves CPU_AVX2VNNI out:
 * src/cpu/meson.build.) */
bool cpu_level_here(cpu_level level);

/* Does the processor know the short encoding of the 256-bit dot products,
 * AVX-VNNI? The level CPU_AVX2VNNI without it has that of AVX-512 VL. */
bool cpu_has_avx_vnni(void);

/* The best level of this build that the processor and the operating system
 * support. */
cpu_level cpu_level_best(void);

/* The level in force: best, lowered by MOSHI_CPU. */
cpu_level cpu_level_chosen(void);

const char *cpu_level_name(cpu_level level);
/* False, and *out untouched, if there is no such name. */
bool cpu_level_from_name(const char *name, cpu_level *out);

#endif
