/* Goal: a safetensors header is believed only as far as it can be checked, and
 * each way of being wrong has its own message. Method: headers written by hand
 * with one fault each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "file_bytes.h"

static void good_file(void **state)
{
    (void)state;
    checkpoint *file = NULL;
    file_bytes b = bytes_good_safetensors();
    assert_int_equal(bytes_open(&file, b.data, b.n, NULL), MOSHI_OK);
    assert_int_equal(checkpoint_kind(file), CHECKPOINT_SAFETENSORS);
    assert_string_equal(checkpoint_path(file), "x");
    assert_int_equal(checkpoint_file_bytes(file), b.n);
    assert_int_equal(checkpoint_count(file), 2);
    assert_string_equal(checkpoint_at(file, 0)->name, "norm.alpha");
    assert_string_equal(checkpoint_at(file, 1)->name, "emb.weight");

    const checkpoint_tensor *t = checkpoint_find(file, "norm.alpha");
    assert_ptr_equal(t, checkpoint_at(file, 0));
    assert_int_equal(t->type, DTYPE_F32);
    assert_int_equal(t->n_dims, 3);
    assert_int_equal(t->dims[2], 3);
    assert_int_equal(t->n_bytes, 12);
    assert_int_equal(checkpoint_elements(t), 3);
    const checkpoint_tensor *emb = checkpoint_find(file, "emb.weight");
    assert_int_equal((const char *)t->data - (const char *)emb->data, 12);
    assert_null(checkpoint_find(file, "emb"));
    assert_null(checkpoint_find(file, ""));
    assert_null(checkpoint_find(file, "__metadata__"));

    assert_string_equal(checkpoint_metadata(file, "format"), "pt");
    assert_string_equal(checkpoint_metadata(file, "n"), "2");
    assert_null(checkpoint_metadata(file, "m"));
    bytes_close(&file);
    assert_null(file);
    bytes_release(&b);
}

static void shapes_as_text(void **state)
{
    (void)state;
    checkpoint_tensor t = {.n_dims = 2, .dims = {32001, 4096}};
    char text[32], small[8];
    assert_string_equal(checkpoint_shape_text(&t, text, sizeof text),
                        "[32001, 4096]");
    assert_string_equal(checkpoint_shape_text(&t, small, sizeof small),
                        "[32001,");
    t.n_dims = 0;
    assert_string_equal(checkpoint_shape_text(&t, text, sizeof text), "[]");
    assert_int_equal(checkpoint_elements(&t), 1);
}

static void every_type(void **state)
{
    (void)state;
    const struct {
        const char *name;
        dtype type;
        int bytes;
    } types[] = {
        {"F32", DTYPE_F32, 4}, {"F16", DTYPE_F16, 2}, {"BF16", DTYPE_BF16, 2},
        {"I8", DTYPE_I8, 1},   {"I32", DTYPE_I32, 4}, {"I64", DTYPE_I64, 8},
        {"U8", DTYPE_U8, 1},   {"BOOL", DTYPE_BOOL, 1},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char json[128];
        snprintf(json, sizeof json,
                 "{\"a\":{\"dtype\":\"%s\",\"shape\":[5],"
                 "\"data_offsets\":[0,%d]}}",
                 types[i].name, 5 * types[i].bytes);
        file_bytes b = bytes_safetensors(json, (size_t)(5 * types[i].bytes));
        checkpoint *file = NULL;
        assert_int_equal(bytes_open(&file, b.data, b.n, NULL), MOSHI_OK);
        assert_int_equal(checkpoint_at(file, 0)->type, types[i].type);
        bytes_close(&file);
        bytes_release(&b);
    }
}

#define TENSOR(name, type, shape, offsets)                                    \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape                    \
    ",\"data_offsets\":" offsets "}"

/* Well formed, if unusual. */
static void odd_but_right(void **state)
{
    (void)state;
    const char *const headers[] = {
        "{}",
        "  {}  ",
        "{\"__metadata__\":{}}",
        "{\"__metadata__\":3}",
        "{" TENSOR("scalar", "F32", "[]", "[0,4]") "}",
        "{" TENSOR("none", "F32", "[0,7]", "[0,0]") "}",
        "{" TENSOR("a", "U8", "[2]", "[0,2]") ","
            TENSOR("none", "U8", "[0]", "[2,2]") ","
            TENSOR("b", "U8", "[2]", "[2,4]") "}",
        "{" TENSOR("with a gap", "U8", "[1]", "[7,8]") "}",
        "{" TENSOR("\xc3\xa9 \\u00e9\\\"\\\\", "U8", "[1]", "[0,1]") "}",
        "{" TENSOR("a", "U8", "[1,1,1,1,1,1,1,8]", "[0,8]") "}",
        ("{\"a\":{\"more\":[1],\"dtype\":\"U8\",\"shape\":[1],"
         "\"data_offsets\":[0,1]}}"),
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        file_bytes b = bytes_safetensors(headers[i], 8);
        checkpoint *file = NULL;
        moshi_error err = {0};
        if (bytes_open(&file, b.data, b.n, &err) != MOSHI_OK)
            fail_msg("%s: %s", headers[i], err.message);
        bytes_close(&file);
        bytes_release(&b);
    }
}

typedef struct fault {
    const char *header;
    moshi_status status;
    const char *message;
} fault;

static const fault faults[] = {
    /* the text */
    {"{\"a\":\n  nonsense}", MOSHI_FORMAT,
     "header: line 2, column 10: not valid JSON"},
    {"{\"a\":1", MOSHI_FORMAT, "line 1, column 6: not valid JSON"},
    {"{} x", MOSHI_FORMAT, "not valid JSON"},
    {"[]", MOSHI_FORMAT, "the header is a list, not an object"},
    {"{" TENSOR("a", "U8", "[1]", "[0,1]") "," TENSOR("a", "U8", "[1]", "[1,2]")
     "}", MOSHI_FORMAT, "duplicate object key"},
    /* names */
    {"{" TENSOR("", "U8", "[1]", "[0,1]") "}", MOSHI_FORMAT,
     "tensor number 1 has a name"},
    {"{" TENSOR("a", "U8", "[1]", "[0,1]") ","
     TENSOR("\\u001b[2J", "U8", "[1]", "[1,2]") "}", MOSHI_FORMAT,
     "tensor number 2 has a name"},
    {"{" TENSOR("\\u009b", "U8", "[1]", "[0,1]") "}", MOSHI_FORMAT,
     "tensor number 1 has a name"},
    /* descriptions */
    {"{\"a\":7}", MOSHI_FORMAT, "tensor a: the header does not describe it"},
    {"{\"a\":{}}", MOSHI_FORMAT, "tensor a: the header does not say its dtype"},
    {"{\"a\":{\"dtype\":\"U8\"}}", MOSHI_FORMAT,
     "tensor a: the header does not say its shape"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", MOSHI_FORMAT,
     "tensor a: its data_offsets are not two sizes"},
    {"{" TENSOR("a", "U32", "[1]", "[0,4]") "}", MOSHI_UNSUPPORTED,
     "tensor a: numbers of type U32"},
    {"{" TENSOR("a", "F8_E4M3", "[1]", "[0,1]") "}", MOSHI_UNSUPPORTED,
     "tensor a: numbers of type F8_E4M3"},
    {"{" TENSOR("a", "Q8_0", "[32]", "[0,34]") "}", MOSHI_UNSUPPORTED,
     "tensor a: numbers of type Q8_0"},
    {"{" TENSOR("a", "\\u001b\\u00e9", "[1]", "[0,1]") "}", MOSHI_UNSUPPORTED,
     "tensor a: numbers of type ???"},
    {"{" TENSOR("a", "U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]") "}",
     MOSHI_UNSUPPORTED, "tensor a: it has 9 dimensions"},
    {"{" TENSOR("a", "U8", "[1,-1]", "[0,1]") "}", MOSHI_FORMAT,
     "tensor a: dimension 1 of its shape is not a size"},
    {"{" TENSOR("a", "U8", "[1.0]", "[0,1]") "}", MOSHI_FORMAT,
     "tensor a: dimension 0 of its shape is not a size"},
    {"{" TENSOR("a", "U8", "[99999999999999999999]", "[0,1]") "}",
     MOSHI_FORMAT, "not valid JSON: too big integer"},
    {"{" TENSOR("a", "U8", "[1]", "[0,1,2]") "}", MOSHI_FORMAT,
     "tensor a: its data_offsets are not two sizes"},
    {"{" TENSOR("a", "U8", "[1]", "[-1,0]") "}", MOSHI_FORMAT,
     "tensor a: its data_offsets are not two sizes"},
    /* sizes and places */
    {"{" TENSOR("a", "F32", "[2,2]", "[0,8]") "}", MOSHI_FORMAT,
     "tensor a: F32 [2, 2] takes 16 bytes but the header gives it 8"},
    {"{" TENSOR("a", "U8", "[2]", "[4,2]") "}", MOSHI_FORMAT,
     "tensor a: data ends at 2, before its beginning at 4"},
    {"{" TENSOR("a", "F32", "[4611686018427387904]", "[0,0]") "}",
     MOSHI_FORMAT, "is larger than any memory"},
    {"{" TENSOR("a", "U8", "[4294967296,4294967296]", "[0,0]") "}",
     MOSHI_FORMAT, "is larger than any memory"},
    {"{" TENSOR("a", "U8", "[9]", "[0,9]") "}", MOSHI_FORMAT,
     "but the file ends at"},
    {"{" TENSOR("a", "U8", "[1]", "[9223372036854775806,9223372036854775807]")
     "}", MOSHI_FORMAT, "but the file ends at"},
    {"{" TENSOR("none", "U8", "[0]", "[9,9]") "}", MOSHI_FORMAT,
     "but the file ends at"},
    {"{" TENSOR("b", "U8", "[4]", "[3,7]") "," TENSOR("a", "U8", "[4]", "[0,4]")
     "}", MOSHI_FORMAT, "tensor a: its data overlaps that of tensor b"},
    {"{" TENSOR("a", "U8", "[4]", "[0,4]") "," TENSOR("b", "U8", "[2]", "[1,3]")
     "}", MOSHI_FORMAT, "tensor a: its data overlaps that of tensor b"},
};

static void every_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        file_bytes b = bytes_safetensors(faults[i].header, 8);
        bytes_expect(&b, faults[i].status, faults[i].message);
        bytes_release(&b);
    }
}

/* The length before the header. */
static void header_lengths(void **state)
{
    (void)state;
    const struct {
        uint64_t length;
        const char *message;
    } lengths[] = {
        {0, "the header is empty"},
        {1, "not valid JSON"},
        {5, "the header lies at bytes 8..13 but the file ends at 12"},
        {(uint64_t)100 << 20, "the header lies at bytes 8..104857608"},
        {((uint64_t)100 << 20) + 1, "is said to take 104857601 bytes"},
        {UINT64_MAX, "is said to take 18446744073709551615 bytes"},
        {UINT64_MAX - 7, "is said to take"},
    };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        file_bytes b = {0};
        bytes_put_number(&b, lengths[i].length, 8);
        bytes_put_text(&b, "{}  ");
        bytes_expect(&b, MOSHI_FORMAT, lengths[i].message);
        bytes_release(&b);
    }
}

static void long_names(void **state)
{
    (void)state;
    for (size_t n = LIMIT_NAME_BYTES; n <= LIMIT_NAME_BYTES + 1; n++) {
        char json[LIMIT_NAME_BYTES + 200], name[LIMIT_NAME_BYTES + 2] = {0};
        memset(name, 'n', n);
        snprintf(json, sizeof json, "{\"%s\":{\"dtype\":\"U8\",\"shape\":[1],"
                                    "\"data_offsets\":[0,1]}}", name);
        file_bytes b = bytes_safetensors(json, 1);
        checkpoint *file = NULL;
        bool fits = n == LIMIT_NAME_BYTES;
        assert_int_equal(bytes_open(&file, b.data, b.n, NULL),
                         fits ? MOSHI_OK : MOSHI_FORMAT);
        assert_int_equal(fits, file != NULL);
        bytes_close(&file);
        bytes_release(&b);
    }
}

/* As many tensors as there may be, and one more. */
static void many_tensors(void **state)
{
    (void)state;
    for (size_t count = LIMIT_TENSORS; count <= LIMIT_TENSORS + 1; count++) {
        file_bytes json = {0}, b;
        bytes_put_text(&json, "{");
        for (size_t i = 0; i < count; i++) {
            char entry[128];
            snprintf(entry, sizeof entry,
                     "%s\"t%zu\":{\"dtype\":\"U8\",\"shape\":[0],"
                     "\"data_offsets\":[0,0]}", i ? "," : "", i);
            bytes_put_text(&json, entry);
        }
        bytes_put(&json, "}", 2);
        b = bytes_safetensors((char *)json.data, 0);
        if (count > LIMIT_TENSORS) {
            bytes_expect(&b, MOSHI_FORMAT, "the header counts 65537 tensors");
        } else {
            checkpoint *file = NULL;
            assert_int_equal(bytes_open(&file, b.data, b.n, NULL), MOSHI_OK);
            assert_int_equal(checkpoint_count(file), count);
            assert_ptr_equal(checkpoint_find(file, "t65535"),
                             checkpoint_at(file, 65535));
            bytes_close(&file);
        }
        bytes_release(&json);
        bytes_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_file),      cmocka_unit_test(shapes_as_text),
        cmocka_unit_test(every_type),     cmocka_unit_test(odd_but_right),
        cmocka_unit_test(every_fault),    cmocka_unit_test(header_lengths),
        cmocka_unit_test(long_names),     cmocka_unit_test(many_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
