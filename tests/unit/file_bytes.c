/* file_bytes.c: bytes of model files, and the folder that tests write in. */
#include "file_bytes.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"

void bytes_put(file_bytes *b, const void *data, size_t n)
{
    void *grown = b->data;
    assert_true(memory_grow(&grown, &b->capacity, b->n + n, 1));
    b->data = grown;
    if (n)
        memcpy(b->data + b->n, data, n);
    b->n += n;
}

void bytes_put_text(file_bytes *b, const char *text)
{
    bytes_put(b, text, strlen(text));
}

void bytes_put_zeros(file_bytes *b, size_t n)
{
    while (n-- > 0)
        bytes_put(b, "", 1);
}

void bytes_put_number(file_bytes *b, uint64_t number, int n)
{
    for (int i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)(number >> 8 * i);
        bytes_put(b, &byte, 1);
    }
}

void bytes_release(file_bytes *b)
{
    memory_free(b->data);
    *b = (file_bytes){0};
}

file_bytes bytes_safetensors(const char *header, size_t data_bytes)
{
    file_bytes b = {0};
    bytes_put_number(&b, strlen(header), 8);
    bytes_put_text(&b, header);
    bytes_put_zeros(&b, data_bytes);
    return b;
}

void gguf_count(file_bytes *b, uint32_t version, uint64_t count)
{
    bytes_put_number(b, count, version == 1 ? 4 : 8);
}

void gguf_string(file_bytes *b, uint32_t version, const char *text)
{
    gguf_count(b, version, strlen(text));
    bytes_put_text(b, text);
}

file_bytes gguf_begin(uint32_t version, uint64_t tensors, uint64_t metadata)
{
    file_bytes b = {0};
    bytes_put_text(&b, "GGUF");
    bytes_put_number(&b, version, 4);
    gguf_count(&b, version, tensors);
    gguf_count(&b, version, metadata);
    return b;
}

void gguf_key(file_bytes *b, uint32_t version, const char *key, uint32_t type)
{
    gguf_string(b, version, key);
    bytes_put_number(b, type, 4);
}

void gguf_tensor(file_bytes *b, uint32_t version, const char *name,
                 uint32_t n_dims, const uint64_t *dims, uint32_t type,
                 uint64_t offset)
{
    gguf_string(b, version, name);
    bytes_put_number(b, n_dims, 4);
    for (uint32_t i = 0; i < n_dims; i++)
        gguf_count(b, version, dims[i]);
    bytes_put_number(b, type, 4);
    bytes_put_number(b, offset, 8);
}

void gguf_data(file_bytes *b, size_t alignment, size_t data_bytes)
{
    while (b->n % alignment != 0)
        bytes_put_zeros(b, 1);
    bytes_put_zeros(b, data_bytes);
}

file_bytes bytes_good_safetensors(void)
{
    return bytes_safetensors(
        "{\"__metadata__\":{\"format\":\"pt\",\"n\":\"2\"},"
        "\"norm.alpha\":{\"dtype\":\"F32\",\"shape\":[1,1,3],"
        "\"data_offsets\":[12,24]},"
        "\"emb.weight\":{\"dtype\":\"BF16\",\"shape\":[2,3],"
        "\"data_offsets\":[0,12]}}   ",
        24);
}

/* Every type of metadata value, an array in an array, and an alignment. */
static void put_metadata(file_bytes *b, uint32_t version)
{
    static const int bytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    for (uint32_t type = 0; type < 13; type++) {
        if (bytes[type] == 0)
            continue;
        gguf_key(b, version, "a number", type);
        bytes_put_number(b, 1, bytes[type]);
    }
    gguf_key(b, version, "general.name", 8);
    gguf_string(b, version, "tiny");
    gguf_key(b, version, "strings", 9);
    bytes_put_number(b, 8, 4);
    gguf_count(b, version, 2);
    gguf_string(b, version, "");
    gguf_string(b, version, "two");
    gguf_key(b, version, "arrays", 9);
    bytes_put_number(b, 9, 4);
    gguf_count(b, version, 1);
    bytes_put_number(b, 5, 4);
    gguf_count(b, version, 3);
    bytes_put_zeros(b, 12);
    gguf_key(b, version, "general.alignment", 4);
    bytes_put_number(b, 64, 4);
}

file_bytes bytes_good_gguf(uint32_t version)
{
    file_bytes b = gguf_begin(version, 2, 15);
    put_metadata(&b, version);
    gguf_tensor(&b, version, "norm.alpha", 3, (uint64_t[]){3, 1, 1}, 0, 128);
    gguf_tensor(&b, version, "emb.weight", 2, (uint64_t[]){32, 2}, 8, 0);
    gguf_data(&b, 64, 128 + 12);
    return b;
}

/* Blocks that bytes_open made, by the checkpoint that reads them. */
static struct {
    checkpoint *file;
    void *block;
} blocks[8];

moshi_status bytes_open(checkpoint **out, const void *data, size_t n,
                        moshi_error *err)
{
    void *block = malloc(n);
    checkpoint *file = NULL;
    if (n)
        memcpy(block, data, n);
    moshi_status status = checkpoint_open_memory(&file, block, n, "x", err);
    if (status != MOSHI_OK) {
        assert_null(file);
        free(block);
        return status;
    }
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (!blocks[i].file) {
            blocks[i].file = *out = file;
            blocks[i].block = block;
            return MOSHI_OK;
        }
    fail_msg("more than 8 files are open");
    return MOSHI_OK;
}

void bytes_close(checkpoint **file)
{
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (*file && blocks[i].file == *file) {
            checkpoint_close(file);
            free(blocks[i].block);
            blocks[i].file = NULL;
        }
}

void bytes_expect(const file_bytes *b, moshi_status status, const char *text)
{
    checkpoint *file = NULL;
    moshi_error err = {0};
    moshi_status got = bytes_open(&file, b->data, b->n, &err);
    if (got != status || err.status != status || !strstr(err.message, text))
        fail_msg("wanted %s with \"%s\", got %s with \"%s\"",
                 moshi_status_name(status), text, moshi_status_name(got),
                 err.message);
    assert_int_equal(strncmp(err.message, "x: ", 3), 0);
    assert_int_equal(bytes_open(&file, b->data, b->n, NULL), status);
}

static char folder[256];

const char *test_path(const char *name)
{
    static char paths[8][512];
    static size_t turn;
    if (!folder[0]) {
        const char *base = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/moshi-test.XXXXXX",
                 base && *base ? base : "/tmp");
        assert_non_null(mkdtemp(folder));
    }
    turn = (turn + 1) % 8;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

void bytes_save(const file_bytes *b, const char *path)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    if (b->n)
        assert_int_equal(fwrite(b->data, 1, b->n, file), b->n);
    assert_int_equal(fclose(file), 0);
}

file_bytes bytes_load(const char *path)
{
    file_bytes b = {0};
    char buffer[65536];
    size_t n;
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot read %s", path);
    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0)
        bytes_put(&b, buffer, n);
    fclose(file);
    return b;
}

int test_folder_remove(void **state)
{
    (void)state;
    if (!folder[0])
        return 0;
    DIR *list = opendir(folder);
    if (!list)
        return -1;
    for (struct dirent *e; (e = readdir(list)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            const char *path = test_path(e->d_name);
            chmod(path, 0700);
            if (unlink(path) != 0)
                rmdir(path);
        }
    closedir(list);
    int status = rmdir(folder);
    folder[0] = 0;
    return status;
}
