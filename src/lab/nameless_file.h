/* nameless_file.h: room on disk that is gone when it is closed.
 *
 * The file is removed from its folder (TMPDIR, else /tmp) as soon as it is
 * made; while it is open a path leads to it. */
#ifndef MOSHI_LAB_NAMELESS_FILE_H
#define MOSHI_LAB_NAMELESS_FILE_H

#include <moshi/error.h>

typedef struct nameless_file {
    int fd; /* -1: not open */
    char path[32];
} nameless_file;

/* `what` is to be written ("two traces"). Errors: MOSHI_IO. */
moshi_status nameless_file_open(nameless_file *n, const char *what,
                                moshi_error *err);
void nameless_file_close(nameless_file *n);

#endif
