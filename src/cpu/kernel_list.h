/* kernel_list.h: the names of all kernels, by instruction set.
 *
 * KERNELS_DECLARE(isa) declares a complete set, but for the quantisers, which
 * AVX-512 takes from AVX2. AVX2 with VNNI has products with 8-bit activations
 * of its own, in two encodings (x86/vector_avx2vnni.h), and the rest of AVX2. */
#ifndef MOSHI_CPU_KERNEL_LIST_H
#define MOSHI_CPU_KERNEL_LIST_H

#include "cpu/kernels.h"

/* How far an instruction set may be from the reference; tests/kernels holds
 * them to it. What is not named here has the reference's bits: to_f32, to_f16, the
 * quantisers, products with 8-bit activations (integer sums, and the same few
 * float operations in the same order), add, and nearest but for distances
 * that are equal to 15 digits. */
#define KERNEL_LINEAR_TOLERANCE    1e-6   /* of Σ |w| |x| */
#define KERNEL_NORM_TOLERANCE      5e-7   /* of |y|, and of |bias| */
#define KERNEL_ELU_TOLERANCE       1.5e-7 /* absolute */
#define KERNEL_GELU_TOLERANCE      1.5e-7 /* of |x| */
#define KERNEL_SILU_GATE_TOLERANCE 4e-7   /* of |y| */
#define KERNEL_ATTEND_TOLERANCE    2e-6   /* of max |v|; more if sharp */

/* The types that a weight matrix may have: X(type, name in symbols, ...). */
#define KERNEL_WEIGHT_TYPES(X, ...) \
    X(F32, f32, __VA_ARGS__)        \
    X(F16, f16, __VA_ARGS__)        \
    X(BF16, bf16, __VA_ARGS__)      \
    X(Q8_0, q8_0, __VA_ARGS__)      \
    X(Q4_0, q4_0, __VA_ARGS__)      \
    X(Q4_K, q4_k, __VA_ARGS__)      \
    X(Q5_K, q5_k, __VA_ARGS__)      \
    X(Q6_K, q6_k, __VA_ARGS__)

/* Those whose product has a form with 8-bit activations. */
#define KERNEL_INT8_TYPES(X, ...) \
    X(Q8_0, q8_0, __VA_ARGS__)    \
    X(Q4_0, q4_0, __VA_ARGS__)    \
    X(Q4_K, q4_k, __VA_ARGS__)    \
    X(Q5_K, q5_k, __VA_ARGS__)    \
    X(Q6_K, q6_k, __VA_ARGS__)

#define KERNEL_DECLARE_INT8(type, name, isa) \
    KERNEL_LINEAR(kernel_linear_int8_##name##_##isa);

#define KERNELS_DECLARE_QUANTIZE(isa)                \
    KERNEL_QUANTIZE(kernel_quantize_q8_0_##isa);     \
    KERNEL_COLUMN(kernel_column_q8_0_##isa);         \
    KERNEL_COLUMN(kernel_column_k_paired_##isa);     \
    KERNEL_COLUMN(kernel_column_k_straight_##isa);

/* Those of them that panels may have (plan/panels.h). */
#define KERNEL_PANEL_TYPES(X, ...)  \
    X(F32, f32, __VA_ARGS__)        \
    X(BF16, bf16, __VA_ARGS__)      \
    X(Q8_0, q8_0, __VA_ARGS__)

#define KERNEL_DECLARE_PANELS(type, name, isa) \
    KERNEL_PANELS(kernel_panels_##name##_##isa);

/* The types that a key/value cache may have. */
#define KERNEL_CACHE_TYPES(X, ...) \
    X(F32, f32, __VA_ARGS__)       \
    X(F16, f16, __VA_ARGS__)       \
    X(Q8_0, q8_0, __VA_ARGS__)

#define KERNEL_DECLARE_ATTEND(type, name, isa) \
    KERNEL_ATTEND(kernel_attend_##name##_##isa);

#define KERNEL_DECLARE_TYPE(type, name, isa)  \
    KERNEL_LINEAR(kernel_linear_##name##_##isa); \
    KERNEL_TO_F32(kernel_to_f32_##name##_##isa);

#define KERNELS_DECLARE(isa)                        \
    KERNEL_WEIGHT_TYPES(KERNEL_DECLARE_TYPE, isa)   \
    KERNEL_INT8_TYPES(KERNEL_DECLARE_INT8, isa)     \
    KERNEL_PANEL_TYPES(KERNEL_DECLARE_PANELS, isa)  \
    KERNEL_RMS_NORM(kernel_rms_norm_##isa);         \
    KERNEL_LAYER_NORM(kernel_layer_norm_##isa);     \
    KERNEL_ADD(kernel_add_##isa);                   \
    KERNEL_POINTWISE(kernel_elu_##isa);             \
    KERNEL_POINTWISE(kernel_gelu_##isa);            \
    KERNEL_SILU_GATE(kernel_silu_gate_##isa);       \
    KERNEL_CACHE_TYPES(KERNEL_DECLARE_ATTEND, isa)  \
    KERNEL_TO_F16(kernel_to_f16_##isa);             \
    KERNEL_NEAREST(kernel_nearest_##isa);

KERNELS_DECLARE(ref)
KERNELS_DECLARE_QUANTIZE(ref)
#if defined(__x86_64__)
KERNELS_DECLARE_QUANTIZE(avx2)
KERNELS_DECLARE(avx2)
KERNELS_DECLARE(avx512)
KERNEL_INT8_TYPES(KERNEL_DECLARE_INT8, avxvnni)
KERNEL_INT8_TYPES(KERNEL_DECLARE_INT8, avx512vnni)
#elif defined(__aarch64__)
KERNELS_DECLARE_QUANTIZE(neon)
KERNELS_DECLARE(neon)
KERNEL_INT8_TYPES(KERNEL_DECLARE_INT8, dotprod)
KERNEL_INT8_TYPES(KERNEL_DECLARE_INT8, i8mm)
#endif

#endif
