/* tensor_writer.c: write the header, then data as it comes. */
#include "files/tensor_writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/output_file.h"
#include "files/tensor_header.h"

/* Two of the large pages that a system knows: a model that was just written is
 * then mapped as quickly as one that was read (docs/SPEED.md). */
#define PIECE_BYTES ((size_t)4 << 20)

struct tensor_writer {
    checkpoint_format format;
    char *path;         /* owned; for messages */
    tensor_spec *specs; /* owned */
    size_t count;
    output_file *file; /* owned */
    size_t current;    /* tensor that is being written; count: all are */
    size_t done;       /* bytes of it that were written */
    size_t *begins;    /* owned; of each tensor in the file; NULL: in order */
};

size_t tensor_writer_file_bytes(checkpoint_format format,
                                const tensor_spec *specs, size_t count)
{
    size_t total = tensor_header_build(format, specs, count, NULL), stored;
    for (size_t i = 0; total && i < count; i++)
        if (!tensor_stored_bytes(format, &specs[i], &stored) ||
            !size_add(total, stored, &total))
            return 0;
    return total;
}

static int compare_names(const void *a, const void *b)
{
    const tensor_spec *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static moshi_status check_names(const tensor_writer *w, moshi_error *err)
{
    const tensor_spec **order = memory_calloc(w->count, sizeof *order);
    if (!order)
        return error_no_memory(err, "the list of tensors");
    for (size_t i = 0; i < w->count; i++)
        order[i] = &w->specs[i];
    qsort(order, w->count, sizeof *order, compare_names);
    moshi_status status = MOSHI_OK;
    for (size_t i = 1; i < w->count && status == MOSHI_OK; i++)
        if (strcmp(order[i - 1]->name, order[i]->name) == 0)
            status = error_set(err, MOSHI_ARGUMENT,
                               "%s: two tensors have the name %s", w->path,
                               order[i]->name);
    memory_free(order);
    return status;
}

static moshi_status check_specs(const tensor_writer *w, moshi_error *err)
{
    for (size_t i = 0; i < w->count; i++)
        if (!tensor_spec_fits(w->format, &w->specs[i]))
            return error_set(err, MOSHI_ARGUMENT,
                             "%s: tensor %.128s cannot be written to a %s "
                             "file: its name, shape or type does not fit",
                             w->path, w->specs[i].name,
                             w->format == CHECKPOINT_GGUF ? "GGUF"
                                                          : "safetensors");
    if (!tensor_writer_file_bytes(w->format, w->specs, w->count))
        return error_set(err, MOSHI_ARGUMENT,
                         "%s: the tensors are larger than any file", w->path);
    return check_names(w, err);
}

static size_t build_header(const tensor_writer *w, const tensor_note *notes,
                           size_t n_notes, unsigned char *buffer)
{
    if (n_notes)
        return tensor_header_build_noted(notes, n_notes, w->specs, w->count,
                                         buffer);
    return tensor_header_build(w->format, w->specs, w->count, buffer);
}

static moshi_status write_header(tensor_writer *w, const tensor_note *notes,
                                 size_t n_notes, size_t *n, moshi_error *err)
{
    *n = build_header(w, notes, n_notes, NULL);
    unsigned char *header = memory_calloc(*n, 1);
    if (!header)
        return error_no_memory(err, "the header of a model file");
    build_header(w, notes, n_notes, header);
    moshi_status status = output_file_write(w->file, header, *n, err);
    memory_free(header);
    return status;
}

/* gather: bytes of the pieces that are written (output_file_gather), or 0. */
static moshi_status open_writer(tensor_writer **out, const char *path,
                                checkpoint_format format,
                                const tensor_note *notes, size_t n_notes,
                                const tensor_spec *specs, size_t count,
                                size_t gather, size_t *header_bytes,
                                moshi_error *err)
{
    if (count > LIMIT_TENSORS)
        return error_set(err, MOSHI_ARGUMENT,
                         "%s: %zu tensors are more than a file can have (%zu)",
                         path, count, LIMIT_TENSORS);
    tensor_writer *w = memory_calloc(1, sizeof *w);
    if (!w)
        return error_no_memory(err, "a model file");
    w->format = format;
    w->count = count;
    w->path = memory_strdup(path);
    w->specs = memory_calloc(count, sizeof *w->specs);
    moshi_status status = MOSHI_OK;
    if (!w->path || !w->specs)
        status = error_no_memory(err, "a model file");
    if (status == MOSHI_OK) {
        if (count)
            memcpy(w->specs, specs, count * sizeof *specs);
        status = check_specs(w, err);
    }
    if (status == MOSHI_OK)
        status = output_file_open(&w->file, path, err);
    /* What is scattered may have holes. */
    if (status == MOSHI_OK && gather)
        status = output_file_expect(
            w->file, tensor_writer_file_bytes(format, specs, count), err);
    if (status == MOSHI_OK && gather)
        status = output_file_gather(w->file, gather, err);
    if (status == MOSHI_OK)
        status = write_header(w, notes, n_notes, header_bytes, err);
    if (status == MOSHI_OK)
        *out = w;
    else
        tensor_writer_close(&w);
    return status;
}

moshi_status tensor_writer_open(tensor_writer **out, const char *path,
                                checkpoint_format format,
                                const tensor_spec *specs, size_t count,
                                moshi_error *err)
{
    size_t header_bytes;
    return open_writer(out, path, format, NULL, 0, specs, count, PIECE_BYTES,
                       &header_bytes, err);
}

moshi_status tensor_writer_open_scattered(tensor_writer **out,
                                          const char *path,
                                          const tensor_note *notes,
                                          size_t n_notes,
                                          const tensor_spec *specs,
                                          size_t count, moshi_error *err)
{
    tensor_writer *w = NULL;
    size_t at = 0;
    moshi_status status = open_writer(&w, path, CHECKPOINT_SAFETENSORS, notes,
                                      n_notes, specs, count, 0, &at, err);
    if (status != MOSHI_OK)
        return status;
    w->begins = memory_calloc(count + 1, sizeof *w->begins);
    if (!w->begins) {
        tensor_writer_close(&w);
        return error_no_memory(err, "the list of tensors");
    }
    for (size_t i = 0; i < count; i++) { /* no overflow: open made the sum */
        w->begins[i] = at;
        at += tensor_spec_bytes(&w->specs[i]);
    }
    w->begins[count] = at;
    *out = w;
    return MOSHI_OK;
}

moshi_status tensor_writer_put(tensor_writer *w, size_t index, size_t at,
                               const void *data, size_t n_bytes,
                               moshi_error *err)
{
    assert(w->begins && index < w->count &&
           w->begins[index] + at + n_bytes <= w->begins[index + 1]);
    return output_file_write_at(w->file, w->begins[index] + at, data, n_bytes,
                                err);
}

/* The current tensor is full: pad it and go on to the next. */
static moshi_status end_tensor(tensor_writer *w, moshi_error *err)
{
    static const char zeros[TENSOR_GGUF_ALIGNMENT];
    size_t stored = 0; /* no overflow: open made the sum */
    tensor_stored_bytes(w->format, &w->specs[w->current], &stored);
    size_t padding = stored - w->done;
    w->current++;
    w->done = 0;
    return output_file_write(w->file, zeros, padding, err);
}

moshi_status tensor_writer_push(tensor_writer *w, const void *data,
                                size_t n_bytes, moshi_error *err)
{
    const unsigned char *at = data;
    while (n_bytes > 0) {
        if (w->current == w->count)
            return error_set(err, MOSHI_ARGUMENT,
                             "%s: %zu bytes more than the tensors take",
                             w->path, n_bytes);
        size_t total = tensor_spec_bytes(&w->specs[w->current]);
        size_t n = total - w->done < n_bytes ? total - w->done : n_bytes;
        moshi_status status = output_file_write(w->file, at, n, err);
        if (status != MOSHI_OK)
            return status;
        w->done += n;
        at += n;
        n_bytes -= n;
        if (w->done == total)
            status = end_tensor(w, err);
        if (status != MOSHI_OK)
            return status;
    }
    return MOSHI_OK;
}

moshi_status tensor_writer_finish(tensor_writer *w, moshi_error *err)
{
    if (w->begins) {
        moshi_status status = output_file_resize(w->file, w->begins[w->count],
                                                 err);
        return status == MOSHI_OK ? output_file_commit(w->file, err) : status;
    }
    if (w->current < w->count) {
        const tensor_spec *spec = &w->specs[w->current];
        return error_set(err, MOSHI_ARGUMENT,
                         "%s: tensor %s lacks %zu of its %zu bytes", w->path,
                         spec->name, tensor_spec_bytes(spec) - w->done,
                         tensor_spec_bytes(spec));
    }
    return output_file_commit(w->file, err);
}

void tensor_writer_close(tensor_writer **writer)
{
    tensor_writer *w = *writer;
    if (!w)
        return;
    output_file_close(&w->file);
    memory_free(w->begins);
    memory_free(w->specs);
    memory_free(w->path);
    memory_free(w);
    *writer = NULL;
}
