/* test_lab_diff.c: how two traces are aligned and judged.
 *
 * Goal: names, frames and shapes are matched as diff.h says, the first
 * difference in time is found, numbers that are none are told from numbers,
 * the default tolerance fits the manifests, and files that are no traces are
 * refused. Method: traces written by hand, a few numbers each. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/diff.h"
#include "traces.h"

static trace_maker a, b;
static unsigned char *blocks[2];

/* Ends the traces and compares them. */
static moshi_status compare(diff **out, double tolerance, moshi_error *err)
{
    trace_file files[2] = {0};
    const trace_maker *makers[2] = {&a, &b};
    for (int i = 0; i < 2; i++) {
        size_t n;
        free(blocks[i]);
        blocks[i] = trace_bytes(makers[i], &n);
        if (trace_file_open_memory(&files[i], blocks[i], n, i ? "b" : "a",
                                   err))
            fail_msg("%s", err->message);
    }
    return diff_of_traces(out, &files[0], &files[1], tolerance, err);
}

static diff *compared(double tolerance)
{
    diff *d = NULL;
    moshi_error err = {0};
    if (compare(&d, tolerance, &err))
        fail_msg("%s", err.message);
    return d;
}

static void begin(const char *notes_a, const char *notes_b)
{
    trace_begin(&a, notes_a);
    trace_begin(&b, notes_b);
}

static void add_floats(trace_maker *m, const char *name, const char *shape,
                       const float *x, size_t n)
{
    trace_add(m, name, "F32", shape, x, n * sizeof *x);
}

static void add_ints(trace_maker *m, const char *name, const char *shape,
                     const int32_t *x, size_t n)
{
    trace_add(m, name, "I32", shape, x, n * sizeof *x);
}

static void first_in_time(void **state)
{
    (void)state;
    const float zeros[6] = {1, 1, 1, 1, 1, 1};
    const float late[6] = {1, 1, 1, 1, 2, 1}, early[6] = {1, 1, 1, 3, 1, 1};
    begin(NULL, NULL);
    /* Order by the plan: late, early, both; in time: both before late. */
    add_floats(&a, "op.late", "[3,1,2]", zeros, 6);
    add_floats(&a, "op.early", "[3,1,2]", zeros, 6);
    add_floats(&a, "op.also", "[3,1,2]", zeros, 6);
    add_floats(&b, "op.also", "[3,1,2]", early, 6);
    add_floats(&b, "op.early", "[3,1,2]", early, 6);
    add_floats(&b, "op.late", "[3,1,2]", late, 6);
    diff *d = compared(-1);
    assert_false(d->equal);
    assert_int_equal(d->n_ops, 3);
    assert_string_equal(d->ops[0].name, "op.late");
    assert_int_equal(d->ops[0].first_frame, 2);
    assert_string_equal(d->first->name, "op.early");
    assert_int_equal(d->first->first_frame, 1);
    assert_true(fabs(d->first_error - 2.0 / 3) < 1e-12);
    assert_true(d->ops[1].columns[0] == 0);
    assert_true(d->ops[1].columns[2] > 0.6f); /* frame 1 of 3, in 6 columns */
    diff_close(&d);
}

static void tolerance_is_of_the_peak(void **state)
{
    (void)state;
    const float x[4] = {100, 1, 1, 1}, y[4] = {100, 1, 1.5f, 1};
    begin(NULL, NULL);
    add_floats(&a, "op", "[2,2]", x, 4);
    add_floats(&b, "op", "[2,2]", y, 4);
    diff *d = compared(0.005);
    assert_true(d->equal);
    assert_false(d->identical);
    assert_true(fabs(d->ops[0].max_error - 0.005) < 1e-12);
    assert_int_equal(d->ops[0].frame, 1);
    diff_close(&d);
    d = compared(0.0049);
    assert_false(d->equal);
    assert_string_equal(d->tolerance_reason, "as given");
    diff_close(&d);
}

static void frames_by_number(void **state)
{
    (void)state;
    const int32_t na[4] = {2, 3, 5, 8}, nb[3] = {3, 4, 8};
    const float x[4] = {0, 7, 0, 9}, y[3] = {7, 1, 9};
    begin(NULL, NULL);
    add_ints(&a, "frames", "[4]", na, 4);
    add_floats(&a, "op", "[4,1,1]", x, 4);
    add_ints(&b, "frames", "[3]", nb, 3);
    add_floats(&b, "op", "[3,1,1]", y, 3);
    diff *d = compared(-1);
    assert_true(d->equal);
    assert_false(d->identical); /* there is more in each */
    assert_int_equal(d->frames, 2);
    assert_int_equal(d->frame_first, 3);
    assert_int_equal(d->frame_last, 8);
    diff_close(&d);
}

static void names(void **state)
{
    (void)state;
    const float x[2] = {1, 2};
    moshi_error err = {0};
    diff *d = NULL;
    begin(NULL, NULL);
    add_floats(&a, "only.a", "[2,1]", x, 2);
    add_floats(&a, "both", "[2,1]", x, 2);
    add_floats(&b, "both", "[2,1]", x, 2);
    add_floats(&b, "only.b", "[2,1]", x, 2);
    add_floats(&b, "only.b2", "[2,1]", x, 2);
    d = compared(-1);
    assert_true(d->equal);
    assert_false(d->identical);
    assert_int_equal(d->only_a, 1);
    assert_string_equal(d->only_a_name, "only.a");
    assert_int_equal(d->only_b, 2);
    assert_string_equal(d->only_b_name, "only.b");
    diff_close(&d);

    begin(NULL, NULL);
    add_floats(&a, "this", "[2,1]", x, 2);
    add_floats(&b, "that", "[2,1]", x, 2);
    assert_int_equal(compare(&d, -1, &err), MOSHI_MISMATCH);
    assert_string_equal(err.message, "no operation is in both traces: a has "
                        "this, b has that");

    const int32_t zero = 0, one = 1;
    begin(NULL, NULL);
    add_ints(&a, "frames", "[1]", &zero, 1);
    add_floats(&a, "op", "[1,2]", x, 2);
    add_ints(&b, "frames", "[1]", &one, 1);
    add_floats(&b, "op", "[1,2]", x, 2);
    assert_int_equal(compare(&d, -1, &err), MOSHI_MISMATCH);
    assert_non_null(strstr(err.message, "no frame is in both traces"));
}

static void shapes(void **state)
{
    (void)state;
    const float x[6] = {1, 2, 3, 4, 5, 6};
    const uint16_t halves[6] = {0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0};
    begin(NULL, NULL);
    add_floats(&a, "units", "[2,1,3]", x, 6); /* axes of one do not count */
    add_floats(&b, "units", "[2,3,1,1]", x, 6);
    trace_add(&a, "types", "BF16", "[2,3]", halves, sizeof halves);
    add_floats(&b, "types", "[2,3]", x, 6);
    diff *d = compared(-1);
    assert_true(d->equal);
    assert_int_equal(d->n_ops, 2);
    assert_true(d->ops[0].max_error == 0 && d->ops[1].max_error == 0);
    diff_close(&d);

    begin(NULL, NULL);
    add_floats(&a, "turned", "[1,3,2]", x, 6);
    add_floats(&b, "turned", "[1,2,3]", x, 6);
    d = compared(-1);
    assert_false(d->equal);
    assert_true(d->ops[0].shapes_differ);
    assert_ptr_equal(d->first, &d->ops[0]);
    assert_true(isinf(d->first_error));
    diff_close(&d);
}

static void no_numbers(void **state)
{
    (void)state;
    const float bad[3] = {1, NAN, INFINITY}, good[3] = {1, 2, INFINITY};
    const float zero[3] = {0}, tiny[3] = {0, 1e-30f, 0};
    begin(NULL, NULL);
    add_floats(&a, "same", "[1,3]", bad, 3);
    add_floats(&b, "same", "[1,3]", bad, 3);
    add_floats(&a, "other", "[1,3]", bad, 3);
    add_floats(&b, "other", "[1,3]", good, 3);
    add_floats(&a, "nothing", "[1,3]", zero, 3);
    add_floats(&b, "nothing", "[1,3]", tiny, 3);
    diff *d = compared(-1);
    assert_true(d->ops[0].identical);
    assert_int_equal(d->ops[0].not_finite_a, 2);
    assert_int_equal(d->ops[0].not_finite_b, 2);
    assert_true(isinf(d->ops[1].max_error));
    assert_int_equal(d->ops[1].not_finite_b, 1);
    assert_string_equal(d->first->name, "other");
    assert_true(d->ops[2].max_error == 1);
    diff_close(&d);
}

static void whole_numbers(void **state)
{
    (void)state;
    const int32_t x[3] = {5, 6, 7}, y[3] = {5, 2000, 7};
    const int64_t wide[3] = {5, 6, 7};
    begin(NULL, NULL);
    add_ints(&a, "codes", "[3,1,1]", x, 3);
    add_ints(&b, "codes", "[3,1,1]", y, 3);
    add_ints(&a, "wide", "[3,1,1]", x, 3);
    trace_add(&b, "wide", "I64", "[3,1,1]", wide, sizeof wide);
    diff *d = compared(0.5);
    assert_true(d->ops[0].max_error == 1);
    assert_int_equal(d->ops[0].first_frame, 1);
    assert_true(d->ops[1].max_error == 0);
    diff_close(&d);
}

static void add_tokens(trace_maker *m, const int32_t *text,
                       const int32_t *audio, const int32_t *likeliest,
                       const float *margins)
{
    const float x[2] = {1, 1};
    add_floats(m, "op", "[2,1]", x, 2);
    add_ints(m, "text_tokens", "[2]", text, 2);
    add_ints(m, "audio_tokens", "[1,2]", audio, 2);
    add_ints(m, "likeliest", "[2,2]", likeliest, 4);
    add_floats(m, "margins", "[2,2]", margins, 4);
}

static void tokens(void **state)
{
    (void)state;
    const int32_t text[2] = {3, 4}, audio[2] = {8, 9}, other[2] = {8, 1};
    const int32_t best[4] = {3, 4, 8, 9}, best_b[4] = {3, 5, 8, 9};
    const float margins[4] = {0.5f, 0.25f, 1, 2}, margins_b[4] = {1, 2, 3, 4};
    begin(NULL, NULL);
    add_tokens(&a, text, audio, best, margins);
    add_tokens(&b, text, other, best_b, margins_b);
    diff *d = compared(-1);
    assert_false(d->equal);
    assert_null(d->first); /* no operation: only the tokens */
    assert_int_equal(d->tokens.compared, 4);
    assert_int_equal(d->tokens.different, 1);
    assert_int_equal(d->tokens.first.table, TRACE_AUDIO_TOKENS);
    assert_int_equal(d->tokens.first.frame, 1);
    assert_int_equal(d->tokens.first.b, 1);
    assert_true(d->tokens.first.margin_a == 2);
    assert_true(d->tokens.first.margin_b == 4);
    assert_true(d->tokens.margin_min == 0.25);
    diff_close(&d);

    /* Forced: what it would have chosen counts, and is no verdict. */
    begin(NULL, "{\"produced\":\"forced\"}");
    add_tokens(&a, text, audio, best, margins);
    add_tokens(&b, text, audio, best_b, margins_b);
    d = compared(-1);
    assert_true(d->equal);
    assert_false(d->identical);
    assert_int_equal(d->tokens.different, 1);
    assert_int_equal(d->tokens.first.table, TRACE_LIKELIEST);
    assert_int_equal(d->tokens.first.row, 0);
    diff_close(&d);

    begin(NULL, NULL);
    add_tokens(&a, text, audio, best, margins);
    add_tokens(&b, text, audio, best, margins);
    d = compared(-1);
    assert_true(d->identical);
    diff_close(&d);
}

static void default_tolerance(void **state)
{
    (void)state;
    const struct { const char *a, *b; double tolerance; } cases[] = {
        {"{}", "{}", DIFF_TOLERANCE},
        {"{\"weights\":\"F32\"}", "{}", DIFF_TOLERANCE},
        {"{\"weights\":\"F32\"}", "{\"weights\":\"F32,Q8_0\"}", DIFF_TOLERANCE_LOOSE},
        {"{\"backend\":\"cpu\"}", "{\"backend\":\"vulkan\"}", DIFF_TOLERANCE_LOOSE},
        {"{\"isa\":\"ref\"}", "{\"isa\":\"avx2\"}", DIFF_TOLERANCE},
        {"{\"isa\":\"ref\",\"activations\":\"q8_0\"}",
         "{\"isa\":\"avx2\",\"activations\":\"q8_0\"}", DIFF_TOLERANCE_LOOSE},
        {"{\"isa\":\"ref\",\"activations\":\"q8_0\"}",
         "{\"isa\":\"ref\",\"activations\":\"exact\"}", DIFF_TOLERANCE_LOOSE},
        {"{\"kv\":\"f16\"}", "{\"kv\":\"f16\"}", DIFF_TOLERANCE},
        {"{\"kv\":\"f16\"}", "{}", DIFF_TOLERANCE},
        {"{\"kv\":\"f16\"}", "{\"kv\":\"f32\"}", DIFF_TOLERANCE_HALVES},
        {"{\"isa\":\"ref\",\"kv\":\"f16\"}",
         "{\"isa\":\"avx2\",\"kv\":\"f16\"}", DIFF_TOLERANCE_HALVES},
        {"{\"isa\":\"ref\",\"kv\":\"f32\"}",
         "{\"isa\":\"avx2\",\"kv\":\"f32\"}", DIFF_TOLERANCE},
        {"{\"kv\":\"f16\",\"activations\":\"q8_0\"}",
         "{\"kv\":\"f32\",\"activations\":\"q8_0\"}", DIFF_TOLERANCE_LOOSE},
        {"{\"kv\":\"q8_0\"}", "{\"kv\":\"f16\"}",
         DIFF_TOLERANCE_LOOSE}};
    const float x[1] = {1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(cases[i].a, cases[i].b);
        add_floats(&a, "op", "[1,1]", x, 1);
        add_floats(&b, "op", "[1,1]", x, 1);
        diff *d = compared(-1);
        assert_true(d->tolerance == cases[i].tolerance);
        diff_close(&d);
    }
}

/* --- files that are no traces --- */

static void refuse(const char *words)
{
    trace_file t = {0};
    moshi_error err = {0};
    size_t n;
    unsigned char *bytes = trace_bytes(&a, &n);
    assert_true(trace_file_open_memory(&t, bytes, n, "a", &err) < 0);
    if (!strstr(err.message, words))
        fail_msg("'%s' does not say '%s'", err.message, words);
    free(bytes);
}

static void refused(void **state)
{
    (void)state;
    const float x[4] = {1, 2, 3, 4};
    const int32_t down[2] = {4, 4};
    const uint64_t rows = (uint64_t)1 << 40;
    char shape[64];
    trace_begin(&a, NULL);
    refuse("holds no operation");
    add_floats(&a, "op", "[2,2]", x, 4);
    add_floats(&a, "op2", "[4,1]", x, 4);
    refuse("tensor op2 is F32 [4, 1], expected F32 or I32 [2 frames");
    trace_begin(&a, NULL);
    add_ints(&a, "frames", "[2]", down, 2);
    add_floats(&a, "op", "[2,2]", x, 4);
    refuse("do not ascend: 4 follows 4");
    trace_begin(&a, NULL);
    add_floats(&a, "scalar", "[]", x, 1);
    refuse("tensor scalar is");
    trace_begin(&a, NULL);
    trace_add(&a, "bytes", "U8", "[4,1]", x, 4);
    refuse("tensor bytes is U8");
    trace_begin(&a, NULL); /* frames without end, of nothing */
    snprintf(shape, sizeof shape, "[%llu,0]", (unsigned long long)rows);
    trace_add(&a, "empty", "F32", shape, NULL, 0);
    refuse("tensor empty is");
    trace_begin(&a, NULL);
    add_floats(&a, "margins", "[4]", x, 4);
    refuse("tensor margins is");
    trace_begin(&a, NULL);
    add_ints(&a, "text_tokens", "[2,1]", down, 2);
    refuse("tensor text_tokens is");

    /* A header that would take gigabytes when it is parsed. */
    size_t n = (size_t)3 << 20;
    unsigned char *bytes = calloc(1, n);
    moshi_error err = {0};
    trace_file t = {0};
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((n - 8) >> 8 * i);
    for (size_t i = 8; i < n; i++)
        bytes[i] = "[],"[i % 3];
    assert_int_equal(trace_file_open_memory(&t, bytes, n, "a", &err),
                     MOSHI_FORMAT);
    assert_non_null(strstr(err.message, "larger than that of any trace"));
    free(bytes);
}

static int tear_down(void **state)
{
    (void)state;
    free(blocks[0]);
    free(blocks[1]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_time),
        cmocka_unit_test(tolerance_is_of_the_peak),
        cmocka_unit_test(frames_by_number),
        cmocka_unit_test(names),
        cmocka_unit_test(shapes),
        cmocka_unit_test(no_numbers),
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(tokens),
        cmocka_unit_test(default_tolerance),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests_name("diff", tests, NULL, tear_down);
}
