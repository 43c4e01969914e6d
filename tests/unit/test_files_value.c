/* Goal: JSON and TOML give the same tree, and a broken document a place to
 * look at. Method: documents in both languages; documents with one fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "file_bytes.h"
#include "files/value.h"

typedef moshi_status parser(value **out, const char *text, size_t n_bytes,
                            const char *label, moshi_error *err);

/* A build without toml++ refuses every TOML document. */
static bool can_parse(parser *p)
{
    value *v = NULL;
    moshi_status status = p(&v, "{}", 2, "x", NULL);
    value_close(&v);
    return status != MOSHI_LACKING;
}

static value *parse(parser *p, const char *text)
{
    value *v = NULL;
    moshi_error err = {0};
    if (p(&v, text, strlen(text), "x", &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    return v;
}

static const char json_text[] =
    "{\"dim\": 4096, \"temp\": 0.8, \"causal\": true,"
    " \"name\": \"mo\\u0073hi\","
    " \"delays\": [0, 0, 1], \"deep\": {\"er\": {\"x\": -7}}, \"empty\": [],"
    " \"text\": \"\", \"null\": null, \"big\": 9223372036854775807}";
static const char toml_text[] =
    "# a comment with [brackets] and a.dot\n"
    "dim = 4_096\ntemp = 0.8\ncausal = true\nname = \"mo\\u0073hi\"\n"
    "delays = [0, 0, # here too\n 1]\nempty = []\ntext = ''\n"
    "big = 9223372036854775807\nnull = 2024-05-06\n"
    "[deep]\ner = {x = -7}\n";

static void check_tree(const value *v)
{
    int64_t i = 5;
    double r = 0;
    bool b = false;
    const char *s = NULL;
    assert_int_equal(value_type(v), VALUE_OBJECT);
    assert_int_equal(value_count(v), 10);
    assert_true(value_integer(value_get(v, "dim"), &i));
    assert_int_equal(i, 4096);
    assert_true(value_real(value_get(v, "dim"), &r));
    assert_true(r == 4096);
    assert_true(value_real(value_get(v, "temp"), &r));
    assert_true(r == 0.8);
    assert_false(value_integer(value_get(v, "temp"), &i));
    assert_true(value_bool(value_get(v, "causal"), &b));
    assert_true(b);
    assert_true(value_string(value_get(v, "name"), &s));
    assert_string_equal(s, "moshi");
    assert_true(value_string(value_get(v, "text"), &s));
    assert_string_equal(s, "");
    const value *delays = value_get(v, "delays");
    assert_int_equal(value_type(delays), VALUE_ARRAY);
    assert_int_equal(value_count(delays), 3);
    assert_true(value_integer(value_at(delays, 2), &i));
    assert_int_equal(i, 1);
    assert_null(value_at(delays, 3));
    assert_null(value_key(delays, 0));
    assert_int_equal(value_count(value_get(v, "empty")), 0);
    assert_int_equal(value_type(value_get(v, "empty")), VALUE_ARRAY);
    const value *er = value_get(value_get(v, "deep"), "er");
    assert_string_equal(value_key(er, 0), "x");
    assert_null(value_key(er, 1));
    assert_true(value_integer(value_at(er, 0), &i));
    assert_int_equal(i, -7);
    assert_int_equal(value_type(value_get(v, "null")), VALUE_NULL);
    assert_true(value_integer(value_get(v, "big"), &i));
    assert_int_equal(i, INT64_MAX);
}

static void both_languages(void **state)
{
    (void)state;
    value *v = parse(value_parse_json, json_text);
    check_tree(v);
    value_close(&v);
    assert_null(v);
    if (!can_parse(value_parse_toml))
        skip();
    v = parse(value_parse_toml, toml_text);
    check_tree(v);
    value_close(&v);
    value_close(&v); /* nothing to close is no fault */
}

/* What is absent, or of another type, leaves the caller's variable alone. */
static void absent(void **state)
{
    (void)state;
    value *v = parse(value_parse_json, "{\"a\": \"text\", \"b\": [1]}");
    int64_t i = 5;
    double r = 5;
    bool b = true;
    const char *s = "5";
    const value *others[] = {NULL, v, value_get(v, "b"), value_get(v, "c")};
    for (size_t k = 0; k < 4; k++) {
        assert_false(value_integer(others[k], &i));
        assert_false(value_real(others[k], &r));
        assert_false(value_bool(others[k], &b));
        assert_false(value_string(others[k], &s));
    }
    assert_false(value_integer(value_get(v, "a"), &i));
    assert_null(value_get(NULL, "a"));
    assert_null(value_get(value_get(v, "a"), "a"));
    assert_null(value_get(value_get(v, "b"), "a"));
    assert_null(value_at(NULL, 0));
    assert_null(value_key(NULL, 0));
    assert_int_equal(value_count(NULL), 0);
    assert_int_equal(value_count(value_get(v, "a")), 0);
    assert_int_equal(value_type(NULL), VALUE_NULL);
    assert_int_equal(i, 5);
    assert_true(r == 5 && b);
    assert_string_equal(s, "5");
    value_close(&v);
}

typedef struct fault {
    parser *parse;
    const char *text, *message;
} fault;

static const fault faults[] = {
    {value_parse_json, "", "x: line 1, column 0: not valid JSON"},
    {value_parse_json, "{\"a\": 1,\n \"b\" 2}",
     "x: line 2, column 6: not valid JSON"},
    {value_parse_json, "{\"a\": 1, \"a\": 2}", "duplicate object key"},
    {value_parse_json, "{\"a\": \"\xff\"}", "not valid JSON"},
    {value_parse_json, "{\"a\": \"\\u0000\"}", "not valid JSON"},
    {value_parse_json, "{\"a\": 1e999}", "not valid JSON"},
    {value_parse_json, "{\"a\": NaN}", "not valid JSON"},
    {value_parse_json, "{\"a\": 9223372036854775808}", "too big integer"},
    {value_parse_json, "7", "not valid JSON"},
    {value_parse_json, "dim = 7", "not valid JSON"},
    {value_parse_toml, "{\"dim\": 7}", "x: line 1, column 1: not valid TOML"},
    {value_parse_toml, "a = 1\nb 2", "x: line 2, column 3: not valid TOML"},
    {value_parse_toml, "a = 1\na = 2", "x: line 2, column"},
    {value_parse_toml, "[a]\nb = 1\n[a.b]\n", "not valid TOML"},
    {value_parse_toml, "a = \"\xff\"", "not valid TOML"},
    {value_parse_toml, "a = 'x", "not valid TOML"},
    {value_parse_toml, "a = 9223372036854775808", "not valid TOML"},
    {value_parse_toml, "\na = nan", "line 2, column 5: not a finite number"},
    {value_parse_toml, "a = [0.5, -inf]", "not a finite number"},
    {value_parse_toml, "a = \"\\u0000\"", "a string holds a NUL character"},
    {value_parse_toml, "\"\\u0000\" = 1", "a key holds a NUL character"},
};

static void every_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const fault *f = &faults[i];
        if (!can_parse(f->parse))
            continue;
        size_t n = strlen(f->text);
        value *v = NULL;
        moshi_error err = {0};
        char *exact = malloc(n); /* not terminated */
        memcpy(exact, f->text, n);
        assert_int_equal(f->parse(&v, exact, n, "x", &err), MOSHI_FORMAT);
        assert_null(v);
        if (!strstr(err.message, f->message))
            fail_msg("wanted \"%s\", got \"%s\"", f->message, err.message);
        for (const char *c = err.message; *c; c++)
            assert_true(*c >= 0x20);
        assert_int_equal(f->parse(&v, exact, n, "x", NULL), MOSHI_FORMAT);
        free(exact);
    }
}

/* before, then `open` n times, middle, `close` n times. */
static file_bytes nest(const char *before, const char *open, size_t n,
                       const char *middle, const char *close)
{
    file_bytes b = {0};
    bytes_put_text(&b, before);
    for (size_t i = 0; i < n; i++)
        bytes_put_text(&b, open);
    bytes_put_text(&b, middle);
    for (size_t i = 0; i < n; i++)
        bytes_put_text(&b, close);
    return b;
}

static void check_depth(parser *p, file_bytes b, moshi_status status)
{
    value *v = NULL;
    moshi_error err = {0};
    if (p(&v, (char *)b.data, b.n, "x", &err) != status)
        fail_msg("%.*s…: wanted %s, got \"%s\"", b.n < 40 ? (int)b.n : 40,
                 (char *)b.data,
                 moshi_status_name(status), err.message);
    assert_true(status != MOSHI_OK || v != NULL);
    value_close(&v);
    bytes_release(&b);
}

static void nesting(void **state)
{
    (void)state;
    const size_t n = LIMIT_NESTING;
    parser *json = value_parse_json, *toml = value_parse_toml;
    check_depth(json, nest("", "[", n, "", "]"), MOSHI_OK);
    check_depth(json, nest("", "[", n + 1, "", "]"), MOSHI_FORMAT);
    check_depth(json, nest("", "[", 1000, "", "]"), MOSHI_FORMAT);
    check_depth(json, nest("", "[", 1000000, "", "]"), MOSHI_FORMAT);
    check_depth(json, nest("", "{\"a\":", n - 1, "{}", "}"), MOSHI_OK);
    check_depth(json, nest("", "{\"a\":", n, "{}", "}"), MOSHI_FORMAT);
    if (!can_parse(toml))
        skip();
    check_depth(toml, nest("a=", "[", n - 1, "", "]"), MOSHI_OK);
    check_depth(toml, nest("a=", "[", n, "", "]"), MOSHI_FORMAT);
    check_depth(toml, nest("a=", "[", 100000, "", "]"), MOSHI_FORMAT);
    check_depth(toml, nest("a=", "{a=", n - 2, "{}", "}"), MOSHI_OK);
    check_depth(toml, nest("a=", "{a=", 100000, "{}", "}"), MOSHI_FORMAT);
    /* Dots make tables too, and toml++ does not bound them. */
    check_depth(toml, nest("", "a.", n - 2, "a=1", ""), MOSHI_OK);
    check_depth(toml, nest("", "a.", n, "a=1", ""), MOSHI_FORMAT);
    check_depth(toml, nest("", "a.", 1000000, "a=1", ""), MOSHI_FORMAT);
    check_depth(toml, nest("[", "a . ", 1000000, "a]", ""), MOSHI_FORMAT);
    check_depth(toml, nest("[[", "'a'.", 1000000, "a]]", ""), MOSHI_FORMAT);
    check_depth(toml, nest("", "\"a\".", 1000000, "a=1", ""), MOSHI_FORMAT);
    check_depth(toml, nest("", "b={a.a.a=", n, "1", "}"), MOSHI_FORMAT);
    /* Dots and brackets that make nothing. */
    check_depth(toml, nest("a='", ".[{", 1000, "'", ""), MOSHI_OK);
    check_depth(toml, nest("a=\"\\\"", ".[{", 1000, "\"", ""), MOSHI_OK);
    check_depth(toml, nest("a='''\n'", ".[{\n", 1000, "''''", ""), MOSHI_OK);
    check_depth(toml, nest("a=\"\"\"", ".[{\\\"\"", 1000, "\"\"\"\"", ""),
                MOSHI_OK);
    check_depth(toml, nest("a=1 #", ".[{", 1000, "", ""), MOSHI_OK);
    check_depth(toml, nest("a=[", "0.5,", 1000, "]", ""), MOSHI_OK);
    check_depth(toml, nest("", "[[a]]\nb.c=0.5\n", 1000, "", ""), MOSHI_OK);
    check_depth(toml, nest("a='''", "'\n", 10, "\\'''\nb={}", ""), MOSHI_OK);
}

static value *open_text(const char *name, const char *text, moshi_status want,
                        const char *message)
{
    const char *path = test_path(name);
    file_bytes b = {0};
    value *v = NULL;
    moshi_error err = {0};
    bytes_put_text(&b, text);
    bytes_save(&b, path);
    bytes_release(&b);
    assert_int_equal(value_open(&v, path, &err), want);
    if (!strstr(err.message, message))
        fail_msg("wanted \"%s\", got \"%s\"", message, err.message);
    assert_true(want == MOSHI_OK || strstr(err.message, path));
    return v;
}

static void on_disk(void **state)
{
    (void)state;
    value *v = open_text("config.json", json_text, MOSHI_OK, "");
    check_tree(v);
    value_close(&v);
    v = open_text("config", json_text, MOSHI_OK, "");
    value_close(&v);
    open_text("toml.json", "a = 1", MOSHI_FORMAT, "not valid JSON");
    open_text("empty.json", "", MOSHI_FORMAT, "the file is empty; a JSON");
    open_text("empty.toml", "", MOSHI_FORMAT, "the file is empty; a TOML");
    open_text("page.json", "<!DOCTYPE html>", MOSHI_FORMAT,
              "this is an HTML page, not a JSON config");
    open_text("lfs.toml", "version https://git-lfs.github.com", MOSHI_FORMAT,
              "this is a git-lfs pointer, not a TOML config");
    moshi_error err = {0};
    assert_int_equal(value_open(&v, test_path("missing.json"), &err),
                     MOSHI_IO);
    assert_non_null(strstr(err.message, "missing.json"));
}

static void toml_on_disk(void **state)
{
    (void)state;
    if (!can_parse(value_parse_toml))
        skip();
    value *v = open_text("config.toml", toml_text, MOSHI_OK, "");
    check_tree(v);
    value_close(&v);
    open_text("json.toml", "{\"a\": 1}", MOSHI_FORMAT, "not valid TOML");
}

static void too_large(void **state)
{
    (void)state;
    const char *path = test_path("large.json");
    for (size_t extra = 0; extra < 2; extra++) {
        file_bytes b = {0};
        value *v = NULL;
        moshi_error err = {0};
        bytes_put_text(&b, "{}");
        while (b.n < LIMIT_CONFIG_BYTES + extra)
            bytes_put_text(&b, " ");
        bytes_save(&b, path);
        assert_int_equal(value_open(&v, path, &err),
                         extra ? MOSHI_FORMAT : MOSHI_OK);
        assert_true(!extra || strstr(err.message, "more than a config"));
        value_close(&v);
        bytes_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_languages), cmocka_unit_test(absent),
        cmocka_unit_test(every_fault),    cmocka_unit_test(nesting),
        cmocka_unit_test(on_disk),        cmocka_unit_test(toml_on_disk),
        cmocka_unit_test(too_large),
    };
    return cmocka_run_group_tests(tests, NULL, test_folder_remove);
}
