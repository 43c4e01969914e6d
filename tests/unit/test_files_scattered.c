/* test_files_scattered.c: files with notes, whose data come in any order.
 *
 * Goal: notes and data come back as they were written, what was never written
 * is zero, an unfinished file is gone, and a value tree's JSON text parses to
 * the same tree. Method: write in the test's own folder and read back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "file_bytes.h"
#include "files/tensor_writer.h"
#include "files/value.h"

static const tensor_spec specs[] = {
    {"a", DTYPE_F32, 2, {2, 3}}, {"none", DTYPE_I32, 1, {4}},
    {"b", DTYPE_I32, 1, {2}}};

static void any_order(void **state)
{
    (void)state;
    const tensor_note notes[] = {{"plain", "text"},
                                 {"json", "{\"a\\\\b\": [1, \"\\n\"]}"}};
    const float row[3] = {1, 2, 3};
    const int32_t b = 7;
    moshi_error err = {0};
    tensor_writer *w = NULL;
    checkpoint *file = NULL;
    char path[512];
    snprintf(path, sizeof path, "%s", test_path("scattered"));
    assert_int_equal(tensor_writer_open_scattered(&w, path, notes, 2, specs, 3,
                                                  &err), 0);
    assert_int_equal(tensor_writer_put(w, 2, 4, &b, sizeof b, &err), 0);
    assert_int_equal(tensor_writer_put(w, 0, 12, row, sizeof row, &err), 0);
    assert_int_equal(access(path, F_OK), -1); /* not before it is complete */
    assert_int_equal(tensor_writer_finish(w, &err), 0);
    tensor_writer_close(&w);
    if (checkpoint_open(&file, path, &err))
        fail_msg("%s", err.message);
    assert_string_equal(checkpoint_metadata(file, "plain"), notes[0].text);
    assert_string_equal(checkpoint_metadata(file, "json"), notes[1].text);
    const float *a = checkpoint_find(file, "a")->data;
    assert_true(a[0] == 0 && a[2] == 0 && a[3] == 1 && a[5] == 3);
    const int32_t *none = checkpoint_find(file, "none")->data;
    assert_int_equal(none[0] | none[1] | none[2] | none[3], 0);
    const int32_t *last = checkpoint_find(file, "b")->data;
    assert_int_equal(last[0], 0);
    assert_int_equal(last[1], 7);
    checkpoint_forget(file, checkpoint_find(file, "a"));
    assert_true(a[5] == 3); /* read again */
    checkpoint_close(&file);
}

static void nothing_written(void **state)
{
    (void)state;
    moshi_error err = {0};
    tensor_writer *w = NULL;
    checkpoint *file = NULL;
    char path[512];
    snprintf(path, sizeof path, "%s", test_path("zeros"));
    assert_int_equal(tensor_writer_open_scattered(&w, path, NULL, 0, specs, 3,
                                                  &err), 0);
    tensor_writer_close(&w);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(tensor_writer_open_scattered(&w, path, NULL, 0, specs, 3,
                                                  &err), 0);
    assert_int_equal(tensor_writer_finish(w, &err), 0);
    tensor_writer_close(&w);
    assert_int_equal(checkpoint_open(&file, path, &err), 0);
    assert_int_equal(checkpoint_count(file), 3);
    checkpoint_close(&file);
}

static void json_text(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "null", "[]", "{}", "[true,false,-3,0.1,1e+300,\"\"]",
        "{\"a\\\"\\\\\":{\"b\":[[1]]},\"c\":\"\\u0001\xc3\xa9\"}"};
    moshi_error err = {0};
    for (size_t i = 1; i < sizeof texts / sizeof *texts; i++) {
        value *v = NULL;
        assert_int_equal(value_parse_json(&v, texts[i], strlen(texts[i]), "t",
                                          &err), 0);
        char *text = value_to_json(v);
        assert_string_equal(text, texts[i]);
        memory_free(text);
        value_close(&v);
    }
    char *text = value_to_json(NULL);
    assert_string_equal(text, "null");
    memory_free(text);
    value *v = value_new_string("\xff\x7f", 2);
    text = value_to_json(v);
    assert_string_equal(text, "\"\\ufffd\\u007f\"");
    memory_free(text);
    value_close(&v);
    v = value_new_real(NAN);
    text = value_to_json(v);
    assert_string_equal(text, "null");
    memory_free(text);
    value_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order),
        cmocka_unit_test(nothing_written),
        cmocka_unit_test(json_text),
    };
    return cmocka_run_group_tests_name("scattered", tests, NULL, NULL);
}
