/* threads.h: a pool of threads that share out the tasks of one job.
 *
 * A job is `count` independent tasks. Threads take the next task from a
 * shared counter, so a slow thread holds nobody up; which thread runs a task
 * never changes its result. Between jobs a worker spins for some
 * microseconds, then sleeps, so that an oversubscribed machine does not burn
 * its cores at a barrier.
 *
 * Thread-safety: pool_run may be called from several threads; jobs are then
 * run one after another. */
#ifndef MOSHI_BASE_THREADS_H
#define MOSHI_BASE_THREADS_H

#include <stddef.h>

#include <moshi/error.h>

typedef struct pool pool;

/* task: 0 … count-1; worker: 0 … pool_threads()-1, for per-thread scratch. */
typedef void pool_task(void *context, size_t task, int worker);

/* threads ≥ 1 includes the caller of pool_run; 0 means one per usable core,
 * LIMIT_THREADS at most. Errors: MOSHI_ARGUMENT (another number),
 * MOSHI_NO_MEMORY, MOSHI_LACKING (no thread can be had). */
moshi_status pool_open(pool **out, int threads, moshi_error *err);
/* When no job runs. */
void pool_close(pool **pool);
int pool_threads(const pool *pool);

/* Run all tasks and return when the last has finished; what they have written is
 * then seen by the caller. With one task, or one thread, everything runs in the
 * caller. A task must not call pool_run of its own pool. Never allocates. */
void pool_run(pool *pool, size_t count, pool_task *task, void *context);

/* Cores that this process may use. */
int threads_usable_cores(void);

#endif
