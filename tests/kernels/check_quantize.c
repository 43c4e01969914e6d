/* check_quantize.c: floats to Q8_0 blocks: the reference against worked
 * examples, all levels against the reference, byte for byte. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "cpu/blocks.h"

#define BLOCK_BYTES 34

static void compare_column(kernel_column *kernel, kernel_column *ref,
                           const void *x, size_t bytes, size_t n,
                           const char *what)
{
    unsigned char *got =
        array(bytes / 4, 4, (place)random_below(PLACE_COUNT));
    unsigned char *want = array(bytes / 4, 4, PLACE_END);
    kernel(got, x, n);
    ref(want, x, n);
    for (size_t i = 0; i < bytes; i++)
        if (got[i] != want[i]) {
            fail("%s: byte %zu of a column: got %d, expected %d", what, i,
                 got[i], want[i]);
            break;
        }
}

static void compare(const kernel_table *table, const float *x, size_t n,
                    const char *what)
{
    size_t bytes = n / 32 * BLOCK_BYTES;
    unsigned char *got =
        array(bytes / 2, 2, (place)random_below(PLACE_COUNT));
    unsigned char *want = array(bytes / 2, 2, PLACE_END);
    table->quantize_q8_0(got, x, n);
    kernels_for(CPU_REF)->quantize_q8_0(want, x, n);
    for (size_t i = 0; i < bytes; i++)
        if (got[i] != want[i]) {
            fail("%s: block %zu, byte %zu: got %d, expected %d", what,
                 i / BLOCK_BYTES, i % BLOCK_BYTES, got[i], want[i]);
            break;
        }
    compare_column(table->column_q8_0, kernels_for(CPU_REF)->column_q8_0, want,
                   n / 32 * COLUMN_32_BYTES, n, what);
    n -= n % 256;
    compare_column(table->column_k_paired,
                   kernels_for(CPU_REF)->column_k_paired, x,
                   n / 256 * COLUMN_K_BYTES, n, what);
    compare_column(table->column_k_straight,
                   kernels_for(CPU_REF)->column_k_straight, x,
                   n / 256 * COLUMN_K_BYTES, n, what);
}

/* With a maximum of 127 the scale is 1, so values are their own quants. */
static void by_hand(const kernel_table *table)
{
    static const struct {
        float x;
        int q;
    } cases[] = {
        {127, 127},  {-127, -127}, {0.5f, 1},       {-0.5f, -1},
        {1.5f, 2},   {-2.5f, -3},  {0.49999997f, 0}, {-0.49999997f, 0},
        {126.5f, 127}, {-126.5f, -127}, {126.49999f, 126}, {0, 0},
        {NAN, 0},    {1e-40f, 0},
    };
    enum { N = sizeof cases / sizeof *cases };
    float *x = array(32, sizeof *x, PLACE_END);
    memset(x, 0, 32 * sizeof *x);
    for (int i = 0; i < N; i++)
        x[i] = cases[i].x;
    unsigned char block[BLOCK_BYTES];
    table->quantize_q8_0(block, x, 32);
    expect_near(block[0] + 256 * block[1], 0x3c00, 0, "scale", 0);
    for (int i = 0; i < N; i++)
        expect_near((signed char)block[2 + i], cases[i].q, 0, "quant",
                    (size_t)i);
}

/* Around every half up to 127 the neighbouring floats. */
static void halves(const kernel_table *table)
{
    enum { N = 32 * 16 };
    float *x = array(N, sizeof *x, PLACE_END);
    for (int half = -253; half <= 253; half += 2) {
        float v = (float)half / 2, low = v, high = v;
        for (int i = 0; i < N; i += 2) {
            x[i] = low = nextafterf(low, -200);
            x[i + 1] = high = nextafterf(high, 200);
        }
        for (int b = 0; b < N; b += 32)
            x[b] = 127;
        compare(table, x, N, "halves");
        arrays_clear();
        x = array(N, sizeof *x, PLACE_END);
    }
}

static void special(const kernel_table *table)
{
    static const float values[] = {
        INFINITY, -INFINITY, NAN,   3.4e38f, -3.4e38f, 1e-38f,
        1e-45f,   1e-37f,    3e-37f, 0,       -0.0f,    7e6f,
    };
    enum { N = sizeof values / sizeof *values };
    for (int i = 0; i < 4 * N; i++) {
        float scale = i < 2 * N ? 1 : 1e-38f;
        float *x = random_floats(32, scale, PLACE_END);
        x[random_below(32)] = values[i % N];
        if (i >= N)
            x[random_below(32)] = values[random_below(N)];
        compare(table, x, 32, "special");
    }
    float *x = array(32, sizeof *x, PLACE_END);
    for (int i = 0; i < 32; i++)
        x[i] = NAN;
    compare(table, x, 32, "all NaN");
    arrays_clear();
}

static void check_quantize(const kernel_table *table, dtype type)
{
    (void)type;
    by_hand(table);
    halves(table);
    special(table);
    for (size_t blocks = 0; blocks <= 220; blocks = blocks * 2 + 1) {
        float scale = ldexpf(1, (int)random_below(40) - 30);
        compare(table,
                random_floats(32 * blocks, scale,
                              (place)random_below(PLACE_COUNT)),
                32 * blocks, "random");
        arrays_clear();
    }
}

const check checks_quantize[] = {
    {"quantize_q8_0", check_quantize, DTYPE_COUNT},
    {NULL, NULL, DTYPE_COUNT},
};
