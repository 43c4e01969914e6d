/* Goal: what is written is read back, bit for bit; a run that fails leaves the
 * folder as it was. Method: round trips of both formats with data in pieces of
 * odd sizes; refused lists; full disks and read-only folders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "file_bytes.h"
#include "files/tensor_writer.h"

static const tensor_spec for_both[] = {
    {"emb.weight", DTYPE_BF16, 2, {7, 32}},
    {"norm.alpha", DTYPE_F32, 3, {1, 1, 5}},
    {"scalar", DTYPE_I64, 0, {0}},
    {"a \"quoted\\ \xc3\xa9", DTYPE_I8, 1, {3}},
    {"half", DTYPE_F16, 1, {9}},
    {"codes", DTYPE_I32, 2, {2, 2}},
};
static const tensor_spec for_gguf[] = {
    {"q8", DTYPE_Q8_0, 2, {3, 64}},  {"odd", DTYPE_F32, 1, {1}},
    {"q4", DTYPE_Q4_0, 2, {1, 32}},  {"q4k", DTYPE_Q4_K, 2, {2, 256}},
    {"q5k", DTYPE_Q5_K, 1, {512}},   {"q6k", DTYPE_Q6_K, 2, {1, 256}},
};
static const tensor_spec for_safetensors[] = {
    {"mask", DTYPE_BOOL, 2, {3, 3}},
    {"bytes", DTYPE_U8, 1, {11}},
};

/* The byte at `at` of all data. */
static unsigned char byte_at(size_t at)
{
    return (unsigned char)(at * 131 + (at >> 8));
}

static size_t data_bytes(const tensor_spec *specs, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += tensor_spec_bytes(&specs[i]);
    return total;
}

static void push_pieces(tensor_writer *w, size_t total, size_t piece)
{
    unsigned char buffer[256];
    for (size_t at = 0; at < total;) {
        size_t n = total - at < piece ? total - at : piece;
        for (size_t i = 0; i < n; i++)
            buffer[i] = byte_at(at + i);
        assert_int_equal(tensor_writer_push(w, buffer, n, NULL), MOSHI_OK);
        at += n;
    }
}

static void check_file(const char *path, checkpoint_format format,
                       const tensor_spec *specs, size_t count)
{
    checkpoint *file = NULL;
    moshi_error err = {0};
    size_t at = 0;
    if (checkpoint_open(&file, path, &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    assert_int_equal(checkpoint_kind(file), format);
    assert_int_equal(checkpoint_count(file), count);
    assert_int_equal(checkpoint_file_bytes(file),
                     tensor_writer_file_bytes(format, specs, count));
    for (size_t i = 0; i < count; i++) {
        const checkpoint_tensor *t = checkpoint_at(file, i);
        assert_string_equal(t->name, specs[i].name);
        assert_int_equal(t->type, specs[i].type);
        assert_int_equal(t->n_dims, specs[i].n_dims);
        for (int k = 0; k < t->n_dims; k++)
            assert_int_equal(t->dims[k], specs[i].dims[k]);
        assert_int_equal(t->n_bytes, tensor_spec_bytes(&specs[i]));
        const unsigned char *data = t->data;
        if (format == CHECKPOINT_GGUF)
            assert_int_equal((uintptr_t)data % 32, 0);
        for (size_t k = 0; k < t->n_bytes; k++)
            assert_int_equal(data[k], byte_at(at++));
    }
    checkpoint_close(&file);
}

static void round_trip(checkpoint_format format, const tensor_spec *specs,
                       size_t count)
{
    const char *path = test_path("round trip");
    const size_t pieces[] = {1, 7, 32, 256};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        tensor_writer *w = NULL;
        assert_int_equal(tensor_writer_open(&w, path, format, specs, count,
                                            NULL), MOSHI_OK);
        push_pieces(w, data_bytes(specs, count), pieces[i]);
        assert_int_equal(tensor_writer_finish(w, NULL), MOSHI_OK);
        tensor_writer_close(&w);
        assert_null(w);
        check_file(path, format, specs, count);
        assert_int_equal(unlink(path), 0);
    }
}

#define LIST(specs) specs, sizeof specs / sizeof *specs

static void round_trips(void **state)
{
    (void)state;
    round_trip(CHECKPOINT_SAFETENSORS, LIST(for_both));
    round_trip(CHECKPOINT_SAFETENSORS, LIST(for_safetensors));
    round_trip(CHECKPOINT_SAFETENSORS, NULL, 0);
    round_trip(CHECKPOINT_GGUF, LIST(for_both));
    round_trip(CHECKPOINT_GGUF, LIST(for_gguf));
    round_trip(CHECKPOINT_GGUF, NULL, 0);
}

static void expect_bytes(checkpoint_format format, const void *bytes, size_t n)
{
    const tensor_spec spec = {"ab", DTYPE_F32, 2, {1, 2}};
    const char *path = test_path("exact");
    tensor_writer *w = NULL;
    assert_int_equal(tensor_writer_open(&w, path, format, &spec, 1, NULL),
                     MOSHI_OK);
    assert_int_equal(tensor_writer_push(w, "dddddddd", 8, NULL), MOSHI_OK);
    assert_int_equal(tensor_writer_finish(w, NULL), MOSHI_OK);
    tensor_writer_close(&w);
    file_bytes b = bytes_load(path);
    assert_int_equal(b.n, n);
    assert_memory_equal(b.data, bytes, n);
    bytes_release(&b);
}

/* The very bytes, since other programs read these files too. */
static void exact_bytes(void **state)
{
    (void)state;
    static const char safetensors[] =
        "\x40\0\0\0\0\0\0\0"
        "{\"ab\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}"
        "       dddddddd";
    expect_bytes(CHECKPOINT_SAFETENSORS, safetensors, sizeof safetensors - 1);
    file_bytes b = gguf_begin(2, 1, 0);
    gguf_tensor(&b, 2, "ab", 2, (uint64_t[]){2, 1}, 0, 0);
    gguf_data(&b, 32, 0);
    bytes_put_text(&b, "dddddddd");
    gguf_data(&b, 32, 0); /* padded behind the last tensor as well */
    expect_bytes(CHECKPOINT_GGUF, b.data, b.n);
    bytes_release(&b);
}

static void refuse(checkpoint_format format, const tensor_spec *specs,
                   size_t count, const char *text)
{
    tensor_writer *w = NULL;
    moshi_error err = {0};
    const char *path = test_path("refused");
    assert_int_equal(tensor_writer_open(&w, path, format, specs, count, &err),
                     MOSHI_ARGUMENT);
    assert_null(w);
    if (!strstr(err.message, text))
        fail_msg("wanted \"%s\", got \"%s\"", text, err.message);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void refused_lists(void **state)
{
    (void)state;
    tensor_spec s = {"a", DTYPE_Q8_0, 2, {1, 33}};
    assert_int_equal(tensor_spec_bytes(&s), 0);
    assert_int_equal(tensor_writer_file_bytes(CHECKPOINT_GGUF, &s, 1), 0);
    refuse(CHECKPOINT_GGUF, &s, 1, "tensor a cannot be written to a GGUF file");
    s.dims[1] = 32;
    refuse(CHECKPOINT_SAFETENSORS, &s, 1, "written to a safetensors file");
    s.type = DTYPE_U8;
    refuse(CHECKPOINT_GGUF, &s, 1, "written to a GGUF file");
    s.type = DTYPE_COUNT;
    refuse(CHECKPOINT_SAFETENSORS, &s, 1, "its name, shape or type");
    s = (tensor_spec){"a", DTYPE_F32, LIMIT_DIMS + 1, {1}};
    refuse(CHECKPOINT_GGUF, &s, 1, "its name, shape or type");
    s = (tensor_spec){"a", DTYPE_F32, 2, {SIZE_MAX / 2, 4}};
    refuse(CHECKPOINT_GGUF, &s, 1, "its name, shape or type");
    s = (tensor_spec){"a", DTYPE_F32, 2, {0, 4}};
    refuse(CHECKPOINT_GGUF, &s, 1, "its name, shape or type");
    s = (tensor_spec){"", DTYPE_F32, 1, {4}};
    refuse(CHECKPOINT_GGUF, &s, 1, "its name, shape or type");
    s = (tensor_spec){"__metadata__", DTYPE_F32, 1, {4}};
    refuse(CHECKPOINT_SAFETENSORS, &s, 1, "its name, shape or type");
    memset(s.name, 'n', sizeof s.name);
    refuse(CHECKPOINT_GGUF, &s, 1, "its name, shape or type");

    const tensor_spec twice[] = {
        {"b", DTYPE_F32, 0, {0}}, {"a", DTYPE_F32, 0, {0}},
        {"b", DTYPE_I8, 1, {3}}};
    refuse(CHECKPOINT_GGUF, LIST(twice), "two tensors have the name b");
    const tensor_spec huge[] = {{"a", DTYPE_I8, 1, {SIZE_MAX / 2}},
                                {"b", DTYPE_I8, 1, {SIZE_MAX / 2}},
                                {"c", DTYPE_I8, 1, {SIZE_MAX / 2}}};
    refuse(CHECKPOINT_SAFETENSORS, LIST(huge), "larger than any file");
    refuse(CHECKPOINT_GGUF, huge, LIMIT_TENSORS + 1, "more than a file can");
}

static void too_little_or_too_much(void **state)
{
    (void)state;
    const tensor_spec spec = {"a", DTYPE_F32, 1, {2}};
    const char *path = test_path("incomplete");
    tensor_writer *w = NULL;
    moshi_error err = {0};
    file_bytes old = {0};
    bytes_put_text(&old, "an older file");
    bytes_save(&old, path);

    assert_int_equal(tensor_writer_open(&w, path, CHECKPOINT_GGUF, &spec, 1,
                                        NULL), MOSHI_OK);
    assert_int_equal(tensor_writer_push(w, "123", 3, NULL), MOSHI_OK);
    assert_int_equal(tensor_writer_finish(w, &err), MOSHI_ARGUMENT);
    assert_non_null(strstr(err.message, "tensor a lacks 5 of its 8 bytes"));
    assert_int_equal(tensor_writer_push(w, "123456", 6, &err), MOSHI_ARGUMENT);
    assert_non_null(strstr(err.message, "1 bytes more than the tensors take"));
    tensor_writer_close(&w);
    tensor_writer_close(&w); /* nothing to close is no fault */

    file_bytes now = bytes_load(path);
    assert_int_equal(now.n, old.n);
    assert_memory_equal(now.data, old.data, old.n);
    bytes_release(&now);
    bytes_release(&old);
}

static void no_room(void **state)
{
    (void)state;
    const tensor_spec spec = {"a", DTYPE_F32, 2, {1024, 1024}};
    tensor_writer *w = NULL;
    moshi_error err = {0};
    const char *path = test_path("no such folder/model.gguf");
    assert_int_equal(tensor_writer_open(&w, path, CHECKPOINT_GGUF, &spec, 1,
                                        &err), MOSHI_IO);
    assert_non_null(strstr(err.message, path));
    if (access("/dev/full", W_OK) != 0)
        return;
    /* What is written is gathered: a push that fills a piece meets the disk, or
     * the end of a file that fills none. */
    assert_int_equal(tensor_writer_open(&w, "/dev/full", CHECKPOINT_GGUF, &spec,
                                        1, &err), MOSHI_OK);
    char *data = calloc(1024 * 1024, sizeof(float));
    assert_non_null(data);
    assert_int_equal(tensor_writer_push(w, data, (size_t)4 << 20, &err),
                     MOSHI_IO);
    assert_non_null(strstr(err.message, "/dev/full"));
    tensor_writer_close(&w);
    const tensor_spec small = {"a", DTYPE_F32, 1, {4}};
    err = (moshi_error){0};
    assert_int_equal(tensor_writer_open(&w, "/dev/full", CHECKPOINT_GGUF,
                                        &small, 1, &err), MOSHI_OK);
    assert_int_equal(tensor_writer_push(w, data, 16, &err), MOSHI_OK);
    assert_int_equal(tensor_writer_finish(w, &err), MOSHI_IO);
    assert_non_null(strstr(err.message, "/dev/full"));
    tensor_writer_close(&w);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),   cmocka_unit_test(exact_bytes),
        cmocka_unit_test(refused_lists),
        cmocka_unit_test(too_little_or_too_much), cmocka_unit_test(no_room),
    };
    return cmocka_run_group_tests(tests, NULL, test_folder_remove);
}
