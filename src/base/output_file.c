/* output_file.c: write beside the target, rename when complete.
 *
 * Where the system can (Linux, most of its file systems) the file has no name
 * until it is complete: a process that is interrupted or killed leaves nothing
 * behind. Elsewhere it has a temporary one from the start. */
#include "base/output_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

struct output_file {
    int fd;
    char *path;      /* as given; for messages */
    char *target;    /* what is replaced: the same, behind all links */
    char *temporary; /* NULL: fd is the target itself (a special file) */
    bool named;      /* a file of that name exists, and is ours */
    char *piece;     /* gathered, not yet written; NULL: nothing gathers */
    size_t room, held; /* bytes of a piece, and in it */
};

/* The names of open descriptors: they may lead to a regular file, but a
 * rename would replace the name instead of writing there. */
static bool is_descriptor(const char *path)
{
    return strncmp(path, "/dev/std", 8) == 0 ||
           strncmp(path, "/dev/fd/", 8) == 0 ||
           strncmp(path, "/proc/", 6) == 0;
}

static bool is_special(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISDIR(info.st_mode) &&
           (!S_ISREG(info.st_mode) || is_descriptor(path));
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool output_file_replaces(const char *path, const char *other)
{
    struct stat x, y;
    return other && stat(path, &x) == 0 && stat(other, &y) == 0 &&
           x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* A new file has the permissions that open(2) gives it; one that is replaced
 * keeps its own. */
static void keep_mode(int fd, const char *target)
{
    struct stat info;
    if (stat(target, &info) == 0 && fchmod(fd, info.st_mode & 07777) != 0)
        return; /* benign: it has those of a new file */
}

#define NAMES_TRIED 100

/* Room for the temporary name. */
static size_t name_room(const char *path)
{
    return strlen(path) + sizeof ".2147483647-99";
}

static void make_name(char *name, const char *path, int i)
{
    snprintf(name, name_room(path), "%s.%d-%d", path, (int)getpid(), i);
}

/* --- a file without a name --- */

#ifdef O_TMPFILE
/* Give fd the first free name "PATH.PID-N", put into `name`. False: errno. */
static bool give_name(int fd, const char *path, char *name)
{
    char descriptor[32];
    snprintf(descriptor, sizeof descriptor, "/proc/self/fd/%d", fd);
    for (int i = 0; i < NAMES_TRIED; i++) {
        make_name(name, path, i);
        if (linkat(AT_FDCWD, descriptor, AT_FDCWD, name,
                   AT_SYMLINK_FOLLOW) == 0)
            return true;
        if (errno != EEXIST)
            return false;
    }
    return false;
}

/* A new file in the folder of path, or -1. Whether it can be given a name is
 * tried with another: after hours of work it would be too late. */
static int open_nameless(const char *path, char *name)
{
    snprintf(name, name_room(path), "%s", path);
    const char *folder = dirname(name);
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    int trial = fd < 0 ? -1 : open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC,
                                   0600);
    bool ok = trial >= 0 && give_name(trial, path, name);
    if (ok)
        unlink(name);
    if (trial >= 0)
        close(trial);
    if (!ok && fd >= 0)
        close(fd);
    return ok ? fd : -1;
}
#else
static bool give_name(int fd, const char *path, char *name)
{
    (void)fd, (void)path, (void)name;
    errno = ENOSYS;
    return false;
}

static int open_nameless(const char *path, char *name)
{
    (void)path, (void)name;
    return -1;
}
#endif

/* A new file of the first free name, put into `name`; or -1 and errno. */
static int open_named(const char *path, char *name)
{
    int fd = -1;
    errno = EEXIST;
    for (int i = 0; fd < 0 && errno == EEXIST && i < NAMES_TRIED; i++) {
        make_name(name, path, i);
        fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    return fd;
}

/* A file that somebody has protected is not replaced, though its folder would
 * allow it. */
static bool is_protected(const char *path)
{
    return faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0 &&
           faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0;
}

/* file->temporary has name_room(). fd is -1 and errno set if it fails. */
static void open_temporary(output_file *file, const char *path)
{
    if (!*path)
        errno = ENOENT;
    if (!*path || is_protected(path))
        return;
    file->fd = open_nameless(path, file->temporary);
    if (file->fd < 0) {
        file->fd = open_named(path, file->temporary);
        file->named = file->fd >= 0;
    }
    if (file->fd >= 0)
        keep_mode(file->fd, path);
}

/* A link stays, and the file that it leads to is replaced: it may be one on
 * another disk. A link to nothing is replaced itself. */
static char *resolve(const char *path)
{
    struct stat info;
    char *real = lstat(path, &info) == 0 && S_ISLNK(info.st_mode)
                     ? realpath(path, NULL) : NULL;
    char *target = memory_strdup(real ? real : path);
    free(real);
    return target;
}

moshi_status output_file_open(output_file **out, const char *path,
                              moshi_error *err)
{
    bool standard = strcmp(path, "-") == 0;
    if (standard)
        path = "standard output";
    else if (is_folder(path))
        return error_set(err, MOSHI_IO, "cannot write '%s': it is a folder",
                         path);
    output_file *file = memory_calloc(1, sizeof *file);
    if (!file)
        return error_no_memory(err, "an output file");
    file->fd = -1;
    file->path = memory_strdup(path);
    file->target = resolve(path);
    if (!file->path || !file->target) {
        output_file_close(&file);
        return error_no_memory(err, "an output file");
    }
    if (standard) {
        file->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    } else if (is_special(path)) {
        file->fd = open(path, O_WRONLY | O_CLOEXEC);
    } else {
        file->temporary = memory_calloc(name_room(file->target), 1);
        if (!file->temporary) {
            output_file_close(&file);
            return error_no_memory(err, "an output file");
        }
        open_temporary(file, file->target);
    }
    if (file->fd < 0) {
        int reason = errno;
        output_file_close(&file);
        return error_set(err, MOSHI_IO, "cannot write '%s': %s", path,
                         strerror(reason));
    }
    *out = file;
    return MOSHI_OK;
}

moshi_status output_file_expect(const output_file *file, uint64_t n_bytes,
                                moshi_error *err)
{
    struct statvfs disk;
    struct rlimit most;
    if (!file->temporary)
        return MOSHI_OK;
    if (getrlimit(RLIMIT_FSIZE, &most) == 0 &&
        most.rlim_cur != RLIM_INFINITY && n_bytes > most.rlim_cur) {
        error_set(err, MOSHI_IO, "cannot write '%s': it would have %.2f MB, "
                  "and files here may have %.2f MB", file->path,
                  (double)n_bytes * 1e-6, (double)most.rlim_cur * 1e-6);
        return error_hint(err, "raise the limit: ulimit -f");
    }
    if (fstatvfs(file->fd, &disk) != 0 || disk.f_blocks == 0)
        return MOSHI_OK; /* the file system does not say */
    double left = (double)disk.f_bavail * (double)disk.f_frsize;
    if ((double)n_bytes <= left)
        return MOSHI_OK;
    error_set(err, MOSHI_IO, "cannot write '%s': it takes %.2f MB and its disk "
              "has %.2f MB left", file->path, (double)n_bytes * 1e-6,
              left * 1e-6);
    return error_hint(err, "make room, or write to another disk");
}

moshi_status output_file_gather(output_file *file, size_t bytes,
                                moshi_error *err)
{
    assert(!file->piece && bytes > 0);
    file->piece = memory_calloc(bytes, 1);
    if (!file->piece)
        return error_no_memory(err, "what is written to a file");
    file->room = bytes;
    return MOSHI_OK;
}

static moshi_status write_out(output_file *file, const char *at,
                              size_t n_bytes, moshi_error *err)
{
    while (n_bytes > 0) {
        ssize_t n = write(file->fd, at, n_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, MOSHI_IO, "cannot write '%s': %s",
                             file->path, strerror(errno));
        at += n;
        n_bytes -= (size_t)n;
    }
    return MOSHI_OK;
}

static moshi_status write_held(output_file *file, moshi_error *err)
{
    size_t held = file->held;
    file->held = 0;
    return write_out(file, file->piece, held, err);
}

moshi_status output_file_write(output_file *file, const void *data,
                               size_t n_bytes, moshi_error *err)
{
    const char *at = data;
    if (!file->piece)
        return write_out(file, at, n_bytes, err);
    while (n_bytes > 0) {
        size_t left = file->room - file->held;
        size_t n = n_bytes < left ? n_bytes : left;
        memcpy(file->piece + file->held, at, n);
        file->held += n;
        at += n;
        n_bytes -= n;
        moshi_status status = MOSHI_OK;
        if (file->held == file->room)
            status = write_held(file, err);
        if (status != MOSHI_OK)
            return status;
    }
    return MOSHI_OK;
}

moshi_status output_file_write_at(output_file *file, size_t at,
                                  const void *data, size_t n_bytes,
                                  moshi_error *err)
{
    const char *from = data;
    assert(!file->piece);
    while (n_bytes > 0) {
        ssize_t n = pwrite(file->fd, from, n_bytes, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, MOSHI_IO, "cannot write '%s': %s",
                             file->path, strerror(errno));
        from += n;
        at += (size_t)n;
        n_bytes -= (size_t)n;
    }
    return MOSHI_OK;
}

moshi_status output_file_resize(output_file *file, size_t n_bytes,
                                moshi_error *err)
{
    if (ftruncate(file->fd, (off_t)n_bytes) == 0)
        return MOSHI_OK;
    return error_set(err, MOSHI_IO, "cannot write '%s': %s", file->path,
                     strerror(errno));
}

int output_file_descriptor(const output_file *file)
{
    return file->fd;
}

moshi_status output_file_commit(output_file *file, moshi_error *err)
{
    moshi_status status = write_held(file, err);
    if (status != MOSHI_OK)
        return status;
    bool ok = true;
    if (file->temporary && !file->named)
        ok = file->named = give_name(file->fd, file->target, file->temporary);
    if (ok) {
        int fd = file->fd;
        file->fd = -1;
        ok = close(fd) == 0;
    }
    if (ok && file->temporary)
        ok = rename(file->temporary, file->target) == 0;
    if (!ok)
        return error_set(err, MOSHI_IO, "cannot write '%s': %s", file->path,
                         strerror(errno));
    file->named = false;
    return MOSHI_OK;
}

void output_file_close(output_file **handle)
{
    output_file *file = *handle;
    if (!file)
        return;
    if (file->fd >= 0)
        close(file->fd);
    if (file->named)
        unlink(file->temporary);
    memory_free(file->temporary);
    memory_free(file->piece);
    memory_free(file->path);
    memory_free(file->target);
    memory_free(file);
    *handle = NULL;
}
