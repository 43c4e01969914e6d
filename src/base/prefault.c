/* prefault.c: populate page tables chunk by chunk; look at a flag between. */
#include "base/prefault.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

/* From the disk this takes some milliseconds: so long may closing wait. */
#define CHUNK_BYTES ((size_t)4 << 20)

/* Linux 5.14; older headers do not name it, older kernels answer EINVAL. */
#define POPULATE_READ 22

struct prefault {
    pthread_t thread;
    prefault_part *parts; /* owned */
    size_t n_parts, total;
    prefault_progress *progress;
    void *user;
    atomic_bool stop;
    bool joined; /* of the thread that waits and closes */
};

/* One byte of each page, so that the system maps it. */
static void touch(const char *at, size_t bytes, size_t page)
{
    for (size_t i = 0; i < bytes; i += page)
        (void)*(const volatile char *)(at + i);
}

static void populate(const void *data, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = (uintptr_t)data / page * page;
    size_t n = (uintptr_t)data + bytes - begin;
#if defined(__linux__)
    if (madvise((void *)begin, n, POPULATE_READ) == 0 || errno != EINVAL)
        return; /* EFAULT: the file was cut; whoever reads it will see */
#endif
    madvise((void *)begin, n, MADV_WILLNEED);
    touch((const char *)begin, n, page);
}

static void *walk(void *argument)
{
    prefault *p = argument;
    size_t done = 0;
    for (size_t i = 0; i < p->n_parts; i++) {
        const char *data = p->parts[i].data;
        if (p->parts[i].make) {
            if (atomic_load_explicit(&p->stop, memory_order_relaxed))
                return NULL;
            p->parts[i].make(data);
            done += p->parts[i].bytes;
            if (p->progress && done < p->total)
                p->progress(p->user, done, p->total);
            continue;
        }
        for (size_t at = 0; at < p->parts[i].bytes; at += CHUNK_BYTES) {
            size_t left = p->parts[i].bytes - at;
            size_t n = left < CHUNK_BYTES ? left : CHUNK_BYTES;
            if (atomic_load_explicit(&p->stop, memory_order_relaxed))
                return NULL;
            populate(data + at, n);
            done += n;
            if (p->progress && done < p->total)
                p->progress(p->user, done, p->total);
        }
    }
    if (p->progress)
        p->progress(p->user, p->total, p->total);
    return NULL;
}

static void release(prefault *p)
{
    memory_free(p->parts);
    memory_free(p);
}

moshi_status prefault_open(prefault **out, const prefault_part *parts,
                           size_t n_parts, prefault_progress *progress,
                           void *user, moshi_error *err)
{
    prefault *p = memory_calloc(1, sizeof *p);
    if (!p)
        return error_no_memory(err, "loading in the background");
    p->parts = memory_calloc(n_parts, sizeof *p->parts);
    if (!p->parts) {
        release(p);
        return error_no_memory(err, "loading in the background");
    }
    if (n_parts)
        memcpy(p->parts, parts, n_parts * sizeof *parts);
    p->n_parts = n_parts;
    p->progress = progress;
    p->user = user;
    for (size_t i = 0; i < n_parts; i++)
        p->total += parts[i].bytes;
    /* Before the thread can: how much there is must be known by the time that
     * anybody looks. */
    if (progress && p->total)
        progress(user, 0, p->total);
    int failed = pthread_create(&p->thread, NULL, walk, p);
    if (failed) {
        if (progress) /* nothing more will come */
            progress(user, p->total, p->total);
        release(p);
        return error_set(err, MOSHI_LACKING, "no thread to load a model: %s",
                         strerror(failed));
    }
    *out = p;
    return MOSHI_OK;
}

void prefault_wait(prefault *p)
{
    if (!p || p->joined)
        return;
    pthread_join(p->thread, NULL);
    p->joined = true;
}

void prefault_close(prefault **handle)
{
    prefault *p = *handle;
    if (!p)
        return;
    atomic_store(&p->stop, true);
    prefault_wait(p);
    release(p);
    *handle = NULL;
}
