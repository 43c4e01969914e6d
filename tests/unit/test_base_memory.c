/* Goal: allocation never wraps around and gives what it says. Method: sizes at
 * and beyond the ends of their range; growth in steps of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/dtype.h"
#include "base/error.h"
#include "base/memory.h"

/* The address sanitizer's malloc ends the program when it is asked for more
 * than there is, unless told otherwise. It calls this by its name. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void checked_sizes(void **state)
{
    (void)state;
    size_t n = 7;
    assert_true(size_mul(SIZE_MAX, 1, &n) && n == SIZE_MAX);
    assert_true(size_mul(SIZE_MAX, 0, &n) && n == 0);
    assert_true(size_mul(0, SIZE_MAX, &n) && n == 0);
    assert_true(size_mul(SIZE_MAX / 3, 3, &n) && n == SIZE_MAX / 3 * 3);
    n = 7;
    assert_false(size_mul(SIZE_MAX / 3 + 1, 3, &n));
    assert_false(size_mul(SIZE_MAX, 2, &n));
    assert_false(size_mul((size_t)1 << 32, (size_t)1 << 32, &n));
    assert_false(size_add(SIZE_MAX, 1, &n));
    assert_int_equal(n, 7);
    assert_true(size_add(SIZE_MAX - 1, 1, &n) && n == SIZE_MAX);
    assert_int_equal(size_round_up(0, 32), 0);
    assert_int_equal(size_round_up(1, 32), 32);
    assert_int_equal(size_round_up(32, 32), 32);
    assert_int_equal(size_round_up(33, 32), 64);
}

static void zeroed_blocks(void **state)
{
    (void)state;
    unsigned char *block = memory_calloc(3, 100);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(block[i], 0);
    memory_free(block);
    block = memory_calloc(0, 0); /* nothing is no failure */
    assert_non_null(block);
    memory_free(block);
    memory_free(NULL);
    assert_null(memory_calloc(SIZE_MAX / 2, 3));
}

static void aligned_blocks(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n++) {
        unsigned char *block = memory_aligned_calloc(n);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % MEMORY_ALIGNMENT, 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(block[i], 0);
        memset(block, 0xff, n);
        memory_aligned_free(block);
    }
    memory_aligned_free(NULL);
    assert_null(memory_aligned_calloc(SIZE_MAX));
    assert_null(memory_aligned_calloc(SIZE_MAX - MEMORY_ALIGNMENT));
}

static void growing(void **state)
{
    (void)state;
    void *array = NULL;
    size_t capacity = 0;
    for (size_t n = 1; n <= 1000; n++) {
        assert_true(memory_grow(&array, &capacity, n, sizeof(size_t)));
        assert_true(capacity >= n && capacity < 2 * n + 8);
        ((size_t *)array)[n - 1] = n;
    }
    for (size_t n = 1; n <= 1000; n++)
        assert_int_equal(((size_t *)array)[n - 1], n);
    void *before = array;
    size_t old = capacity;
    assert_false(memory_grow(&array, &capacity, SIZE_MAX, 1));
    assert_false(memory_grow(&array, &capacity, SIZE_MAX / 2, 8));
    assert_ptr_equal(array, before);
    assert_int_equal(capacity, old);
    memory_free(array);
    char *copy = memory_strdup("text");
    assert_string_equal(copy, "text");
    memory_free(copy);
}

static void types(void **state)
{
    (void)state;
    size_t n;
    dtype type;
    for (int i = 0; i < DTYPE_COUNT; i++) {
        const dtype_traits *t = dtype_info((dtype)i);
        assert_true(dtype_from_name(t->name, &type) && type == (dtype)i);
        if (t->ggml >= 0)
            assert_true(dtype_from_ggml((unsigned)t->ggml, &type) &&
                        type == (dtype)i);
        assert_true(dtype_row_bytes((dtype)i, 3 * t->block, &n));
        assert_int_equal(n, 3 * t->bytes);
        assert_true(dtype_row_bytes((dtype)i, 0, &n) && n == 0);
        assert_int_equal(dtype_row_bytes((dtype)i, t->block + 1, &n),
                         t->block == 1);
    }
    assert_false(dtype_row_bytes(DTYPE_F32, SIZE_MAX, &n));
    assert_false(dtype_from_name("f32", &type));
    assert_false(dtype_from_ggml(999, &type));
    assert_true(dtype_is_weight(DTYPE_F32) && dtype_is_weight(DTYPE_Q6_K));
    assert_false(dtype_is_weight(DTYPE_I8) || dtype_is_weight(DTYPE_BOOL));
}

/* Every function takes NULL for the error; long texts are cut. */
static void errors(void **state)
{
    (void)state;
    char text[2000];
    moshi_error err = {0};
    memset(text, 't', sizeof text);
    text[sizeof text - 1] = 0;
    assert_int_equal(error_set(&err, MOSHI_IO, "a %d", 1), MOSHI_IO);
    assert_int_equal(error_hint(&err, "b"), MOSHI_IO);
    error_context(&err, "c %s", "d");
    assert_string_equal(err.message, "c d: a 1");
    assert_string_equal(err.hint, "b");
    error_context(&err, "%s", text);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_int_equal(error_set(&err, MOSHI_FORMAT, "%s", text), MOSHI_FORMAT);
    assert_string_equal(err.hint, "");
    error_hint(&err, "%s", text);
    assert_int_equal(strlen(err.hint), sizeof err.hint - 1);
    error_clear(&err);
    assert_int_equal(err.status, MOSHI_OK);
    assert_int_equal(error_set(NULL, MOSHI_IO, "a"), MOSHI_IO);
    assert_int_equal(error_no_memory(NULL, "a"), MOSHI_NO_MEMORY);
    error_hint(NULL, "a");
    error_context(NULL, "a");
    error_clear(NULL);
    assert_string_equal(moshi_status_name(MOSHI_IO), "IO");
    assert_string_equal(moshi_status_name((moshi_status)-99), "?");
    assert_string_equal(moshi_status_text(MOSHI_OK), "done");
    assert_string_equal(moshi_status_text((moshi_status)99), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checked_sizes),  cmocka_unit_test(zeroed_blocks),
        cmocka_unit_test(aligned_blocks), cmocka_unit_test(growing),
        cmocka_unit_test(types),          cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
