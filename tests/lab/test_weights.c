/* Goal: what weight_scan says of a tensor, for every kind of fault, and that
 * it says nothing of rows that only differ as trained ones do. Method: tensors
 * built by hand; scales drawn from laws with short and with long tails. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lab/known_files.h"
#include "lab/weight_scan.h"

#define ROWS  70
#define WIDTH 4100 /* more than one piece */

static float values[ROWS * WIDTH];
static uint32_t state;

static double uniform(void)
{
    state = state * 1664525u + 1013904223u;
    return ((state >> 8) + 0.5) / (1 << 24);
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307 * uniform());
}

static void fill(void)
{
    state = 7;
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        values[i] = (float)normal();
}

static weight_scan scan(size_t rows)
{
    pool *threads = NULL;
    weight_scan s;
    checkpoint_tensor t = {.name = "x", .type = DTYPE_F32, .n_dims = 2,
                           .dims = {rows, WIDTH}, .data = values,
                           .n_bytes = rows * WIDTH * sizeof *values};
    assert_int_equal(pool_open(&threads, 3, NULL), MOSHI_OK);
    assert_int_equal(weight_scan_tensor(&s, &t, threads, NULL), MOSHI_OK);
    pool_close(&threads);
    return s;
}

static void healthy(void **unused)
{
    (void)unused;
    fill();
    weight_scan s = scan(ROWS);
    assert_int_equal(s.rows, ROWS);
    assert_int_equal(s.not_finite, 0);
    assert_false(s.all_zero || s.constant || s.has_outlier);
    assert_true(fabs(s.rms - 1) < 0.01);
}

static void not_finite(void **unused)
{
    (void)unused;
    fill();
    values[3 * WIDTH + 4099] = NAN;
    values[60 * WIDTH] = -INFINITY;
    weight_scan s = scan(ROWS);
    assert_int_equal(s.not_finite, 2);
    assert_int_equal(s.first_bad_row, 3);
    assert_true(isfinite(s.rms));
}

static void dead(void **unused)
{
    (void)unused;
    memset(values, 0, sizeof values);
    weight_scan s = scan(ROWS);
    assert_true(s.all_zero && s.constant && !s.has_outlier);
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        values[i] = 0.5f;
    s = scan(ROWS);
    assert_true(!s.all_zero && s.constant);
    values[ROWS * WIDTH - 1] = 0.25f;
    s = scan(ROWS);
    assert_false(s.constant);
}

static void outlier(void **unused)
{
    (void)unused;
    fill();
    for (size_t i = 0; i < WIDTH; i++)
        values[33 * WIDTH + i] *= 30;
    weight_scan s = scan(ROWS);
    assert_true(s.has_outlier);
    assert_int_equal(s.outlier, 33);
    assert_true(fabs(s.outlier_ratio - 30) < 2);
}

static void other_types(void **unused)
{
    (void)unused;
    pool *threads = NULL;
    weight_scan s;
    int32_t numbers[4] = {0};
    checkpoint_tensor t = {.name = "x", .type = DTYPE_I32, .n_dims = 1,
                           .dims = {4}, .data = numbers,
                           .n_bytes = sizeof numbers};
    assert_int_equal(pool_open(&threads, 1, NULL), MOSHI_OK);
    assert_int_equal(weight_scan_tensor(&s, &t, threads, NULL), MOSHI_OK);
    assert_int_equal(s.rows, 0);
    pool_close(&threads);
}

/* Rows of trained models: some are several times as large as the middle one,
 * but not a single one, far from all others. */
static void long_tails(void **unused)
{
    (void)unused;
    float rms[512];
    double ratio;
    moshi_status status;
    int false_alarms = 0, caught = 0;
    state = 99;
    for (int trial = 0; trial < 400; trial++) {
        double spread = 0.1 + 0.0015 * trial; /* of the logarithm */
        for (int i = 0; i < 512; i++)
            rms[i] = (float)exp(spread * normal());
        false_alarms += weight_scan_outlier(rms, 512, &ratio, &status) < 512;
        rms[100] = 30;
        caught += spread < 0.4 &&
                  weight_scan_outlier(rms, 512, &ratio, &status) == 100;
    }
    assert_int_equal(false_alarms, 0);
    assert_int_equal(caught, 200);
}

static void published(void **unused)
{
    (void)unused;
    const char *mimi =
        "09b782f0629851a271227fb9d36db65c041790365f11bbe5d3d59369cf863f50";
    const known_file *f = known_files_by_hash(mimi);
    assert_non_null(f);
    assert_string_equal(f->of, "the Mimi codec");
    assert_ptr_equal(known_files_claimed("mimi-pytorch-e351c8d8@125."
                                         "safetensors", 1)->sha256, f->sha256);
    assert_null(known_files_claimed("model.safetensors", 1));
    assert_string_equal(known_files_claimed("model.safetensors", 5234275128)
                            ->of, "kyutai/stt-2.6b-en");
    assert_null(known_files_by_hash("0000000000000000000000000000000000000000"
                                    "000000000000000000000000"));
    /* Only the first digits of this one are recorded. */
    assert_non_null(known_files_by_hash("c22110fb0000000000000000000000000000"
                                        "0000000000000000000000000000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(healthy),     cmocka_unit_test(not_finite),
        cmocka_unit_test(dead),        cmocka_unit_test(outlier),
        cmocka_unit_test(other_types), cmocka_unit_test(long_tails),
        cmocka_unit_test(published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
