/* kernels.c: one table of kernels for each level of instruction set. */
#include "cpu/kernels.h"

#include "cpu/kernel_list.h"

#define LINEAR_ENTRY(type, name, isa) \
    [DTYPE_##type] = kernel_linear_##name##_##isa,
#define PANELS_ENTRY(type, name, isa) \
    [DTYPE_##type] = kernel_panels_##name##_##isa,
#define TO_F32_ENTRY(type, name, isa) \
    [DTYPE_##type] = kernel_to_f32_##name##_##isa,

#define ATTEND_ENTRY(type, name, isa) \
    [DTYPE_##type] = kernel_attend_##name##_##isa,
#define INT8_ENTRY(type, name, isa) \
    [DTYPE_##type] = kernel_linear_int8_##name##_##isa,
#define QUANTIZERS(isa)                                    \
    .quantize_q8_0 = kernel_quantize_q8_0_##isa,           \
    .column_q8_0 = kernel_column_q8_0_##isa,               \
    .column_k_paired = kernel_column_k_paired_##isa,       \
    .column_k_straight = kernel_column_k_straight_##isa

#define INT8(isa) .linear_int8 = {KERNEL_INT8_TYPES(INT8_ENTRY, isa)}

/* The quantisers are named apart: AVX-512 uses those of AVX2; so are the
 * products with 8-bit activations, in which alone the levels of Arm differ, and
 * AVX2 with VNNI from AVX2. */
#define TABLE(isa)                                          \
    .linear = {KERNEL_WEIGHT_TYPES(LINEAR_ENTRY, isa)},     \
    .panels = {KERNEL_PANEL_TYPES(PANELS_ENTRY, isa)},      \
    .to_f32 = {KERNEL_WEIGHT_TYPES(TO_F32_ENTRY, isa)},     \
    .rms_norm = kernel_rms_norm_##isa,                      \
    .layer_norm = kernel_layer_norm_##isa,                  \
    .add = kernel_add_##isa,                                \
    .elu = kernel_elu_##isa,                                \
    .gelu = kernel_gelu_##isa,                              \
    .silu_gate = kernel_silu_gate_##isa,                    \
    .attend = {KERNEL_CACHE_TYPES(ATTEND_ENTRY, isa)},      \
    .to_f16 = kernel_to_f16_##isa,                          \
    .nearest = kernel_nearest_##isa

static const kernel_table tables[] = {
    [CPU_REF] = {.level = CPU_REF, TABLE(ref), INT8(ref), QUANTIZERS(ref)},
#if defined(__x86_64__)
    [CPU_AVX2] = {.level = CPU_AVX2, TABLE(avx2), INT8(avx2),
                  QUANTIZERS(avx2)},
#if !defined(MOSHI_WITHOUT_AVX2VNNI)
    [CPU_AVX2VNNI] = {.level = CPU_AVX2VNNI, TABLE(avx2), INT8(avxvnni),
                      QUANTIZERS(avx2)},
#endif
    [CPU_AVX512] = {.level = CPU_AVX512, TABLE(avx512), INT8(avx512),
                    QUANTIZERS(avx2)},
#elif defined(__aarch64__)
    [CPU_NEON] = {.level = CPU_NEON, TABLE(neon), INT8(neon),
                  QUANTIZERS(neon)},
    [CPU_DOTPROD] = {.level = CPU_DOTPROD, TABLE(neon), INT8(dotprod),
                     QUANTIZERS(neon)},
    [CPU_I8MM] = {.level = CPU_I8MM, TABLE(neon), INT8(i8mm),
                  QUANTIZERS(neon)},
#endif
};

#if defined(__x86_64__) && !defined(MOSHI_WITHOUT_AVX2VNNI)
/* The level of AVX2 with VNNI in the encoding of AVX-512. */
static const kernel_table avx512vnni = {
    .level = CPU_AVX2VNNI, TABLE(avx2), INT8(avx512vnni), QUANTIZERS(avx2)};
#endif

const kernel_table *kernels_for(cpu_level level)
{
#if defined(__x86_64__) && !defined(MOSHI_WITHOUT_AVX2VNNI)
    if (level == CPU_AVX2VNNI && !cpu_has_avx_vnni())
        return &avx512vnni;
#endif
    return &tables[level];
}
