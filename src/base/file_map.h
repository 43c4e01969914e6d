/* file_map.h: a whole file, read-only, mapped into memory. */
#ifndef MOSHI_BASE_FILE_MAP_H
#define MOSHI_BASE_FILE_MAP_H

#include <stddef.h>

#include <moshi/error.h>

typedef struct file_map {
    const unsigned char *data; /* NULL for an empty file */
    size_t bytes;
} file_map;

/* *map is written on success alone. Errors (MOSHI_IO): missing, a folder,
 * unreadable. An empty file maps. A file that is cut while it is mapped ends the
 * process when what was cut off is read. */
moshi_status file_map_open(file_map *map, const char *path, moshi_error *err);
/* {0} is fine, and is what stays behind. */
void file_map_close(file_map *map);

/* Give back the memory of all pages that a part of a map lies in, its neighbours'
 * share too; they are read from the file again when they are touched. Of a map
 * alone: other memory would lose what it holds. */
void file_map_forget(const void *data, size_t n_bytes);

#endif
