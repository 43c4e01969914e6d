/* tensor_writer.h: write a safetensors or GGUF file, tensor by tensor.
 *
 * The list of tensors is given first, then their data in the same order, in
 * pieces of any size; memory stays bounded whatever the size of the file. The
 * file appears under its name only when it is complete (it is written beside
 * it and renamed), so a failed run leaves no half file and destroys no old
 * one. GGUF files are written as candle writes them: version 2, no metadata,
 * 32-byte alignment (docs/FORMATS.md). safetensors headers are padded with
 * spaces to a multiple of 8 bytes. */
#ifndef MOSHI_FILES_TENSOR_WRITER_H
#define MOSHI_FILES_TENSOR_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

#include "base/dtype.h"
#include "base/limits.h"
#include "files/checkpoint.h"

typedef struct tensor_spec {
    char name[128];
    dtype type;
    int n_dims;
    size_t dims[LIMIT_DIMS]; /* row-major, outermost first */
} tensor_spec;

/* An entry of the `__metadata__` of a safetensors file: UTF-8 without control
 * characters. */
typedef struct tensor_note {
    const char *key, *text;
} tensor_note;

typedef struct tensor_writer tensor_writer;

/* Bytes of a tensor's data, and of the whole file; 0 if a spec is invalid
 * (rows that are not whole blocks, a type the format cannot hold). */
size_t tensor_spec_bytes(const tensor_spec *spec);
size_t tensor_writer_file_bytes(checkpoint_format format,
                                const tensor_spec *specs, size_t count);

/* specs are copied. Errors: MOSHI_IO (folder missing or read-only),
 * MOSHI_ARGUMENT (invalid spec), MOSHI_NO_MEMORY. */
moshi_status tensor_writer_open(tensor_writer **out, const char *path,
                                checkpoint_format format,
                                const tensor_spec *specs, size_t count,
                                moshi_error *err);

/* A safetensors file with notes, whose data come in any order
 * (tensor_writer_put). specs and notes are copied or used up. */
moshi_status tensor_writer_open_scattered(tensor_writer **out,
                                          const char *path,
                                          const tensor_note *notes,
                                          size_t n_notes,
                                          const tensor_spec *specs,
                                          size_t count, moshi_error *err);

/* Write bytes at … at + n_bytes of tensor `index` of such a file. What is never
 * written reads as zeros (and takes no room where the file system knows
 * holes). MOSHI_IO: a pipe cannot be written so. */
moshi_status tensor_writer_put(tensor_writer *writer, size_t index, size_t at,
                               const void *data, size_t n_bytes,
                               moshi_error *err);

/* Append data of the current tensor; moves on to the next when it is full. They
 * reach the file 4 MB at a time: that the disk is full may be said by a later
 * push, or by finish. */
moshi_status tensor_writer_push(tensor_writer *writer, const void *data,
                                size_t n_bytes, moshi_error *err);

/* All data must have been pushed. Renames the file into place. */
moshi_status tensor_writer_finish(tensor_writer *writer, moshi_error *err);

/* Closes; an unfinished file is removed. */
void tensor_writer_close(tensor_writer **writer);

#endif
