/* trace_file.h: a trace, opened for reading: checked, row by row.
 *
 * Anyone's trace is read, as long as it is a safetensors file whose operations
 * have the frame as their first axis (docs/TRACE.md). The bytes are not
 * trusted: after opening, every operation has one row of at least one number
 * for each frame, and frame numbers ascend. Memory: that of the header, which
 * is bounded.
 *
 * Thread-safety: an open trace may be read from any number of threads. */
#ifndef MOSHI_LAB_TRACE_FILE_H
#define MOSHI_LAB_TRACE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include <moshi/error.h>

#include "files/checkpoint.h"
#include "lab/trace_format.h"

typedef struct trace_file {
    checkpoint *file;                 /* owned */
    const checkpoint_tensor **values; /* owned; the operations, in order */
    size_t n_values;
    size_t frames;                    /* F: rows of each */
    const checkpoint_tensor *tables[TRACE_TABLE_COUNT]; /* NULL: not there */
} trace_file;

/* Errors: MOSHI_IO, MOSHI_FORMAT (damaged), MOSHI_MISMATCH (no trace, or a
 * tensor that does not fit the rest), MOSHI_NO_MEMORY. */
moshi_status trace_file_open(trace_file *out, const char *path,
                             moshi_error *err);
/* The same for bytes that outlive it; `label` stands for the path. */
moshi_status trace_file_open_memory(trace_file *out, const void *bytes,
                                    size_t n_bytes, const char *label,
                                    moshi_error *err);
void trace_file_close(trace_file *trace);

/* An entry of the metadata, or "" if there is none. */
const char *trace_file_note(const trace_file *trace, const char *key);

/* The operation of that name, or NULL. */
const checkpoint_tensor *trace_file_find(const trace_file *trace,
                                         const char *name);

/* The number of the frame in row `row`. */
int64_t trace_file_frame(const trace_file *trace, size_t row);

/* Numbers of one row. */
size_t trace_row_numbers(const checkpoint_tensor *t);
/* Whole numbers, not floats? */
bool trace_is_whole(const checkpoint_tensor *t);
/* Numbers from … from + n - 1 of a row, as floats or as whole numbers. */
void trace_row_floats(const checkpoint_tensor *t, size_t row, size_t from,
                      size_t n, float *out);
void trace_row_whole(const checkpoint_tensor *t, size_t row, size_t from,
                     size_t n, int64_t *out);

/* The cell of a table; row 0 of a table [T]. */
int64_t trace_cell(const checkpoint_tensor *t, size_t row, size_t column);
float trace_cell_float(const checkpoint_tensor *t, size_t row, size_t column);
size_t trace_table_rows(const checkpoint_tensor *t);
size_t trace_table_columns(const checkpoint_tensor *t);

#endif
