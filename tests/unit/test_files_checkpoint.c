/* Goal: a file that is no model is refused in words that say what it is, on
 * disk as in memory. Method: the first bytes of the usual accidents; files
 * that are missing, empty, or folders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "file_bytes.h"

typedef struct accident {
    const char *bytes;
    size_t n;
    const char *message, *hint;
} accident;

#define BYTES(literal) literal, sizeof literal - 1

static const accident accidents[] = {
    {"", 0, "x: the file is empty", "download"},
    {BYTES("G"), "the file has only 1 bytes", "download"},
    {BYTES("GGU"), "the file has only 3 bytes", "download"},
    {BYTES("\x10\0\0\0\0\0\0"), "the file has only 7 bytes", "download"},
    {BYTES("GGUF"), "the file ends at 4, inside the GGUF header", "truncated"},
    {BYTES("GGUF\2\0\0\0\1"), "the file ends at 9, inside the GGUF header",
     "truncated"},
    {BYTES("\x40\0\0\0\0\0\0\0{\"a\""),
     "the header lies at bytes 8..72 but the file ends at 12", "truncated"},
    {BYTES("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"),
     "this is a git-lfs pointer", "git lfs pull"},
    {BYTES("<!DOCTYPE html>\n<html>"), "this is an HTML page", "page"},
    {BYTES("\n <HTML lang=en>"), "this is an HTML page", "page"},
    {BYTES("<?xml version=\"1.0\"?><Error>"), "this is an XML document",
     "page"},
    {BYTES("PK\x03\x04\0\0\x08\x08\0\0archive/data.pkl"), "this is a zip "
     "archive (as PyTorch's .bin and .pt files are)", "safetensors"},
    {BYTES("\x80\x02}q\0X\5\0\0\0"), "this is a Python pickle", "safetensors"},
    {BYTES("\x93NUMPY\1\0v\0"), "this is a NumPy array", "safetensors"},
    {BYTES("lmgg\0\0\0\0\1"), "this is a GGML file, older than GGUF",
     "safetensors"},
    {BYTES("\x1f\x8b\x08\0\0\0\0\0\0"), "this is compressed with gzip",
     "gunzip"},
    {BYTES("RIFF\x24\0\0\0WAVEfmt "), "this is a sound file", "model file"},
    {BYTES("{\n  \"dim\": 4096,"), "this is JSON text", "--config"},
    {BYTES("{}"), "this is JSON text", "--config"},
    {BYTES("hello, this is text"), "this is not a safetensors or GGUF file: "
     "it begins with bytes 68 65 6c 6c", "download"},
    {BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "it begins with bytes "
     "ff ff ff ff", "download"},
};

static void in_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accidents / sizeof *accidents; i++) {
        const accident *a = &accidents[i];
        checkpoint *file = NULL;
        moshi_error err = {0};
        assert_int_equal(bytes_open(&file, a->bytes, a->n, &err), MOSHI_FORMAT);
        if (!strstr(err.message, a->message) || !strstr(err.hint, a->hint))
            fail_msg("wanted \"%s\" and \"%s\", got \"%s\" and \"%s\"",
                     a->message, a->hint, err.message, err.hint);
    }
}

static void on_disk(void **state)
{
    (void)state;
    const char *path = test_path("model.safetensors");
    for (size_t i = 0; i < sizeof accidents / sizeof *accidents; i++) {
        const accident *a = &accidents[i];
        file_bytes b = {0};
        checkpoint *file = NULL;
        moshi_error err = {0};
        bytes_put(&b, a->bytes, a->n);
        bytes_save(&b, path);
        assert_int_equal(checkpoint_open(&file, path, &err), MOSHI_FORMAT);
        assert_null(file);
        assert_int_equal(strncmp(err.message, path, strlen(path)), 0);
        bytes_release(&b);
    }
}

static void good_files(void **state)
{
    (void)state;
    const char *path = test_path("good");
    for (uint32_t version = 0; version <= 3; version++) {
        file_bytes b = version ? bytes_good_gguf(version)
                               : bytes_good_safetensors();
        checkpoint *file = NULL;
        bytes_save(&b, path);
        assert_int_equal(checkpoint_open(&file, path, NULL), MOSHI_OK);
        assert_string_equal(checkpoint_path(file), path);
        assert_int_equal(checkpoint_kind(file),
                         version ? CHECKPOINT_GGUF : CHECKPOINT_SAFETENSORS);
        assert_non_null(checkpoint_find(file, "emb.weight"));
        checkpoint_close(&file);
        assert_null(file);
        checkpoint_close(&file); /* nothing to close is no fault */
        bytes_release(&b);
    }
}

static void unreadable(void **state)
{
    (void)state;
    checkpoint *file = NULL;
    moshi_error err = {0};
    const char *missing = test_path("missing.gguf");
    assert_int_equal(checkpoint_open(&file, missing, &err), MOSHI_IO);
    assert_non_null(strstr(err.message, missing));
    const char *folder = test_path("folder.gguf");
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(checkpoint_open(&file, folder, &err), MOSHI_IO);
    assert_non_null(strstr(err.message, "is not a regular file"));
    assert_null(file);
}

/* Opening looks at the header alone: a file whose data is a hole of 64 GiB
 * opens at once, and no page of the data is read. */
static void huge_file(void **state)
{
    (void)state;
    const uint64_t bytes = (uint64_t)64 << 30;
    const char *path = test_path("huge.gguf");
    file_bytes b = gguf_begin(3, 1, 0);
    gguf_tensor(&b, 3, "a", 2, (uint64_t[]){1 << 16, bytes >> 16}, 24, 0);
    gguf_data(&b, 32, 0);
    bytes_save(&b, path);
    if (truncate(path, (off_t)(b.n + bytes)) != 0) {
        bytes_release(&b);
        skip(); /* a file system without large files */
    }
    checkpoint *file = NULL;
    assert_int_equal(checkpoint_open(&file, path, NULL), MOSHI_OK);
    assert_int_equal(checkpoint_at(file, 0)->n_bytes, bytes);
    const char *data = checkpoint_at(file, 0)->data;
    assert_int_equal(data[bytes - 1], 0);
    checkpoint_close(&file);
    assert_int_equal(truncate(path, (off_t)(b.n + bytes - 1)), 0);
    assert_int_equal(checkpoint_open(&file, path, NULL), MOSHI_FORMAT);
    bytes_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_memory),  cmocka_unit_test(on_disk),
        cmocka_unit_test(good_files), cmocka_unit_test(unreadable),
        cmocka_unit_test(huge_file),
    };
    return cmocka_run_group_tests(tests, NULL, test_folder_remove);
}
