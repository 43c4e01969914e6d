/* Goal: --json is always valid JSON. Method: write values that are awkward to
 * write and compare the bytes; then read them back with a JSON library. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "cli/json_out.h"

static char *text;
static size_t n_text;

static void open_memory(json_out *j)
{
    FILE *file = open_memstream(&text, &n_text);
    assert_non_null(file);
    json_out_init(j, file);
}

static void nesting(void **state)
{
    (void)state;
    json_out j;
    open_memory(&j);
    json_out_object(&j, NULL);
    json_out_integer(&j, "n", INT64_MIN);
    json_out_array(&j, "list");
    json_out_bool(&j, NULL, true);
    json_out_null(&j, NULL);
    json_out_object(&j, NULL);
    json_out_end(&j);
    json_out_end(&j);
    json_out_text(&j, "s", "x");
    json_out_end(&j);
    fclose(j.file);
    assert_string_equal(text, "{\"n\": -9223372036854775808, "
                              "\"list\": [true, null, {}], \"s\": \"x\"}\n");
    free(text);
}

static void strings(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", "\"\""},
        {"a\"b\\c/", "\"a\\\"b\\\\c/\""},
        {"\n\t\x01\x7f", "\"\\n\\u0009\\u0001\\u007f\""},
        {"d\xc3\xa9j\xc3\xa0", "\"d\xc3\xa9j\xc3\xa0\""},
        {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""},
        {"\xc3", "\"\\ufffd\""},
        {"\xc3(", "\"\\ufffd(\""},
        {"\xc0\xaf", "\"\\ufffd\\ufffd\""},
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_out j;
        open_memory(&j);
        json_out_text(&j, NULL, cases[i].in);
        fclose(j.file);
        assert_string_equal(text, cases[i].out);
        json_t *read = json_loads(text, JSON_DECODE_ANY, NULL);
        assert_non_null(read);
        json_decref(read);
        free(text);
    }
}

static void numbers(void **state)
{
    (void)state;
    const double values[] = {0, -1, 0.1, 1.0 / 3, 1e300, 5e-324, 1e15 + 0.5};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        json_out j;
        open_memory(&j);
        json_out_real(&j, NULL, values[i]);
        fclose(j.file);
        assert_true(strtod(text, NULL) == values[i]);
        free(text);
    }
    const double infinite[] = {INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < sizeof infinite / sizeof *infinite; i++) {
        json_out j;
        open_memory(&j);
        json_out_real(&j, NULL, infinite[i]);
        fclose(j.file);
        assert_string_equal(text, "null");
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nesting),
        cmocka_unit_test(strings),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
