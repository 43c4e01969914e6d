/* file_map.c: map a whole file read-only (POSIX). */
#include "base/file_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/pages.h"

moshi_status file_map_open(file_map *map, const char *path, moshi_error *err)
{
    struct stat info;
    /* A pipe must not hold us up before its type is seen. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set(err, MOSHI_IO, "cannot open '%s': %s", path,
                         strerror(errno));
    moshi_status status = MOSHI_OK;
    void *data = NULL;
    if (fstat(fd, &info) != 0) {
        status = error_set(err, MOSHI_IO, "cannot read '%s': %s", path,
                           strerror(errno));
    } else if (!S_ISREG(info.st_mode)) {
        status = error_set(err, MOSHI_IO, "'%s' is not a regular file", path);
    } else if (info.st_size > 0) {
        data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
            status = error_set(err, MOSHI_IO, "cannot map '%s': %s", path,
                               strerror(errno));
    }
    close(fd);
    if (status == MOSHI_OK) {
        map->data = data;
        map->bytes = (size_t)info.st_size;
        pages_ask_large(data, map->bytes);
    }
    return status;
}

void file_map_close(file_map *map)
{
    if (map->data)
        munmap((void *)(uintptr_t)map->data, map->bytes);
    map->data = NULL;
    map->bytes = 0;
}

void file_map_forget(const void *data, size_t n_bytes)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = (uintptr_t)data / page * page;
    /* Nothing is lost if it fails, or if neighbours share the first page. */
    madvise((void *)begin, (uintptr_t)data + n_bytes - begin, MADV_DONTNEED);
}
