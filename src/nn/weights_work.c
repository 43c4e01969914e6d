/* weights_work.c: a list of jobs that several threads may share out. */
#include "nn/weights_work.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"

typedef struct job {
    weights_job *do_it;
    void *user; /* owned */
} job;

struct weights_work {
    job *jobs;
    size_t count, room, bytes;
    pthread_mutex_t lock; /* of the two below */
    pthread_cond_t all_done;
    size_t taken, done;
    atomic_bool finished; /* done == count: seen without the lock */
};

weights_work *weights_work_open(void)
{
    weights_work *w = memory_calloc(1, sizeof *w);
    if (!w)
        return NULL;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->all_done, NULL);
    return w;
}

void weights_work_close(weights_work **handle)
{
    weights_work *w = *handle;
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++)
        memory_free(w->jobs[i].user);
    memory_free(w->jobs);
    pthread_cond_destroy(&w->all_done);
    pthread_mutex_destroy(&w->lock);
    memory_free(w);
    *handle = NULL;
}

bool weights_work_add(weights_work *w, weights_job *do_it, const void *user,
                      size_t size, size_t bytes)
{
    if (!memory_grow((void **)&w->jobs, &w->room, w->count + 1,
                     sizeof *w->jobs))
        return false;
    void *copy = memory_calloc(1, size);
    if (!copy)
        return false;
    memcpy(copy, user, size);
    w->jobs[w->count++] = (job){do_it, copy};
    w->bytes += bytes;
    atomic_store(&w->finished, false);
    return true;
}

void weights_work_finish(weights_work *w)
{
    if (atomic_load_explicit(&w->finished, memory_order_acquire))
        return;
    pthread_mutex_lock(&w->lock);
    while (w->taken < w->count) {
        const job *j = &w->jobs[w->taken++];
        pthread_mutex_unlock(&w->lock);
        j->do_it(j->user);
        pthread_mutex_lock(&w->lock);
        if (++w->done == w->count)
            pthread_cond_broadcast(&w->all_done);
    }
    while (w->done < w->count)
        pthread_cond_wait(&w->all_done, &w->lock);
    atomic_store_explicit(&w->finished, true, memory_order_release);
    pthread_mutex_unlock(&w->lock);
}

size_t weights_work_bytes(const weights_work *w)
{
    return w->bytes;
}
