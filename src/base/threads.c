/* threads.c: the pool: spin for a moment, then sleep.
 *
 * A job is published by raising `epoch`. Each worker takes tasks from `next`
 * until there are none, then adds itself to `idle`; the caller does the same
 * and waits until all workers are idle, so the job's data may be reused. */
#include "base/threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#endif

#include "base/denormals.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/memory.h"

/* About 20 microseconds of polling before a worker sleeps: longer than the
 * gaps between the operations of a frame, much shorter than a frame. */
#define SPIN_LIMIT 2000

typedef struct worker {
    struct pool *pool;
    pthread_t thread;
    int index;
} worker;

struct pool {
    int threads;
    worker *workers; /* threads - 1 of them; the caller is worker 0 */
    int started;
    pthread_mutex_t jobs;  /* held for the length of a job */
    pthread_mutex_t sleep; /* guards the two conditions */
    pthread_cond_t wake, done;
    atomic_uint epoch;
    atomic_int idle, sleepers;
    atomic_bool waiting; /* the caller sleeps on `done` */
    atomic_bool stop;
    pool_task *task;
    void *context;
    size_t count;
    atomic_size_t next;
};

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static void take_tasks(pool *p, int index)
{
    for (;;) {
        size_t task = atomic_fetch_add_explicit(&p->next, 1,
                                                memory_order_relaxed);
        if (task >= p->count)
            return;
        p->task(p->context, task, index);
    }
}

static void report_idle(pool *p)
{
    /* Sequentially consistent, against the caller's store to `waiting`:
     * either it sees the last worker idle or we see it waiting. */
    if (atomic_fetch_add(&p->idle, 1) + 1 == p->threads - 1 &&
        atomic_load(&p->waiting)) {
        pthread_mutex_lock(&p->sleep);
        pthread_cond_signal(&p->done);
        pthread_mutex_unlock(&p->sleep);
    }
}

static void *worker_main(void *argument)
{
    worker *self = argument;
    pool *p = self->pool;
    unsigned seen = 0;
    denormals_flush();
    for (;;) {
        unsigned now = seen;
        for (int i = 0; i < SPIN_LIMIT; i++) {
            now = atomic_load_explicit(&p->epoch, memory_order_acquire);
            if (now != seen)
                break;
            relax();
        }
        if (now == seen) {
            pthread_mutex_lock(&p->sleep);
            atomic_fetch_add(&p->sleepers, 1);
            while ((now = atomic_load(&p->epoch)) == seen)
                pthread_cond_wait(&p->wake, &p->sleep);
            atomic_fetch_sub(&p->sleepers, 1);
            pthread_mutex_unlock(&p->sleep);
        }
        seen = now;
        if (atomic_load(&p->stop))
            return NULL;
        take_tasks(p, self->index);
        report_idle(p);
    }
}

/* Raise the epoch and wake whoever sleeps. */
static void publish(pool *p)
{
    atomic_fetch_add(&p->epoch, 1);
    if (atomic_load(&p->sleepers) > 0) {
        pthread_mutex_lock(&p->sleep);
        pthread_cond_broadcast(&p->wake);
        pthread_mutex_unlock(&p->sleep);
    }
}

static void wait_until_idle(pool *p)
{
    for (int i = 0; i < SPIN_LIMIT; i++) {
        if (atomic_load_explicit(&p->idle, memory_order_acquire) ==
            p->threads - 1)
            return;
        relax();
    }
    pthread_mutex_lock(&p->sleep);
    atomic_store(&p->waiting, true);
    while (atomic_load(&p->idle) != p->threads - 1)
        pthread_cond_wait(&p->done, &p->sleep);
    atomic_store(&p->waiting, false);
    pthread_mutex_unlock(&p->sleep);
}

int threads_usable_cores(void)
{
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

moshi_status pool_open(pool **out, int threads, moshi_error *err)
{
    if (threads == 0) {
        threads = threads_usable_cores();
        threads = threads < LIMIT_THREADS ? threads : LIMIT_THREADS;
    }
    if (threads < 0 || threads > LIMIT_THREADS)
        return error_set(err, MOSHI_ARGUMENT,
                         "%d threads asked for; between 1 and %d are possible",
                         threads, LIMIT_THREADS);
    pool *p = memory_calloc(1, sizeof *p);
    if (!p)
        return error_no_memory(err, "the thread pool");
    p->threads = threads;
    pthread_mutex_init(&p->jobs, NULL);
    pthread_mutex_init(&p->sleep, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->done, NULL);
    p->workers = memory_calloc((size_t)threads, sizeof *p->workers);
    if (!p->workers) {
        pool_close(&p);
        return error_no_memory(err, "the thread pool");
    }
    for (int i = 0; i < threads - 1; i++) {
        p->workers[i] = (worker){.pool = p, .index = i + 1};
        if (pthread_create(&p->workers[i].thread, NULL, worker_main,
                           &p->workers[i]) != 0) {
            pool_close(&p);
            return error_set(err, MOSHI_LACKING, "cannot start thread %d of %d",
                             i + 2, threads);
        }
        p->started++;
    }
    *out = p;
    return MOSHI_OK;
}

void pool_close(pool **handle)
{
    pool *p = *handle;
    if (!p)
        return;
    atomic_store(&p->stop, true);
    publish(p);
    for (int i = 0; i < p->started; i++)
        pthread_join(p->workers[i].thread, NULL);
    pthread_mutex_destroy(&p->jobs);
    pthread_mutex_destroy(&p->sleep);
    pthread_cond_destroy(&p->wake);
    pthread_cond_destroy(&p->done);
    memory_free(p->workers);
    memory_free(p);
    *handle = NULL;
}

int pool_threads(const pool *p)
{
    return p->threads;
}

void pool_run(pool *p, size_t count, pool_task *task, void *context)
{
    pthread_mutex_lock(&p->jobs);
    if (count <= 1 || p->threads == 1) {
        for (size_t i = 0; i < count; i++)
            task(context, i, 0);
    } else {
        p->task = task;
        p->context = context;
        p->count = count;
        atomic_store_explicit(&p->next, 0, memory_order_relaxed);
        atomic_store_explicit(&p->idle, 0, memory_order_relaxed);
        publish(p);
        take_tasks(p, 0);
        wait_until_idle(p);
    }
    pthread_mutex_unlock(&p->jobs);
}
