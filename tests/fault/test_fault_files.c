/* Goal: when memory runs out, at whichever allocation, a reader or writer of
 * files says so, leaks nothing, and leaves the caller's variables alone.
 * Method: fail the first allocation, then the second, and so on until the work
 * is done; once as a single failure, once with all later ones failing too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "../unit/file_bytes.h"
#include "alloc_fault.h"
#include "base/error.h"
#include "base/output_file.h"
#include "base/threads.h"
#include "fail_each.h"
#include "files/tensor_writer.h"
#include "files/value.h"

/* jansson takes some lacks of memory for a fault in the text: a failure all
 * the same, under another name. */
static moshi_status forgive_jansson(moshi_status status, moshi_error *err)
{
    if (status == MOSHI_FORMAT && strstr(err->message, "not valid JSON"))
        status = error_no_memory(err, "a JSON document");
    return status;
}

static moshi_status open_bytes(void *context, moshi_error *err)
{
    const file_bytes *b = context;
    checkpoint *file = NULL;
    moshi_status status = checkpoint_open_memory(&file, b->data, b->n, "x",
                                                 err);
    assert_int_equal(status == MOSHI_OK, file != NULL);
    checkpoint_close(&file);
    return forgive_jansson(status, err);
}

static void readers(void **state)
{
    (void)state;
    for (uint32_t version = 0; version <= 3; version++) {
        file_bytes b = version ? bytes_good_gguf(version)
                               : bytes_good_safetensors();
        fail_each("open bytes", open_bytes, &b);
        bytes_release(&b);
    }
}

static moshi_status open_path(void *context, moshi_error *err)
{
    checkpoint *file = NULL;
    moshi_status status = checkpoint_open(&file, context, err);
    checkpoint_close(&file);
    return status;
}

static void reader_of_a_file(void **state)
{
    (void)state;
    char path[512] = {0};
    strncpy(path, test_path("x"), sizeof path - 1);
    file_bytes b = bytes_good_gguf(3);
    bytes_save(&b, path);
    bytes_release(&b);
    fail_each("open path", open_path, path);
}

static const char json[] = "{\"a\": [1, 2.5, [true, null], {\"b\": \"text\"}],"
                           " \"c\": {\"d\": {}}, \"e\": [1,2,3,4,5,6,7,8,9]}";
/* A second document has a float. toml++ reads floats through a stream, which
 * takes a lack of memory for a number that is none; and if the memory for that
 * message lacks too, it ends the program, since it may not throw there. So
 * that document is tried with single failures only. */
static const char toml[] = "a = [1, 25, [true], {b = \"text, rather long\"}]\n"
                           "[c.d]\n[e]\nf = '''two\nlines'''\ng.h = 1\n";
static const char toml_float[] = "a = 2.5\n[b]\nc = [1, 2, 3]\n";

static moshi_status parse_json(void *context, moshi_error *err)
{
    value *v = NULL;
    (void)context;
    moshi_status status = value_parse_json(&v, json, strlen(json), "x", err);
    assert_int_equal(status == MOSHI_OK, v != NULL);
    value_close(&v);
    return forgive_jansson(status, err);
}

static moshi_status parse_toml(void *context, moshi_error *err)
{
    value *v = NULL;
    const char *text = context;
    moshi_status status = value_parse_toml(&v, text, strlen(text), "x", err);
    assert_int_equal(status == MOSHI_OK, v != NULL);
    value_close(&v);
    if (status == MOSHI_FORMAT && strstr(err->message, "floating-point"))
        status = error_no_memory(err, "a float");
    return status;
}

static void json_configs(void **state)
{
    (void)state;
    fail_each("parse json", parse_json, NULL);
}

static void toml_configs(void **state)
{
    (void)state;
    char text[256] = {0};
    moshi_error err = {0};
    strncpy(text, toml, sizeof text - 1);
    if (parse_toml(text, &err) == MOSHI_LACKING)
        skip(); /* built without toml++ */
    fail_each("parse toml", parse_toml, text);
    strncpy(text, toml_float, sizeof text - 1);
    fail_from("parse toml", parse_toml, text, false);
}

static moshi_status write_file(void *context, moshi_error *err)
{
    const tensor_spec specs[] = {{"a", DTYPE_F32, 1, {2}},
                                 {"b", DTYPE_I8, 1, {3}}};
    checkpoint_format format = *(checkpoint_format *)context;
    tensor_writer *w = NULL;
    moshi_status status = tensor_writer_open(&w, test_path("written"), format,
                                             specs, 2, err);
    assert_int_equal(status == MOSHI_OK, w != NULL);
    if (status == MOSHI_OK)
        status = tensor_writer_push(w, "dddddddd123", 11, err);
    if (status == MOSHI_OK)
        status = tensor_writer_finish(w, err);
    tensor_writer_close(&w);
    return status;
}

static void writers(void **state)
{
    (void)state;
    checkpoint_format format = CHECKPOINT_SAFETENSORS;
    fail_each("write file", write_file, &format);
    format = CHECKPOINT_GGUF;
    fail_each("write file", write_file, &format);
}

static moshi_status open_output(void *context, moshi_error *err)
{
    output_file *f = NULL;
    moshi_status status = output_file_open(&f, context, err);
    assert_int_equal(status == MOSHI_OK, f != NULL);
    output_file_close(&f);
    return status;
}

static moshi_status open_pool(void *context, moshi_error *err)
{
    pool *p = NULL;
    (void)context;
    moshi_status status = pool_open(&p, 3, err);
    assert_int_equal(status == MOSHI_OK, p != NULL);
    pool_close(&p);
    return status;
}

static void base(void **state)
{
    (void)state;
    char path[512] = {0};
    strncpy(path, test_path("output"), sizeof path - 1);
    fail_each("open output", open_output, path);
    fail_each("open pool", open_pool, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers), cmocka_unit_test(reader_of_a_file),
        cmocka_unit_test(json_configs), cmocka_unit_test(toml_configs),
        cmocka_unit_test(writers), cmocka_unit_test(base),
    };
    json_set_alloc_funcs(alloc_fault_malloc, alloc_fault_free);
    return cmocka_run_group_tests(tests, NULL, test_folder_remove);
}
