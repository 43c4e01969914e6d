/* codes_file.h: write codes and tokens down in safetensors files. Reading
 * them, and those of others, is files/token_file.h. */
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

#endif
