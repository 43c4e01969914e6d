/* check_linear.c: the matrix products, of every weight type.
 *
 * Against the reference (and the reference against sums in double); then,
 * within one level, to the bit: any number of columns, any cut of the rows,
 * any alignment gives what the whole call gave. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "cpu/blocks.h"
#include "cpu/kernel_list.h"

/* Whole tiles of every kernel, and a rest. */
#define ROWS    21
#define COLUMNS KERNEL_COLUMNS

/* One product and its result at the level under test. */
typedef struct product {
    kernel_linear *kernel;
    dtype type;
    size_t K, row_bytes;
    unsigned char *w;
    const void *x[COLUMNS];
    float *bias, *y[COLUMNS];
} product;

static void call(const product *p, float *const *y, int first, int columns,
                 size_t row0, size_t row1)
{
    p->kernel(y, p->x + first, columns, p->w, p->row_bytes, p->K, p->bias,
              row0, row1);
}

/* Columns first … first + columns - 1 of rows row0 … row1 - 1, alone. */
static void check_part(const product *p, int first, int columns, size_t row0,
                       size_t row1)
{
    char what[96];
    float *y[COLUMNS] = {NULL};
    for (int c = 0; c < columns; c++)
        y[c] = array(ROWS, sizeof *y[c], (place)random_below(PLACE_COUNT));
    call(p, y, first, columns, row0, row1);
    snprintf(what, sizeof what, "K %zu, columns %d+%d, rows %zu-%zu", p->K,
             first, columns, row0, row1);
    for (int c = 0; c < columns; c++) {
        expect_same(y[c] + row0, p->y[first + c] + row0, row1 - row0, what);
        if (!array_untouched(y[c], row0 * sizeof *y[c]) ||
            !array_untouched(y[c] + row1, (ROWS - row1) * sizeof *y[c]))
            fail("%s: wrote outside the rows", what);
    }
}

static void check_parts(const product *p)
{
    for (int c = 0; c < COLUMNS; c++)
        check_part(p, c, 1, 0, ROWS);
    for (int columns = 2; columns < COLUMNS; columns++)
        check_part(p, (int)random_below(COLUMNS - columns + 1), columns, 0,
                   ROWS);
    for (int i = 0; i < 6; i++) {
        size_t row0 = random_below(ROWS + 1);
        size_t row1 = row0 + random_below(ROWS - row0 + 1);
        int columns = 1 + (int)random_below(COLUMNS);
        check_part(p, (int)random_below(COLUMNS - columns + 1), columns,
                   row0, row1);
    }
}

/* Σ w x and Σ |w x| in double. */
static double exact(const float *w, const float *x, size_t K, double *size)
{
    double sum = 0;
    *size = 0;
    for (size_t i = 0; i < K; i++) {
        sum += (double)w[i] * x[i];
        *size += fabs((double)w[i] * x[i]);
    }
    return sum;
}

/* The reference against double, other levels against the reference. */
static void check_values(const product *p, bool is_ref)
{
    char what[64];
    float ref[ROWS], *ref_y[1] = {ref};
    float *w = array(p->K, sizeof *w, PLACE_END);
    product q = *p;
    q.kernel = kernels_for(CPU_REF)->linear[p->type];
    for (int c = 0; c < COLUMNS; c++) {
        snprintf(what, sizeof what, "K %zu, column %d, row", p->K, c);
        call(&q, ref_y, c, 1, 0, ROWS);
        for (size_t r = 0; r < ROWS; r++) {
            double size, sum;
            kernels_for(CPU_REF)->to_f32[p->type](w, p->w + r * p->row_bytes,
                                                  p->K);
            sum = exact(w, p->x[c], p->K, &size);
            if (p->bias) {
                sum += p->bias[r];
                size += fabsf(p->bias[r]);
            }
            expect_near(p->y[c][r], is_ref ? sum : ref[r],
                        size * KERNEL_LINEAR_TOLERANCE, what, r);
        }
    }
}

static void linear_case(const kernel_table *table, dtype type, size_t K,
                        float scale)
{
    const dtype_traits *info = dtype_info(type);
    size_t element = type == DTYPE_F32 ? 4 : 2;
    product p = {.kernel = table->linear[type], .type = type, .K = K};
    p.row_bytes = K / info->block * info->bytes;
    p.row_bytes += random_below(2) * random_below(20) * element;
    p.w = random_weights(type, ROWS, K, p.row_bytes,
                         (place)random_below(PLACE_COUNT));
    for (int c = 0; c < COLUMNS; c++) {
        p.x[c] = random_floats(K, scale, (place)random_below(PLACE_COUNT));
        p.y[c] = array(ROWS, sizeof(float), PLACE_END);
    }
    if (random_below(2))
        p.bias = random_floats(ROWS, scale,
                               (place)random_below(PLACE_COUNT));
    call(&p, p.y, 0, COLUMNS, 0, ROWS);
    check_values(&p, table->level == CPU_REF);
    check_parts(&p);
    arrays_clear();
}

/* One infinity, NaN or huge value among the activations reaches exactly the
 * outputs of its column, as in the reference. */
static void special_case(const kernel_table *table, dtype type, size_t K,
                         float value)
{
    const dtype_traits *info = dtype_info(type);
    size_t row_bytes = K / info->block * info->bytes;
    void *w = random_weights(type, ROWS, K, row_bytes, PLACE_END);
    float got[2][ROWS], want[2][ROWS];
    float *got_y[2] = {got[0], got[1]}, *want_y[2] = {want[0], want[1]};
    float *x = random_floats(K, 1, PLACE_END);
    float *clean = random_floats(K, 1, PLACE_END);
    const void *columns[2] = {x, clean};
    x[random_below(K)] = value;
    table->linear[type](got_y, columns, 2, w, row_bytes, K, NULL, 0, ROWS);
    kernels_for(CPU_REF)->linear[type](want_y, columns, 2, w, row_bytes, K,
                                       NULL, 0, ROWS);
    for (size_t r = 0; r < ROWS; r++) {
        double most = isfinite(value) ? fabsf(value) * 1e-4 : 0;
        expect_near(got[0][r], want[0][r], most, "special", r);
        expect_near(got[1][r], want[1][r], 1e-2, "its neighbour", r);
    }
    arrays_clear();
}

static void check_linear(const kernel_table *table, dtype type)
{
    size_t block = dtype_info(type)->block;
    linear_case(table, type, 0, 1);
    for (size_t i = 0; i < any_lengths_count; i++)
        if (block == 1)
            linear_case(table, type, any_lengths[i], 1);
    for (size_t n = 1; n <= 9; n++)
        linear_case(table, type, n * block, 1);
    linear_case(table, type, (2816 + block - 1) / block * block, 1);
    linear_case(table, type, 4096, 1);
    linear_case(table, type, 11264, 1e30f);
    linear_case(table, type, 512, 1e-30f);
    for (size_t n = 1; n <= 3; n++) {
        special_case(table, type, n * block, INFINITY);
        special_case(table, type, n * block, -INFINITY);
        special_case(table, type, n * block, NAN);
        special_case(table, type, n * block, 1e30f);
    }
}

/* --- 8-bit activations: all levels have the reference's bits --- */

static size_t column_bytes(dtype type, size_t K)
{
    return type == DTYPE_Q8_0 || type == DTYPE_Q4_0
               ? K / SUB_BLOCK * COLUMN_32_BYTES
               : K / SUPER_BLOCK * COLUMN_K_BYTES;
}

/* A column from floats, as the backend makes it. */
static void *make_column(const kernel_table *table, dtype type,
                         const float *x, size_t K)
{
    char *column = array(column_bytes(type, K) / 4, 4,
                         (place)random_below(PLACE_COUNT));
    if (type == DTYPE_Q8_0 || type == DTYPE_Q4_0) {
        void *blocks = array(K / 32 * 17, 2, PLACE_END);
        table->quantize_q8_0(blocks, x, K);
        table->column_q8_0(column, blocks, K);
    } else if (type == DTYPE_Q6_K) {
        table->column_k_straight(column, x, K);
    } else {
        table->column_k_paired(column, x, K);
    }
    return column;
}

/* Floats whose quants are all at an end of the range. */
static float *extreme_floats(size_t K, int c)
{
    float *x = array(K, sizeof *x, PLACE_END);
    for (size_t i = 0; i < K; i++)
        x[i] = c == 0 ? 1 : c == 1 ? -1 : random_below(2) ? 1.0f : -1.0f;
    return x;
}

static void int8_case(const kernel_table *table, dtype type, size_t K,
                      bool extreme)
{
    const dtype_traits *info = dtype_info(type);
    product p = {.kernel = table->linear_int8[type], .type = type, .K = K};
    p.row_bytes = K / info->block * info->bytes + random_below(2) * 6;
    p.w = random_weights(type, ROWS, K, p.row_bytes,
                         (place)random_below(PLACE_COUNT));
    for (int c = 0; c < COLUMNS; c++) {
        const float *x = extreme ? extreme_floats(K, c)
                                 : random_floats(K, 1, PLACE_END);
        p.x[c] = make_column(table, type, x, K);
        p.y[c] = array(ROWS, sizeof(float), PLACE_END);
    }
    /* Quants at the ends of their range; scales stay as they are. */
    if (extreme && type == DTYPE_Q8_0)
        for (size_t r = 0; r < ROWS; r++)
            for (size_t b = 0; b < K / 32; b++)
                memset(p.w + r * p.row_bytes + 34 * b + 2,
                       (r + b) % 2 ? 127 : 128, 32);
    if (extreme && type == DTYPE_Q6_K) /* scales included */
        for (size_t r = 0; r < ROWS; r++)
            for (size_t b = 0; b < K / 256; b++)
                memset(p.w + r * p.row_bytes + 210 * b,
                       r % 2 ? 0xff : 0x80, Q6_K_D);
    if (extreme && (type == DTYPE_Q4_K || type == DTYPE_Q5_K))
        for (size_t r = 0; r < ROWS; r++)
            for (size_t b = 0; b < K / 256; b++)
                memset(p.w + r * p.row_bytes + info->bytes * b + 4, 0xff,
                       info->bytes - 4);
    if (random_below(2))
        p.bias = random_floats(ROWS, 1, PLACE_END);
    call(&p, p.y, 0, COLUMNS, 0, ROWS);
    product q = p;
    q.kernel = kernels_for(CPU_REF)->linear_int8[type];
    for (int c = 0; c < COLUMNS; c++) {
        float *ref_y[1] = {array(ROWS, sizeof(float), PLACE_END)};
        call(&q, ref_y, c, 1, 0, ROWS);
        expect_same(p.y[c], ref_y[0], ROWS, "int8");
    }
    check_parts(&p);
    arrays_clear();
}

/* The columns are what was quantised, and the products what these give: near
 * the exact sum of dequantised weights and floats, by the rounding of 1/127 of
 * the largest in each block. */
static void int8_meaning(const kernel_table *table, dtype type, size_t K)
{
    const dtype_traits *info = dtype_info(type);
    size_t row_bytes = K / info->block * info->bytes;
    void *w = random_weights(type, ROWS, K, row_bytes, PLACE_END);
    float *x = random_floats(K, 1, PLACE_END);
    float *wide = array(K, sizeof *wide, PLACE_END);
    float got[ROWS], *y[1] = {got};
    const void *columns[1] = {make_column(table, type, x, K)};
    table->linear_int8[type](y, columns, 1, w, row_bytes, K, NULL, 0, ROWS);
    for (size_t r = 0; r < ROWS; r++) {
        double power = 0, size;
        kernels_for(CPU_REF)->to_f32[type](
            wide, (const char *)w + r * row_bytes, K);
        for (size_t i = 0; i < K; i++)
            power += (double)wide[i] * wide[i];
        /* Rounding errors are even within ± d/2: six deviations. */
        double bound = 6 * sqrt(power) * (1.0 / 127) / sqrt(12);
        expect_near(got[r], exact(wide, x, K, &size), bound, "meaning", r);
    }
    arrays_clear();
}

/* Two blocks by hand: Σ 1·2·32 · 0.5 · 0.25 + Σ (-3)·4·32 · 2 · 1. */
static void q8_0_by_hand(const kernel_table *table)
{
    unsigned char w[68], x[68], column[2 * COLUMN_32_BYTES];
    float result, *y[1] = {&result}, bias = 0.5f;
    const void *columns[1] = {column};
    static const unsigned char halves[4][2] = {
        {0x00, 0x38}, {0x00, 0x34}, {0x00, 0x40}, {0x00, 0x3c}};
    memset(w, 1, 34);
    memset(x, 2, 34);
    memset(w + 34, -3, 34);
    memset(x + 34, 4, 34);
    memcpy(w, halves[0], 2);
    memcpy(x, halves[1], 2);
    memcpy(w + 34, halves[2], 2);
    memcpy(x + 34, halves[3], 2);
    table->column_q8_0(column, x, 64);
    table->linear_int8[DTYPE_Q8_0](y, columns, 1, w, 68, 64, &bias, 0, 1);
    expect_near(result, 8 - 768 + 0.5, 0, "by hand", 0);
}

static void check_linear_int8(const kernel_table *table, dtype type)
{
    size_t block = dtype_info(type)->block;
    if (type == DTYPE_Q8_0)
        q8_0_by_hand(table);
    for (size_t n = 0; n <= 9; n++)
        int8_case(table, type, block * n, n % 2);
    int8_case(table, type, 2816, false);
    int8_case(table, type, 4096, false);
    int8_case(table, type, 11264, true);
    int8_meaning(table, type, 256);
    int8_meaning(table, type, 4096);
}

const check checks_linear[] = {
    {"linear_f32", check_linear, DTYPE_F32},
    {"linear_f16", check_linear, DTYPE_F16},
    {"linear_bf16", check_linear, DTYPE_BF16},
    {"linear_q8_0", check_linear, DTYPE_Q8_0},
    {"linear_q4_0", check_linear, DTYPE_Q4_0},
    {"linear_q4_k", check_linear, DTYPE_Q4_K},
    {"linear_q5_k", check_linear, DTYPE_Q5_K},
    {"linear_q6_k", check_linear, DTYPE_Q6_K},
    {"linear_int8_q8_0", check_linear_int8, DTYPE_Q8_0},
    {"linear_int8_q4_0", check_linear_int8, DTYPE_Q4_0},
    {"linear_int8_q4_k", check_linear_int8, DTYPE_Q4_K},
    {"linear_int8_q5_k", check_linear_int8, DTYPE_Q5_K},
    {"linear_int8_q6_k", check_linear_int8, DTYPE_Q6_K},
    {NULL, NULL, DTYPE_COUNT},
};
