/* checkpoint.c: a file that was opened: its tensors by number and by name. */
#include "files/checkpoint.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "files/checkpoint_build.h"

checkpoint_format checkpoint_kind(const checkpoint *file)
{
    return file->format;
}

const char *checkpoint_path(const checkpoint *file)
{
    return file->path;
}

size_t checkpoint_file_bytes(const checkpoint *file)
{
    return file->n_bytes;
}

size_t checkpoint_count(const checkpoint *file)
{
    return file->count;
}

const checkpoint_tensor *checkpoint_at(const checkpoint *file, size_t index)
{
    assert(index < file->count);
    return &file->tensors[index];
}

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

size_t checkpoint_slot(const checkpoint *file, const char *name)
{
    size_t mask = file->n_slots - 1, slot = (size_t)hash_of(name) & mask;
    while (file->slots[slot] &&
           strcmp(file->tensors[file->slots[slot] - 1].name, name) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

const checkpoint_tensor *checkpoint_find(const checkpoint *file,
                                         const char *name)
{
    uint32_t found = file->slots[checkpoint_slot(file, name)];
    return found ? &file->tensors[found - 1] : NULL;
}

const checkpoint_tensor *checkpoint_find_format(const checkpoint *file,
                                                const char *format, ...)
{
    char name[LIMIT_NAME_BYTES + 1];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(name, sizeof name, format, args);
    va_end(args);
    return n < 0 || (size_t)n >= sizeof name ? NULL
                                             : checkpoint_find(file, name);
}

size_t checkpoint_elements(const checkpoint_tensor *tensor)
{
    size_t n = 1; /* opening multiplied it out: no overflow */
    for (int i = 0; i < tensor->n_dims; i++)
        n *= tensor->dims[i];
    return n;
}

char *checkpoint_shape_text(const checkpoint_tensor *tensor, char *buffer,
                            size_t buffer_bytes)
{
    size_t n = 0;
    for (int i = 0; i < tensor->n_dims && n < buffer_bytes; i++)
        n += (size_t)snprintf(buffer + n, buffer_bytes - n, "%s%zu",
                              i ? ", " : "[", tensor->dims[i]);
    if (n < buffer_bytes)
        snprintf(buffer + n, buffer_bytes - n, n ? "]" : "[]");
    return buffer;
}

int64_t checkpoint_integer(const checkpoint_tensor *t, size_t index)
{
    int32_t narrow;
    int64_t wide;
    if (t->type == DTYPE_I32) {
        memcpy(&narrow, (const char *)t->data + index * sizeof narrow,
               sizeof narrow);
        return narrow;
    }
    memcpy(&wide, (const char *)t->data + index * sizeof wide, sizeof wide);
    return wide;
}

void checkpoint_forget(const checkpoint *file, const checkpoint_tensor *t)
{
    if (file->map.data) /* else the bytes are the caller's */
        file_map_forget(t->data, t->n_bytes);
}

const char *checkpoint_metadata(const checkpoint *file, const char *key)
{
    const char *text = NULL;
    value_string(value_get(file->metadata, key), &text);
    return text;
}
