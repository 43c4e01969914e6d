/* checkpoint_build.c: what both formats must satisfy.
 *
 * After checkpoint_finish every tensor lies inside the file, no two overlap,
 * each takes the bytes that its shape and type need, and names are unique. */
#include "files/checkpoint_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "files/text.h"

moshi_status checkpoint_fault(const checkpoint *file, const char *name,
                              moshi_status status, moshi_error *err,
                              const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (name)
        return error_set(err, status, "%s: tensor %s: %s", file->path, name,
                         text);
    return error_set(err, status, "%s: %s", file->path, text);
}

moshi_status checkpoint_reserve(checkpoint *file, size_t count,
                                moshi_error *err)
{
    if (count > LIMIT_TENSORS)
        return checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                                "the header counts %zu tensors; at most %zu "
                                "are possible",
                                count, LIMIT_TENSORS);
    file->n_slots = 16;
    while (file->n_slots < 2 * count)
        file->n_slots *= 2;
    file->capacity = count;
    file->tensors = memory_calloc(count, sizeof *file->tensors);
    file->begins = memory_calloc(count, sizeof *file->begins);
    file->slots = memory_calloc(file->n_slots, sizeof *file->slots);
    if (!file->tensors || !file->begins || !file->slots)
        return error_no_memory(err, "the list of tensors");
    return MOSHI_OK;
}

/* Rows of whole blocks; a scalar is one row of one element. */
static bool measure(const checkpoint_entry *entry, size_t *n_bytes)
{
    size_t row = entry->n_dims ? entry->dims[entry->n_dims - 1] : 1, n;
    if (!dtype_row_bytes(entry->type, row, &n))
        return false;
    for (int i = 0; i < entry->n_dims - 1; i++)
        if (!size_mul(n, entry->dims[i], &n))
            return false;
    *n_bytes = n;
    return true;
}

/* Describe what the shape needs when the file says something else. */
static moshi_status size_fault(const checkpoint *file,
                               const checkpoint_tensor *t, size_t found,
                               moshi_error *err)
{
    char shape[128];
    checkpoint_shape_text(t, shape, sizeof shape);
    return checkpoint_fault(file, t->name, MOSHI_FORMAT, err,
                            "%s %s takes %zu bytes but the header gives it "
                            "%zu",
                            dtype_info(t->type)->name, shape, t->n_bytes,
                            found);
}

static moshi_status shape_fault(const checkpoint *file,
                                const checkpoint_tensor *t, moshi_error *err)
{
    char shape[128];
    checkpoint_shape_text(t, shape, sizeof shape);
    const dtype_traits *traits = dtype_info(t->type);
    size_t row = t->n_dims ? t->dims[t->n_dims - 1] : 1;
    if (row % traits->block != 0)
        return checkpoint_fault(file, t->name, MOSHI_FORMAT, err,
                                "%s: rows of %s must be a multiple of %zu",
                                shape, traits->name, traits->block);
    return checkpoint_fault(file, t->name, MOSHI_FORMAT, err,
                            "%s is larger than any memory", shape);
}

moshi_status checkpoint_add(checkpoint *file, const checkpoint_entry *entry,
                            moshi_error *err)
{
    if (!text_is_name(entry->name, entry->name_bytes))
        return checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                                "tensor number %zu has a name that is empty, "
                                "longer than %d bytes or not text",
                                file->count + 1, LIMIT_NAME_BYTES);
    checkpoint_tensor *t = &file->tensors[file->count];
    char *name = memory_calloc(entry->name_bytes + 1, 1);
    if (!name)
        return error_no_memory(err, "the name of a tensor");
    memcpy(name, entry->name, entry->name_bytes);
    *t = (checkpoint_tensor){
        .name = name, .type = entry->type, .n_dims = entry->n_dims};
    memcpy(t->dims, entry->dims, sizeof t->dims);
    file->begins[file->count++] = entry->begin; /* the name is owned now */

    if (!measure(entry, &t->n_bytes))
        return shape_fault(file, t, err);
    if (entry->end == CHECKPOINT_END_BY_SIZE)
        return MOSHI_OK;
    if (entry->end < entry->begin)
        return checkpoint_fault(file, name, MOSHI_FORMAT, err,
                                "data ends at %zu, before its beginning at %zu",
                                entry->end, entry->begin);
    if (entry->end - entry->begin != t->n_bytes)
        return size_fault(file, t, entry->end - entry->begin, err);
    return MOSHI_OK;
}

static moshi_status place_data(checkpoint *file, size_t data_start,
                               moshi_error *err)
{
    for (size_t i = 0; i < file->count; i++) {
        checkpoint_tensor *t = &file->tensors[i];
        size_t begin, end;
        if (!size_add(data_start, file->begins[i], &begin) ||
            !size_add(begin, t->n_bytes, &end))
            return checkpoint_fault(file, t->name, MOSHI_FORMAT, err,
                                    "data is said to begin %zu bytes into the "
                                    "data section, beyond any file",
                                    file->begins[i]);
        if (end > file->n_bytes) {
            checkpoint_fault(file, t->name, MOSHI_FORMAT, err,
                             "data lies at bytes %zu..%zu but the file ends "
                             "at %zu",
                             begin, end, file->n_bytes);
            error_hint(err, CHECKPOINT_TRUNCATED);
            return MOSHI_FORMAT;
        }
        t->data = file->bytes + begin;
    }
    return MOSHI_OK;
}

static int compare_data(const void *a, const void *b)
{
    const checkpoint_tensor *const *x = a, *const *y = b;
    const char *p = (*x)->data, *q = (*y)->data;
    if (p != q)
        return p < q ? -1 : 1;
    return ((*x)->n_bytes > (*y)->n_bytes) - ((*x)->n_bytes < (*y)->n_bytes);
}

static moshi_status check_overlaps(const checkpoint *file, moshi_error *err)
{
    const checkpoint_tensor **order = memory_calloc(file->count,
                                                    sizeof *order);
    if (!order)
        return error_no_memory(err, "the list of tensors");
    for (size_t i = 0; i < file->count; i++)
        order[i] = &file->tensors[i];
    qsort(order, file->count, sizeof *order, compare_data);
    moshi_status status = MOSHI_OK;
    for (size_t i = 1; i < file->count && status == MOSHI_OK; i++) {
        const checkpoint_tensor *a = order[i - 1], *b = order[i];
        const unsigned char *end = (const unsigned char *)a->data + a->n_bytes;
        if ((const unsigned char *)b->data < end)
            status = checkpoint_fault(file, a->name, MOSHI_FORMAT, err,
                                      "its data overlaps that of tensor %.200s",
                                      b->name);
    }
    memory_free(order);
    return status;
}

static moshi_status index_names(checkpoint *file, moshi_error *err)
{
    for (size_t i = 0; i < file->count; i++) {
        const char *name = file->tensors[i].name;
        size_t slot = checkpoint_slot(file, name);
        if (file->slots[slot])
            return checkpoint_fault(file, name, MOSHI_FORMAT, err,
                                    "the file holds two tensors of this name");
        file->slots[slot] = (uint32_t)(i + 1);
    }
    return MOSHI_OK;
}

moshi_status checkpoint_finish(checkpoint *file, size_t data_start,
                               moshi_error *err)
{
    moshi_status status = index_names(file, err);
    if (status == MOSHI_OK)
        status = place_data(file, data_start, err);
    if (status == MOSHI_OK)
        status = check_overlaps(file, err);
    return status;
}
