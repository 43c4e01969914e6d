/* codes_file.h: recorded codes and tokens in safetensors files. */
#ifndef MOSHI_CLI_CODES_FILE_H
#define MOSHI_CLI_CODES_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

/* A table of I32 values that grows by rows of K; kept as [T][K] in memory,
 * written as [K, T] (or [T] when K is 0: one value a row). */
typedef struct codes_table {
    const char *name;
    int K;
    int32_t *rows; /* owned */
    size_t T, room;
} codes_table;

bool codes_table_add(codes_table *t, const int32_t *row);
void codes_table_release(codes_table *t);

/* Tables without a row are left out: a run may be too short to speak. */
moshi_status codes_file_write(const char *path, const codes_table *tables,
                              size_t n, moshi_error *err);

/* Read tensor `codes`, [K, T] I32 (I64 is accepted), every code 0 … bins-1.
 * *codes is allocated (memory_free) as [T][K]. Errors: MOSHI_IO, MOSHI_FORMAT,
 * MOSHI_MISMATCH (no such tensor, more codebooks than K_max, a code out of
 * range: the message says which). */
moshi_status codes_file_read(const char *path, int K_max, int bins,
                             int32_t **codes, int *K, size_t *T,
                             moshi_error *err);

#endif
