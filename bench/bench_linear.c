/* bench_linear.c: matrix times columns: every type of weight, with activations
 * in float32 and of 8 bits, a matrix that does not fit the cache. */
#include "bench.h"

#define K_WIDTH 4096

/* Where column c stands among the floats: columns of 8 bits are smaller. */
static void run(kernel_linear *kernel, const bench_case *c,
                const bench_arrays *a)
{
    const void *x[KERNEL_COLUMNS];
    float *y[KERNEL_COLUMNS];
    size_t row_bytes = 0;
    dtype_row_bytes(c->type, c->K, &row_bytes);
    for (int i = 0; i < c->columns; i++) {
        x[i] = a->x + (size_t)i * c->K;
        y[i] = a->y + (size_t)i * c->N;
    }
    kernel(y, x, c->columns, a->weights, row_bytes, c->K, NULL, 0, c->N);
}

static void run_float(const bench_case *c, const kernel_table *t,
                      const bench_arrays *a)
{
    run(t->linear[c->type], c, a);
}

static void run_int8(const bench_case *c, const kernel_table *t,
                     const bench_arrays *a)
{
    run(t->linear_int8[c->type], c, a);
}

/* 16 rows at a time are whole tiles; bytes for the 96 MB there are. */
#define ROWS(row_bytes)                                                  \
    (BENCH_WEIGHT_BYTES / (row_bytes) < 24576                            \
         ? BENCH_WEIGHT_BYTES / (row_bytes) / 16 * 16 : 24576)
#define CASE(label, function, dtype_name, row_bytes, n)                  \
    {.name = label, .run = function, .bytes = ROWS(row_bytes) * (row_bytes), \
     .type = DTYPE_##dtype_name, .N = ROWS(row_bytes), .K = K_WIDTH,     \
     .columns = n}
#define BOTH(label, dtype_name, row_bytes)                               \
    CASE("linear_int8_" label, run_int8, dtype_name, row_bytes, 1),      \
    CASE("linear_int8_" label "x8", run_int8, dtype_name, row_bytes, 8)

static const bench_case cases[] = {
    CASE("linear_f32", run_float, F32, 4 * K_WIDTH, 1),
    CASE("linear_f16", run_float, F16, 2 * K_WIDTH, 1),
    CASE("linear_bf16", run_float, BF16, 2 * K_WIDTH, 1),
    CASE("linear_bf16x8", run_float, BF16, 2 * K_WIDTH, 8),
    CASE("linear_q8_0", run_float, Q8_0, K_WIDTH / 32 * 34, 1),
    CASE("linear_q4_0", run_float, Q4_0, K_WIDTH / 32 * 18, 1),
    CASE("linear_q4_k", run_float, Q4_K, K_WIDTH / 256 * 144, 1),
    CASE("linear_q5_k", run_float, Q5_K, K_WIDTH / 256 * 176, 1),
    CASE("linear_q6_k", run_float, Q6_K, K_WIDTH / 256 * 210, 1),
    BOTH("q8_0", Q8_0, K_WIDTH / 32 * 34),
    BOTH("q4_0", Q4_0, K_WIDTH / 32 * 18),
    BOTH("q4_k", Q4_K, K_WIDTH / 256 * 144),
    BOTH("q5_k", Q5_K, K_WIDTH / 256 * 176),
    BOTH("q6_k", Q6_K, K_WIDTH / 256 * 210),
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
