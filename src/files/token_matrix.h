/* token_matrix.h: recorded codes as they stand in a file, and sorted out.
 *
 * A file is read as a matrix first; which of its axes is the codebooks' is
 * decided afterwards, by the codec that it is for.
 *
 * Thread-safety: no shared state. */
#ifndef MOSHI_FILES_TOKEN_MATRIX_H
#define MOSHI_FILES_TOKEN_MATRIX_H

#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

typedef struct token_matrix {
    int32_t *values; /* owned; [rows][columns] */
    size_t rows, columns;
} token_matrix;

void token_matrix_release(token_matrix *m);

/* Which axis is which. By itself (AUTO) the axis that is no longer than the
 * codec has codebooks is theirs; [K, T] when both are. */
typedef enum token_layout {
    TOKEN_LAYOUT_AUTO,
    TOKEN_LAYOUT_KT, /* codebooks by frames */
    TOKEN_LAYOUT_TK  /* frames by codebooks */
} token_layout;

/* *codes is allocated (memory_free) as [T][K], every code 0 … bins-1. Errors:
 * MOSHI_MISMATCH (more than codebooks_max codebooks, no frame, a code out of
 * range: the message says which). */
moshi_status token_matrix_codes(const token_matrix *m, token_layout layout,
                                int codebooks_max, int bins, const char *label,
                                int32_t **codes, int *K, size_t *T,
                                moshi_error *err);

/* For the readers of one format: room for rows * columns values. Errors:
 * MOSHI_FORMAT (none, or more than LIMIT_TOKENS), MOSHI_NO_MEMORY. */
moshi_status token_matrix_reserve(token_matrix *out, size_t rows,
                                  size_t columns, const char *label,
                                  moshi_error *err);

/* Value i of the matrix, which must fit 32 bits. Errors: MOSHI_FORMAT. */
moshi_status token_matrix_set(token_matrix *m, size_t i, int64_t value,
                              const char *label, moshi_error *err);

#endif
