/* token_file.h: recorded codes of anybody's program: safetensors, npy, text.
 *
 * Sits beside checkpoint.h and knows no model.
 *
 * Thread-safety: no shared state. */
#ifndef MOSHI_FILES_TOKEN_FILE_H
#define MOSHI_FILES_TOKEN_FILE_H

#include <stddef.h>

#include "files/token_matrix.h"

/* Read whole numbers from a file: told apart by its contents.
 *  - safetensors: tensor `name`, else (NULL) `codes`, `codes_out`, or the only
 *    one of type I32 or I64 with two axes;
 *  - npy: an array of an integer type, in C order;
 *  - text: one row a line, numbers between blanks or commas, # comments.
 * Two axes, or three of which the first is 1. Errors: MOSHI_IO, MOSHI_FORMAT,
 * MOSHI_MISMATCH (no such tensor, other axes), MOSHI_UNSUPPORTED (other types,
 * Fortran order), MOSHI_NO_MEMORY. */
moshi_status token_file_open(token_matrix *out, const char *path,
                             const char *name, moshi_error *err);

/* The same for bytes in memory; `label` stands for the path in messages. */
moshi_status token_bytes_open(token_matrix *out, const void *bytes,
                              size_t n_bytes, const char *label,
                              const char *name, moshi_error *err);

#endif
