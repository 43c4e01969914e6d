/* bench_rows.c: what runs along a row: norms, sums, activations, quantisers,
 * widening; in the cache, as in a frame. */
#include "bench.h"

#define LENGTH 4096

#define RUN(name, call)                                             \
    static void run_##name(const bench_case *c,                     \
                           const kernel_table *t,                   \
                           const bench_arrays *a)                   \
    {                                                               \
        (void)c;                                                    \
        call;                                                       \
    }
RUN(rms_norm, t->rms_norm(a->y, a->x, a->x + LENGTH, LENGTH, 1e-5f))
RUN(layer_norm, t->layer_norm(a->y, a->x, a->x + LENGTH, a->x + 2 * LENGTH, LENGTH, 1e-5f))
RUN(add, t->add(a->y, a->x, a->x + LENGTH, NULL, LENGTH))
RUN(elu, t->elu(a->y, a->x, LENGTH))
RUN(gelu, t->gelu(a->y, a->x, LENGTH))
RUN(silu_gate, t->silu_gate(a->y, a->x, a->x + LENGTH, LENGTH))
RUN(quantize_q8_0, t->quantize_q8_0(a->y, a->x, LENGTH))
RUN(column_q8_0, t->column_q8_0(a->y, a->weights, LENGTH))
RUN(column_k_paired, t->column_k_paired(a->y, a->x, LENGTH))
RUN(column_k_straight, t->column_k_straight(a->y, a->x, LENGTH))
RUN(to_f16, t->to_f16(a->y, a->x, LENGTH))
RUN(to_f32, t->to_f32[c->type](a->y, a->weights, LENGTH))

#define CASE(kernel, arrays) \
    {.name = #kernel, .run = run_##kernel, .cached = true, \
     .bytes = (arrays) * LENGTH * sizeof(float), .N = 1}
#define WIDEN(label, dtype_name, row_bytes) \
    {.name = "to_f32_" label, .run = run_to_f32, .cached = true, \
     .bytes = row_bytes, .N = 1, .type = DTYPE_##dtype_name}

static const bench_case cases[] = {
    CASE(rms_norm, 2), CASE(layer_norm, 3), CASE(add, 2), CASE(elu, 1),
    CASE(gelu, 1), CASE(silu_gate, 2), CASE(quantize_q8_0, 1),
    {.name = "column_q8_0", .run = run_column_q8_0, .cached = true,
     .bytes = LENGTH / 32 * 34, .N = 1},
    CASE(column_k_paired, 1), CASE(column_k_straight, 1), CASE(to_f16, 1),
    WIDEN("f32", F32, 4 * LENGTH), WIDEN("f16", F16, 2 * LENGTH),
    WIDEN("bf16", BF16, 2 * LENGTH), WIDEN("q8_0", Q8_0, LENGTH / 32 * 34),
    WIDEN("q4_0", Q4_0, LENGTH / 32 * 18), WIDEN("q4_k", Q4_K, LENGTH / 256 * 144),
    WIDEN("q5_k", Q5_K, LENGTH / 256 * 176), WIDEN("q6_k", Q6_K, LENGTH / 256 * 210),
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
