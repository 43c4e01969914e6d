/* bench_codec.c: what only the codec uses: products with weights in panels,
 * from memory, and the search for the nearest row of a codebook. */
#include "bench.h"
#include "plan/panels.h"

#define K_WIDTH 1024

static void run_panels(const bench_case *c, const kernel_table *t,
                       const bench_arrays *a)
{
    const float *x[2] = {a->x, a->x + K_WIDTH};
    float *y[2] = {a->y, a->y + BENCH_FLOATS / 2};
    t->panels[c->type](y, x, 2, a->weights, K_WIDTH, c->N, NULL, 0,
                       panels_of(c->N));
}

static void run_nearest(const bench_case *c, const kernel_table *t,
                        const bench_arrays *a)
{
    a->y[0] = (float)t->nearest(a->x, (const float *)(const void *)a->weights,
                                a->norms, c->N, c->K);
}

#define PANELS(label, dtype_name, row_bytes)                         \
    {.name = "panels_" label, .run = run_panels,                     \
     .type = DTYPE_##dtype_name, .N = 16384,                         \
     .bytes = (size_t)16384 * (row_bytes)}

static const bench_case cases[] = {
    PANELS("f32", F32, K_WIDTH * 4),
    PANELS("bf16", BF16, K_WIDTH * 2),
    PANELS("q8_0", Q8_0, K_WIDTH / 32 * 34),
    {.name = "nearest", .run = run_nearest, .N = 2048 * 32, .K = 256,
     .bytes = (size_t)2048 * 32 * 256 * 4},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
