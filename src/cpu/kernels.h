/* kernels.h: the arithmetic of the CPU backend: prototypes and the table.
 *
 * One prototype per kernel family, used by the reference (src/cpu/ref/, which
 * is the specification), by every instruction set and by the tests. A
 * kernel_table holds one function per entry; each level of instruction sets
 * (base/cpu_flags.h) has a whole one.
 *
 * Rules for every kernel:
 *  - weights and caches may lie at any byte, other arrays where their elements
 *    may; no byte outside the given arrays is read or written (a prefetch may
 *    go beyond, and never faults);
 *  - an output depends only on its own inputs: never on how the work was cut
 *    into rows, columns or calls. The order of a sum is fixed by its length;
 *  - it neither allocates nor fails.
 *
 * Axis letters: K length of a dot product, N output rows of a matrix. */
#ifndef MOSHI_CPU_KERNELS_H
#define MOSHI_CPU_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu_flags.h"
#include "base/dtype.h"

/* Columns that a linear kernel takes in one call. */
#define KERNEL_COLUMNS 8

/* y[c][r] = bias[r] + Σ_i w[r][i] x[c][i],  row0 ≤ r < row1, 0 ≤ c < columns
 * w: rows of `row_bytes` bytes, from row 0; x[c]: K floats, or for the 8-bit
 * form the blocks that cpu/blocks.h describes as a column's; bias: NULL or
 * floats from row 0; y[c]: from row 0. columns ≤ KERNEL_COLUMNS. */
#define KERNEL_LINEAR(name)                                               \
    void name(float *const *y, const void *const *x, int columns,         \
              const void *w, size_t row_bytes, size_t K,                  \
              const float *bias, size_t row0, size_t row1)
typedef KERNEL_LINEAR(kernel_linear);

/* The same with w in panels (plan/panels.h) of rows 0 … N - 1: the rows of
 * panels panel0 … panel1 - 1, any number of columns. */
#define KERNEL_PANELS(name)                                               \
    void name(float *const *y, const float *const *x, size_t columns,     \
              const void *w, size_t K, size_t N, const float *bias,       \
              size_t panel0, size_t panel1)
typedef KERNEL_PANELS(kernel_panels);

/* y[i] = dequantised element i of a row of n elements. */
#define KERNEL_TO_F32(name) void name(float *y, const void *row, size_t n)
typedef KERNEL_TO_F32(kernel_to_f32);

/* Quantise n floats (n % 32 == 0) to Q8_0 blocks as the official engine does
 * (docs/FORMATS.md): d = amax/127, q = round half away from zero (x * (1/d))
 * with the unrounded d, stored d = f16(d). */
#define KERNEL_QUANTIZE(name) void name(void *blocks, const float *x, size_t n)
typedef KERNEL_QUANTIZE(kernel_quantize);

/* What a product with 8-bit activations takes (cpu/blocks.h, columns): of n
 * elements in Q8_0 blocks, for Q8_0 and Q4_0 (the same quants and scales), or
 * of n floats (n % 256 == 0) for the K-quants. */
#define KERNEL_COLUMN(name) void name(void *column, const void *x, size_t n)
typedef KERNEL_COLUMN(kernel_column);

/* y = x * alpha / sqrt(mean(x²) + eps) */
#define KERNEL_RMS_NORM(name)                                             \
    void name(float *y, const float *x, const float *alpha, size_t n,     \
              float eps)
typedef KERNEL_RMS_NORM(kernel_rms_norm);

/* y = (x - mean) / sqrt(var + eps) * weight + bias, biased variance */
#define KERNEL_LAYER_NORM(name)                                           \
    void name(float *y, const float *x, const float *weight,              \
              const float *bias, size_t n, float eps)
typedef KERNEL_LAYER_NORM(kernel_layer_norm);

/* y = a + scale ⊙ b; scale NULL means 1 */
#define KERNEL_ADD(name)                                                  \
    void name(float *y, const float *a, const float *b,                   \
              const float *scale, size_t n)
typedef KERNEL_ADD(kernel_add);

/* Pointwise. elu: x > 0 ? x : exp(x) - 1. gelu: x/2 (1 + erf(x/√2)). */
#define KERNEL_POINTWISE(name) void name(float *y, const float *x, size_t n)
typedef KERNEL_POINTWISE(kernel_pointwise);

/* y = gate / (1 + exp(-gate)) * up */
#define KERNEL_SILU_GATE(name)                                            \
    void name(float *y, const float *gate, const float *up, size_t n)
typedef KERNEL_SILU_GATE(kernel_silu_gate);

/* One head of attention over keys that lie in up to two runs, oldest first:
 *   s_j = scale q·k_j;  p = softmax(s);  out = Σ p_j v_j
 * k, v: this head's key / value in slot 0, in the cache's type (F32, F16, or
 * Q8_0 if head_dim % 32 == 0); slots are `stride` bytes apart. run[i] = {first
 * slot, number of slots}. scores: room for all keys. The sums over keys run in
 * the given order, so a ring that has wrapped gives the same bits as one that
 * has not. At least one key is given. */
typedef struct kernel_run {
    size_t first, count;
} kernel_run;
#define KERNEL_ATTEND(name)                                               \
    void name(float *out, const float *q, const void *k, const void *v,   \
              size_t stride, const kernel_run run[2], size_t head_dim,    \
              float scale, float *scores)
typedef KERNEL_ATTEND(kernel_attend);

/* y[i] = x[i] as a half, to nearest, ties to even. */
#define KERNEL_TO_F16(name) void name(void *y, const float *x, size_t n)
typedef KERNEL_TO_F16(kernel_to_f16);

/* The row of table[n][dim] nearest to r: argmin_j half_norms[j] - r·table[j],
 * in double precision, ties to the lowest index (docs/MODEL.md, quantizer).
 * half_norms[j] = ½‖table[j]‖². */
#define KERNEL_NEAREST(name)                                              \
    int32_t name(const float *r, const float *table,                      \
                 const double *half_norms, size_t n, size_t dim)
typedef KERNEL_NEAREST(kernel_nearest);

typedef struct kernel_table {
    cpu_level level;
    kernel_linear *linear[DTYPE_COUNT]; /* f32 activations; NULL: no weight */
    kernel_linear *linear_int8[DTYPE_COUNT]; /* 8-bit ones; NULL: none */
    kernel_panels *panels[DTYPE_COUNT]; /* NULL: not a type of panels */
    kernel_to_f32 *to_f32[DTYPE_COUNT]; /* NULL: not a weight type */
    kernel_quantize *quantize_q8_0;
    kernel_column *column_q8_0, *column_k_paired, *column_k_straight;
    kernel_rms_norm *rms_norm;
    kernel_layer_norm *layer_norm;
    kernel_add *add;
    kernel_pointwise *elu, *gelu;
    kernel_silu_gate *silu_gate;
    kernel_attend *attend[DTYPE_COUNT]; /* by type of the cache; NULL: none */
    kernel_to_f16 *to_f16;
    kernel_nearest *nearest;
} kernel_table;

/* The table for a level that is here, and not above cpu_level_best(). Static,
 * immutable. */
const kernel_table *kernels_for(cpu_level level);

#endif
