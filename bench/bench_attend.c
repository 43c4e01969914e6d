/* bench_attend.c: one head of attention over keys and values that fill the
 * memory of many heads, one after the other: each is read once. */
#include "bench.h"

#define HEAD_DIM 128
#define KEYS     3000

static void run(const bench_case *c, const kernel_table *t,
                const bench_arrays *a)
{
    const kernel_run keys[2] = {{0, KEYS}, {0, 0}};
    size_t row_bytes = 0;
    dtype_row_bytes(c->type, HEAD_DIM, &row_bytes);
    for (size_t head = 0; head < c->N; head++) {
        const unsigned char *k = a->weights + head * 2 * KEYS * row_bytes;
        t->attend[c->type](a->y, a->x, k, k + KEYS * row_bytes, row_bytes,
                           keys, HEAD_DIM, 0.1f, a->y + HEAD_DIM);
    }
}

#define HEADS(row_bytes) (BENCH_WEIGHT_BYTES / (2 * KEYS * (row_bytes)))
#define CASE(label, dtype_name, row_bytes)                        \
    {.name = label, .run = run, .type = DTYPE_##dtype_name,       \
     .bytes = HEADS(row_bytes) * 2 * KEYS * (row_bytes),          \
     .N = HEADS(row_bytes)}

static const bench_case cases[] = {
    CASE("attend_f32", F32, HEAD_DIM * 4),
    CASE("attend_f16", F16, HEAD_DIM * 2),
    CASE("attend_q8_0", Q8_0, HEAD_DIM / 32 * 34),
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
