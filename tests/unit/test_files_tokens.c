/* Goal: recorded codes of other programs are read right, or refused in words
 * that help. Method: npy files and texts built by hand, good ones and one for
 * each thing that can be wrong; each in a block of its exact size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "file_bytes.h"
#include "files/token_file.h"

static moshi_status read_bytes(token_matrix *m, const void *data, size_t n,
                               moshi_error *err)
{
    void *block = malloc(n ? n : 1); /* exact: shows overreads */
    memcpy(block, data, n);
    moshi_status status = token_bytes_open(m, block, n, "x", NULL, err);
    free(block);
    return status;
}

static void refused(const void *data, size_t n, moshi_status status,
                    const char *text)
{
    token_matrix m = {0};
    moshi_error err = {0};
    moshi_status got = read_bytes(&m, data, n, &err);
    if (got != status || !strstr(err.message, text))
        print_message("status %d: %s\n", got, err.message);
    assert_int_equal(got, status);
    assert_non_null(strstr(err.message, text));
    assert_null(m.values);
}

static void matrix_is(const token_matrix *m, size_t rows, size_t columns,
                      const int32_t *values)
{
    assert_int_equal(m->rows, rows);
    assert_int_equal(m->columns, columns);
    assert_memory_equal(m->values, values, rows * columns * sizeof *values);
}

static const int32_t six[] = {1, 2, 3, 40, 50, 60};

/* --- npy --- */

static file_bytes npy(int version, const char *descr, const char *fortran,
                      const char *shape, size_t element, size_t elements)
{
    file_bytes b = {0};
    char header[256];
    int n = snprintf(header, sizeof header,
                     "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n",
                     descr, fortran, shape);
    bytes_put(&b, "\x93NUMPY", 6);
    bytes_put_number(&b, (uint64_t)version, 1);
    bytes_put_number(&b, 0, 1);
    bytes_put_number(&b, (uint64_t)n, version == 1 ? 2 : 4);
    bytes_put(&b, header, (size_t)n);
    for (size_t i = 0; i < elements; i++)
        bytes_put_number(&b, (uint64_t)six[i % 6], (int)element);
    return b;
}

static void good_arrays(void **state)
{
    (void)state;
    static const struct { const char *descr; size_t bytes; } types[] = {
        {"<i8", 8}, {"<u8", 8}, {"<i4", 4}, {"<u4", 4},
        {"<i2", 2}, {"<u2", 2}, {"|i1", 1}, {"|u1", 1},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (int version = 1; version <= 3; version++) {
            token_matrix m = {0};
            file_bytes b = npy(version, types[i].descr, "False",
                               version == 2 ? "(1, 2, 3)" : "(2, 3)",
                               types[i].bytes, 6);
            assert_int_equal(read_bytes(&m, b.data, b.n, NULL), MOSHI_OK);
            matrix_is(&m, 2, 3, six);
            token_matrix_release(&m);
            bytes_release(&b);
        }
}

static void negative_numbers(void **state)
{
    (void)state;
    token_matrix m = {0};
    file_bytes b = npy(1, "|i1", "False", "(1, 2)", 1, 0);
    bytes_put_number(&b, 0xfe, 1);
    bytes_put_number(&b, 0x7f, 1);
    assert_int_equal(read_bytes(&m, b.data, b.n, NULL), MOSHI_OK);
    matrix_is(&m, 1, 2, (const int32_t[]){-2, 127});
    token_matrix_release(&m);
    bytes_release(&b);
}

static void npy_refused(const char *descr, const char *fortran,
                        const char *shape, size_t elements,
                        moshi_status status, const char *text)
{
    file_bytes b = npy(1, descr, fortran, shape, 4, elements);
    refused(b.data, b.n, status, text);
    bytes_release(&b);
}

static void bad_arrays(void **state)
{
    (void)state;
    npy_refused("<f4", "False", "(2, 3)", 6, MOSHI_UNSUPPORTED,
                "an array of type '<f4'");
    npy_refused(">i4", "False", "(2, 3)", 6, MOSHI_UNSUPPORTED, "big-endian");
    npy_refused("<i4", "True", "(2, 3)", 6, MOSHI_UNSUPPORTED,
                "Fortran order");
    npy_refused("<i4", "Maybe", "(2, 3)", 6, MOSHI_FORMAT, "fortran_order");
    npy_refused("<i4", "False", "(2, 3)", 5, MOSHI_FORMAT, "less data");
    npy_refused("<i4", "False", "(6,)", 6, MOSHI_MISMATCH, "1 axes");
    npy_refused("<i4", "False", "(2, 1, 3)", 6, MOSHI_MISMATCH,
                "more than one batch");
    npy_refused("<i4", "False", "(2, 0)", 0, MOSHI_FORMAT, "no codes");
    npy_refused("<i4", "False", "(2, x)", 6, MOSHI_FORMAT, "shape");
    npy_refused("<i4", "False", "(2, 3", 6, MOSHI_FORMAT, "shape");
    npy_refused("<i4", "False", "(99999999999, 3)", 6, MOSHI_FORMAT,
                "too large");
    npy_refused("<i4", "False", "(16777216, 16777216)", 6, MOSHI_FORMAT,
                "at most");
    file_bytes b = npy(1, "<u8", "False", "(1, 1)", 8, 0);
    bytes_put_number(&b, UINT64_MAX, 8);
    refused(b.data, b.n, MOSHI_FORMAT, "is no code");
    bytes_release(&b);
    b = npy(1, "<i4", "False", "(2, 3)", 4, 6);
    for (size_t n = 8; n < b.n; n++)
        refused(b.data, n, MOSHI_FORMAT, "");
    bytes_release(&b);
}

/* --- text --- */

static void text_is(const char *text, size_t rows, size_t columns,
                    const int32_t *values)
{
    token_matrix m = {0};
    assert_int_equal(read_bytes(&m, text, strlen(text), NULL), MOSHI_OK);
    matrix_is(&m, rows, columns, values);
    token_matrix_release(&m);
}

static void good_texts(void **state)
{
    (void)state;
    text_is("1 2 3\n40 50 60\n", 2, 3, six);
    text_is("1,2,3\r\n40,\t50, 60", 2, 3, six);
    text_is("# codes of a run\n\n1 2 3 # first\n\n  40 50 60\n\n", 2, 3, six);
    text_is("1\n2\n3\n40\n50\n60", 6, 1, six);
    text_is("-1 -2", 1, 2, (const int32_t[]){-1, -2});
}

static void text_refused(const char *text, moshi_status status,
                         const char *words)
{
    refused(text, strlen(text), status, words);
}

static void bad_texts(void **state)
{
    (void)state;
    text_refused("1 2 3\n4 5\n", MOSHI_FORMAT, "line 2 has 2 numbers");
    text_refused("1 2\n3 4.5\n", MOSHI_FORMAT, "line 2: something that is not");
    text_refused("1.0e+00 2\n", MOSHI_FORMAT, "line 1");
    text_refused("1 -\n", MOSHI_FORMAT, "line 1");
    text_refused("1 2\n3 x\n", MOSHI_FORMAT, "line 2");
    text_refused("99999999999999999999 2\n", MOSHI_FORMAT, "is no code");
    text_refused("# nothing\n", MOSHI_FORMAT, "holds no codes");
    text_refused("", MOSHI_FORMAT, "empty");
    text_refused("<html>", MOSHI_FORMAT, "HTML");
}

/* --- axes and codes --- */

static void axes_are(const token_matrix *m, token_layout layout, int most,
                     int K, size_t T, const int32_t *expected)
{
    int32_t *codes = NULL;
    int got_K = 0;
    size_t got_T = 0;
    assert_int_equal(token_matrix_codes(m, layout, most, 64, "x", &codes,
                                        &got_K, &got_T, NULL), MOSHI_OK);
    assert_int_equal(got_K, K);
    assert_int_equal(got_T, T);
    assert_memory_equal(codes, expected, (size_t)K * T * sizeof *codes);
    memory_free(codes);
}

static void axes(void **state)
{
    (void)state;
    int32_t values[6], turned[] = {1, 40, 2, 50, 3, 60};
    memcpy(values, six, sizeof values);
    token_matrix m = {values, 2, 3}, t = {values, 3, 2};
    axes_are(&m, TOKEN_LAYOUT_AUTO, 8, 2, 3, turned);
    axes_are(&m, TOKEN_LAYOUT_TK, 8, 3, 2, six);
    axes_are(&t, TOKEN_LAYOUT_AUTO, 2, 2, 3, six); /* 3 are too many */
    int32_t *codes = NULL;
    int K;
    size_t T;
    moshi_error err = {0};
    assert_int_equal(token_matrix_codes(&t, TOKEN_LAYOUT_KT, 2, 64, "x",
                                        &codes, &K, &T, &err),
                     MOSHI_MISMATCH);
    assert_non_null(strstr(err.message, "[3, 2], but the codec has 1 to 2"));
    assert_int_equal(token_matrix_codes(&m, TOKEN_LAYOUT_AUTO, 8, 60, "x",
                                        &codes, &K, &T, &err),
                     MOSHI_MISMATCH);
    assert_non_null(strstr(err.message, "code 60 in codebook 1, frame 2"));
    assert_non_null(strstr(err.hint, "initial token"));
    values[4] = -1;
    assert_int_equal(token_matrix_codes(&m, TOKEN_LAYOUT_AUTO, 8, 64, "x",
                                        &codes, &K, &T, &err),
                     MOSHI_MISMATCH);
    assert_non_null(strstr(err.hint, "undo the delays"));
    assert_null(codes);
}

/* --- safetensors --- */

static void tensor_found(const char *header, const char *name,
                         moshi_status status, const char *text)
{
    file_bytes b = bytes_safetensors(header, 64);
    token_matrix m = {0};
    moshi_error err = {0};
    assert_int_equal(token_bytes_open(&m, b.data, b.n, "x", name, &err),
                     status);
    if (status != MOSHI_OK)
        assert_non_null(strstr(err.message, text));
    else
        assert_int_equal(m.rows * m.columns, 8);
    token_matrix_release(&m);
    bytes_release(&b);
}

static void tensors(void **state)
{
    (void)state;
    const char *two =
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[2,4],\"data_offsets\":[0,32]},"
        "\"b\":{\"dtype\":\"I32\",\"shape\":[1,4,2],\"data_offsets\":[32,64]}}";
    const char *one =
        "{\"a\":{\"dtype\":\"I64\",\"shape\":[1,2,4],\"data_offsets\":[0,64]}}";
    tensor_found(one, NULL, MOSHI_OK, NULL);
    tensor_found(two, NULL, MOSHI_MISMATCH, "tensor codes is missing");
    tensor_found(two, "b", MOSHI_OK, NULL);
    tensor_found(two, "c", MOSHI_MISMATCH, "tensor c is missing");
    tensor_found("{\"codes\":{\"dtype\":\"F32\",\"shape\":[2,8],"
                 "\"data_offsets\":[0,64]}}", NULL, MOSHI_MISMATCH,
                 "tensor codes is [2, 8] in F32");
    tensor_found("{\"codes\":{\"dtype\":\"I32\",\"shape\":[16],"
                 "\"data_offsets\":[0,64]}}", NULL, MOSHI_MISMATCH,
                 "expected [K, T]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_arrays), cmocka_unit_test(negative_numbers),
        cmocka_unit_test(bad_arrays),  cmocka_unit_test(good_texts),
        cmocka_unit_test(bad_texts),   cmocka_unit_test(axes),
        cmocka_unit_test(tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
