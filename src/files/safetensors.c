/* safetensors.c: read the header of a safetensors file.
 *
 *     u64 header length (little endian) | JSON header | data
 *
 * The header is one object: for each tensor its name, and under it `dtype`,
 * `shape` and `data_offsets` [begin, end) counted from the end of the header;
 * and, if it likes, `__metadata__`, an object of strings. */
#include <string.h>

#include "files/checkpoint_build.h"
#include "files/text.h"

#define METADATA "__metadata__"
#define LENGTH_BYTES 8

/* *n_bytes of JSON follow the length, and lie inside the file. */
static moshi_status check_length(const checkpoint *file, size_t *n_bytes,
                                 moshi_error *err)
{
    uint64_t n = checkpoint_u64(file->bytes);
    if (n > LIMIT_HEADER_BYTES)
        return checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                                "the header is said to take %llu bytes; at "
                                "most %zu are possible",
                                (unsigned long long)n, LIMIT_HEADER_BYTES);
    if (n > file->n_bytes - LENGTH_BYTES) {
        checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                         "the header lies at bytes %d..%llu but the file ends "
                         "at %zu",
                         LENGTH_BYTES, (unsigned long long)n + LENGTH_BYTES,
                         file->n_bytes);
        error_hint(err, CHECKPOINT_TRUNCATED);
        return MOSHI_FORMAT;
    }
    if (n == 0)
        return checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                                "the header is empty");
    *n_bytes = (size_t)n;
    return MOSHI_OK;
}

static moshi_status read_type(const checkpoint *file, const char *name,
                              const value *entry, dtype *out,
                              moshi_error *err)
{
    const char *text;
    if (!value_string(value_get(entry, "dtype"), &text))
        return checkpoint_fault(file, name, MOSHI_FORMAT, err,
                                "the header does not say its dtype");
    /* Quantised types have names too, but no safetensors file holds them. */
    if (dtype_from_name(text, out) && dtype_info(*out)->block == 1)
        return MOSHI_OK;
    char shown[32];
    text_printable(shown, sizeof shown, text);
    checkpoint_fault(file, name, MOSHI_UNSUPPORTED, err,
                     "numbers of type %s cannot be used", shown);
    if (strcmp(text, "U32") == 0)
        error_hint(err, "files quantised for MLX hold U32: take the model's "
                        "candle or PyTorch file");
    return MOSHI_UNSUPPORTED;
}

static bool read_size(const value *v, size_t *out)
{
    int64_t n;
    if (!value_integer(v, &n) || n < 0 || (uint64_t)n > SIZE_MAX)
        return false;
    *out = (size_t)n;
    return true;
}

static moshi_status read_shape(const checkpoint *file,
                               checkpoint_entry *entry, const char *name,
                               const value *shape, moshi_error *err)
{
    size_t n = value_count(shape);
    if (value_type(shape) != VALUE_ARRAY)
        return checkpoint_fault(file, name, MOSHI_FORMAT, err,
                                "the header does not say its shape");
    if (n > LIMIT_DIMS)
        return checkpoint_fault(file, name, MOSHI_UNSUPPORTED, err,
                                "it has %zu dimensions; at most %d can be "
                                "used",
                                n, LIMIT_DIMS);
    entry->n_dims = (int)n;
    for (size_t i = 0; i < n; i++)
        if (!read_size(value_at(shape, i), &entry->dims[i]))
            return checkpoint_fault(file, name, MOSHI_FORMAT, err,
                                    "dimension %zu of its shape is not a size",
                                    i);
    return MOSHI_OK;
}

static moshi_status read_entry(checkpoint *file, const char *name,
                               const value *v, moshi_error *err)
{
    checkpoint_entry entry = {.name = name, .name_bytes = strlen(name)};
    if (!text_is_name(name, entry.name_bytes))
        return checkpoint_add(file, &entry, err); /* says what is wrong */
    if (value_type(v) != VALUE_OBJECT)
        return checkpoint_fault(file, name, MOSHI_FORMAT, err,
                                "the header does not describe it");
    moshi_status status = read_type(file, name, v, &entry.type, err);
    if (status == MOSHI_OK)
        status = read_shape(file, &entry, name, value_get(v, "shape"), err);
    if (status != MOSHI_OK)
        return status;
    const value *offsets = value_get(v, "data_offsets");
    if (value_count(offsets) != 2 ||
        !read_size(value_at(offsets, 0), &entry.begin) ||
        !read_size(value_at(offsets, 1), &entry.end))
        return checkpoint_fault(file, name, MOSHI_FORMAT, err,
                                "its data_offsets are not two sizes");
    return checkpoint_add(file, &entry, err);
}

moshi_status safetensors_read(checkpoint *file, moshi_error *err)
{
    size_t n_bytes = 0;
    moshi_status status = check_length(file, &n_bytes, err);
    if (status != MOSHI_OK)
        return status;
    status = value_parse_json(&file->header,
                              (const char *)file->bytes + LENGTH_BYTES, n_bytes,
                              "header", err);
    if (status != MOSHI_OK) {
        error_context(err, "%s", file->path);
        return status;
    }
    if (value_type(file->header) != VALUE_OBJECT)
        return checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                                "the header is a list, not an object");
    file->metadata = value_get(file->header, METADATA);
    status = checkpoint_reserve(file, value_count(file->header), err);
    for (size_t i = 0; i < value_count(file->header) && status == MOSHI_OK; i++)
        if (strcmp(value_key(file->header, i), METADATA) != 0)
            status = read_entry(file, value_key(file->header, i),
                                value_at(file->header, i), err);
    if (status == MOSHI_OK)
        status = checkpoint_finish(file, LENGTH_BYTES + n_bytes, err);
    return status;
}
