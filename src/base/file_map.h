/* file_map.h: a whole file, read-only, mapped into memory. */
#ifndef MOSHI_BASE_FILE_MAP_H
#define MOSHI_BASE_FILE_MAP_H

#include <stddef.h>

#include <moshi/error.h>

typedef struct file_map {
    const unsigned char *data; /* NULL for an empty file */
    size_t bytes;
} file_map;

/* Errors (MOSHI_IO): missing, a folder, unreadable. An empty file maps. */
moshi_status file_map_open(file_map *map, const char *path, moshi_error *err);
void file_map_close(file_map *map);

/* Give back the memory of the whole pages in a part of a map; they are read
 * from the file again when they are touched. */
void file_map_forget(const void *data, size_t n_bytes);

#endif
