/* nameless_file.c: make a file, take its name away. */
#include "lab/nameless_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

#define PATTERN "/moshi-lab.XXXXXX"

moshi_status nameless_file_open(nameless_file *n, const char *what,
                                moshi_error *err)
{
    const char *folder = getenv("TMPDIR");
    if (!folder || !*folder)
        folder = "/tmp";
    size_t room = strlen(folder) + sizeof PATTERN;
    char *path = memory_calloc(room, 1);
    if (!path)
        return error_no_memory(err, "a file name");
    snprintf(path, room, "%s" PATTERN, folder);
    n->fd = mkostemp(path, O_CLOEXEC);
    moshi_status status = MOSHI_OK;
    if (n->fd < 0) {
        error_set(err, MOSHI_IO, "cannot write into '%s': %s", folder,
                  strerror(errno));
        status = error_hint(err, "set TMPDIR to a folder with room for %s",
                            what);
    } else {
        unlink(path);
        snprintf(n->path, sizeof n->path, "/dev/fd/%d", n->fd);
    }
    memory_free(path);
    return status;
}

void nameless_file_close(nameless_file *n)
{
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
}
