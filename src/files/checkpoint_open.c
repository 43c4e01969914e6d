/* checkpoint_open.c: open a file of either format, or say what it is instead. */
#include "files/checkpoint.h"

#include <string.h>

#include "base/memory.h"
#include "files/checkpoint_build.h"
#include "files/sniff.h"

#define AGAIN "download the file again"

/* A safetensors header has a length that the file can hold, or at least
 * begins like one (the file may be truncated). */
static bool is_safetensors(const unsigned char *bytes, size_t n_bytes)
{
    if (n_bytes < 8)
        return false;
    return checkpoint_u64(bytes) <= n_bytes - 8 ||
           (n_bytes > 8 && bytes[8] == '{');
}

static bool is_gguf(const unsigned char *bytes, size_t n_bytes)
{
    return n_bytes >= 4 && memcmp(bytes, "GGUF", 4) == 0;
}

/* Say what the file is, since it is no model. */
static moshi_status not_a_model(const checkpoint *file, moshi_error *err)
{
    const sniff_kind *kind = sniff(file->bytes, file->n_bytes);
    const char *what = kind ? kind->what : NULL;
    const char *hint = kind ? kind->hint : NULL;
    if (!what && file->bytes[0] == '{') {
        what = "JSON text";
        hint = "a model file was expected here; give a config with --config";
    }
    if (what)
        checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                         "this is %s, not a safetensors or GGUF file", what);
    else if (file->n_bytes < 8)
        checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                         "the file has only %zu bytes, too few for a "
                         "safetensors or GGUF file",
                         file->n_bytes);
    else
        checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                         "this is not a safetensors or GGUF file: it begins "
                         "with bytes %02x %02x %02x %02x",
                         file->bytes[0], file->bytes[1], file->bytes[2],
                         file->bytes[3]);
    error_hint(err, "%s", hint ? hint : AGAIN);
    return MOSHI_FORMAT;
}

static moshi_status read_any(checkpoint *file, moshi_error *err)
{
    if (file->n_bytes == 0) {
        checkpoint_fault(file, NULL, MOSHI_FORMAT, err, "the file is empty");
        error_hint(err, AGAIN);
        return MOSHI_FORMAT;
    }
    if (is_gguf(file->bytes, file->n_bytes)) {
        file->format = CHECKPOINT_GGUF;
        return gguf_read(file, err);
    }
    if (is_safetensors(file->bytes, file->n_bytes)) {
        file->format = CHECKPOINT_SAFETENSORS;
        return safetensors_read(file, err);
    }
    return not_a_model(file, err);
}

static checkpoint *new_checkpoint(const char *path, moshi_error *err)
{
    checkpoint *file = memory_calloc(1, sizeof *file);
    if (file)
        file->path = memory_strdup(path);
    if (!file || !file->path) {
        checkpoint_close(&file);
        error_no_memory(err, "a model file");
    }
    return file;
}

static moshi_status read_or_close(checkpoint **out, checkpoint *file,
                                  moshi_error *err)
{
    moshi_status status = read_any(file, err);
    if (status == MOSHI_OK)
        *out = file;
    else
        checkpoint_close(&file);
    return status;
}

moshi_status checkpoint_open(checkpoint **out, const char *path,
                             moshi_error *err)
{
    checkpoint *file = new_checkpoint(path, err);
    if (!file)
        return MOSHI_NO_MEMORY;
    moshi_status status = file_map_open(&file->map, path, err);
    if (status != MOSHI_OK) {
        checkpoint_close(&file);
        return status;
    }
    file->bytes = file->map.data;
    file->n_bytes = file->map.bytes;
    return read_or_close(out, file, err);
}

moshi_status checkpoint_open_memory(checkpoint **out, const void *bytes,
                                    size_t n_bytes, const char *label,
                                    moshi_error *err)
{
    checkpoint *file = new_checkpoint(label, err);
    if (!file)
        return MOSHI_NO_MEMORY;
    file->bytes = bytes;
    file->n_bytes = n_bytes;
    return read_or_close(out, file, err);
}

void checkpoint_close(checkpoint **handle)
{
    checkpoint *file = *handle;
    if (!file)
        return;
    for (size_t i = 0; i < file->count; i++)
        memory_free((char *)(uintptr_t)file->tensors[i].name);
    memory_free(file->tensors);
    memory_free(file->begins);
    memory_free(file->slots);
    value_close(&file->header);
    file_map_close(&file->map);
    memory_free(file->path);
    memory_free(file);
    *handle = NULL;
}
