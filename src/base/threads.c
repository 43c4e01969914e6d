/* threads.c: the pool: tickets for tasks; spin for a moment, then sleep.
 *
 * A job is published as one 64-bit ticket: its number, how many tasks it has,
 * and the next one to take. Taking a task is one compare-and-swap on the
 * ticket, so a thread can only take from the job that is running, and a job is
 * over when its last task is done: a thread that sleeps, or that the system
 * gives to another process, holds nobody up unless it holds a task. */
#include "base/threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
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

/* A ticket's fields, from the low end: next task, tasks, job number. A job
 * number comes again after 2^28 jobs, long after the thread that read it has
 * moved on. */
#define TASK_BITS 18
#define TASKS_MAX (((size_t)1 << TASK_BITS) - 1)

struct pool {
    int threads;
    worker *workers; /* threads - 1 of them; the caller is worker 0 */
    int started;
    pthread_mutex_t jobs;  /* held for the length of a job */
    pthread_mutex_t sleep; /* guards the two conditions */
    pthread_cond_t wake, finished;
    atomic_uint_fast64_t ticket;
    atomic_size_t done;  /* tasks of the running job that are done */
    atomic_int sleepers; /* workers that wait for `wake` */
    atomic_bool waiting; /* the caller waits for `finished` */
    atomic_bool stop;
    /* The running job: written before its ticket is published, not changed
     * while a task of it is taken and not done. */
    pool_task *task;
    void *context;
    size_t first; /* task number of the ticket's task 0 */
};

static uint64_t ticket_make(uint64_t job, size_t count)
{
    return job << 2 * TASK_BITS | (uint64_t)count << TASK_BITS;
}

static uint64_t ticket_job(uint64_t ticket)
{
    return ticket >> 2 * TASK_BITS;
}

static size_t ticket_count(uint64_t ticket)
{
    return (size_t)(ticket >> TASK_BITS) & TASKS_MAX;
}

static size_t ticket_next(uint64_t ticket)
{
    return (size_t)ticket & TASKS_MAX;
}

static bool ticket_open(uint64_t ticket)
{
    return ticket_next(ticket) < ticket_count(ticket);
}

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

/* Take and run tasks until none is left. */
static void take_tasks(pool *p, int index)
{
    uint64_t t = atomic_load(&p->ticket);
    while (ticket_open(t)) {
        if (!atomic_compare_exchange_weak(&p->ticket, &t, t + 1))
            continue;
        p->task(p->context, p->first + ticket_next(t), index);
        /* Sequentially consistent, against the caller's store to `waiting`:
         * either it sees the last task done or we see it waiting. */
        if (atomic_fetch_add(&p->done, 1) + 1 == ticket_count(t) &&
            atomic_load(&p->waiting)) {
            pthread_mutex_lock(&p->sleep);
            pthread_cond_signal(&p->finished);
            pthread_mutex_unlock(&p->sleep);
        }
        t = atomic_load(&p->ticket);
    }
}

/* Until there is a task to take, or the pool closes. */
static void wait_for_work(pool *p)
{
    for (int i = 0; i < SPIN_LIMIT; i++) {
        if (ticket_open(atomic_load_explicit(&p->ticket,
                                             memory_order_relaxed)) ||
            atomic_load_explicit(&p->stop, memory_order_relaxed))
            return;
        relax();
    }
    pthread_mutex_lock(&p->sleep);
    atomic_fetch_add(&p->sleepers, 1);
    while (!ticket_open(atomic_load(&p->ticket)) && !atomic_load(&p->stop))
        pthread_cond_wait(&p->wake, &p->sleep);
    atomic_fetch_sub(&p->sleepers, 1);
    pthread_mutex_unlock(&p->sleep);
}

static void *worker_main(void *argument)
{
    worker *self = argument;
    denormals_flush();
    while (!atomic_load(&self->pool->stop)) {
        take_tasks(self->pool, self->index);
        wait_for_work(self->pool);
    }
    return NULL;
}

static void wake_sleepers(pool *p)
{
    if (atomic_load(&p->sleepers) == 0)
        return;
    pthread_mutex_lock(&p->sleep);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->sleep);
}

static void wait_until_done(pool *p, size_t count)
{
    for (int i = 0; i < SPIN_LIMIT; i++) {
        if (atomic_load_explicit(&p->done, memory_order_acquire) == count)
            return;
        relax();
    }
    pthread_mutex_lock(&p->sleep);
    atomic_store(&p->waiting, true);
    while (atomic_load(&p->done) != count)
        pthread_cond_wait(&p->finished, &p->sleep);
    atomic_store(&p->waiting, false);
    pthread_mutex_unlock(&p->sleep);
}

/* One job of at most TASKS_MAX tasks, from number `first` on. */
static void run_job(pool *p, size_t first, size_t count, pool_task *task,
                    void *context)
{
    p->task = task;
    p->context = context;
    p->first = first;
    atomic_store(&p->done, 0);
    uint64_t job = ticket_job(atomic_load(&p->ticket)) + 1;
    atomic_store(&p->ticket, ticket_make(job, count));
    wake_sleepers(p);
    take_tasks(p, 0);
    wait_until_done(p, count);
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
    pthread_cond_init(&p->finished, NULL);
    p->workers = memory_calloc((size_t)threads, sizeof *p->workers);
    if (!p->workers) {
        pool_close(&p);
        return error_no_memory(err, "the thread pool");
    }
    for (int i = 0; i < threads - 1; i++) {
        p->workers[i] = (worker){.pool = p, .index = i + 1};
        int reason = pthread_create(&p->workers[i].thread, NULL, worker_main,
                                    &p->workers[i]);
        if (reason != 0) {
            pool_close(&p);
            error_set(err, MOSHI_LACKING, "cannot start thread %d of %d: %s",
                      i + 2, threads, strerror(reason));
            return error_hint(err, "ask for fewer threads, or raise the limits "
                              "of processes and memory (ulimit -u, ulimit -v)");
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
    wake_sleepers(p);
    for (int i = 0; i < p->started; i++)
        pthread_join(p->workers[i].thread, NULL);
    pthread_mutex_destroy(&p->jobs);
    pthread_mutex_destroy(&p->sleep);
    pthread_cond_destroy(&p->wake);
    pthread_cond_destroy(&p->finished);
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
        for (size_t first = 0; first < count; first += TASKS_MAX) {
            size_t left = count - first;
            run_job(p, first, left < TASKS_MAX ? left : TASKS_MAX, task,
                    context);
        }
    }
    pthread_mutex_unlock(&p->jobs);
}
