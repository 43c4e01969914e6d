/* Goal: every task of a job runs exactly once, whatever the number of
 * threads, and its result is there when pool_run returns. Method: tasks that
 * count without atomics, so that the thread sanitizer sees a missing barrier;
 * very many small jobs, which is what a frame is; several callers at once. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/threads.h"

#define TASKS_MAX 100

typedef struct job {
    int runs[TASKS_MAX]; /* plain: each is touched by one task of a job */
    int threads;
    int bad_worker[TASKS_MAX];
} job;

static void count_task(void *context, size_t task, int worker)
{
    job *j = context;
    j->runs[task]++;
    j->bad_worker[task] = worker < 0 || worker >= j->threads;
}

static void check_jobs(pool *p, job *j, int jobs, size_t n)
{
    memset(j->runs, 0, sizeof j->runs);
    for (int i = 0; i < jobs; i++)
        pool_run(p, n, count_task, j);
    for (size_t i = 0; i < TASKS_MAX; i++) {
        assert_int_equal(j->runs[i], i < n ? jobs : 0);
        assert_false(j->bad_worker[i]);
    }
}

static void every_task_once(void **state)
{
    (void)state;
    const int threads[] = {1, 2, 3, 7, 16};
    const size_t counts[] = {0, 1, 2, 3, 8, 17, TASKS_MAX};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        pool *p = NULL;
        assert_int_equal(pool_open(&p, threads[t], NULL), MOSHI_OK);
        assert_int_equal(pool_threads(p), threads[t]);
        job j = {.threads = threads[t]};
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            check_jobs(p, &j, 50, counts[c]);
        pool_close(&p);
        assert_null(p);
    }
}

static void mark_task(void *context, size_t task, int worker)
{
    unsigned char *marks = context;
    (void)worker;
    marks[task]++;
}

/* More tasks than a ticket can count are several jobs inside. */
static void very_many_tasks(void **state)
{
    (void)state;
    const size_t n = 600000;
    unsigned char *marks = calloc(n, 1);
    pool *p = NULL;
    assert_int_equal(pool_open(&p, 3, NULL), MOSHI_OK);
    pool_run(p, n, mark_task, marks);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(marks[i], 1);
    pool_close(&p);
    free(marks);
}

/* A frame is hundreds of short jobs one after another. */
static void many_small_jobs(void **state)
{
    (void)state;
    pool *p = NULL;
    job j = {.threads = 3};
    assert_int_equal(pool_open(&p, 3, NULL), MOSHI_OK);
    check_jobs(p, &j, 20000, 3);
    pool_close(&p);
}

typedef struct caller {
    pthread_t thread;
    pool *p;
    job j;
} caller;

static void *call_often(void *argument)
{
    caller *c = argument;
    for (int i = 0; i < 500; i++)
        pool_run(c->p, 5, count_task, &c->j);
    return NULL;
}

static void several_callers(void **state)
{
    (void)state;
    pool *p = NULL;
    static caller callers[3];
    assert_int_equal(pool_open(&p, 2, NULL), MOSHI_OK);
    for (size_t i = 0; i < 3; i++) {
        callers[i] = (caller){.p = p, .j = {.threads = 2}};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often,
                                        &callers[i]), 0);
    }
    for (size_t i = 0; i < 3; i++)
        pthread_join(callers[i].thread, NULL);
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 5; k++)
            assert_int_equal(callers[i].j.runs[k], 500);
    pool_close(&p);
}

static void open_and_close(void **state)
{
    (void)state;
    pool *p = NULL;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(pool_open(&p, 4, NULL), MOSHI_OK);
        pool_close(&p);
    }
    pool_close(&p); /* nothing to close is no fault */
    assert_int_equal(pool_open(&p, 0, NULL), MOSHI_OK);
    assert_int_equal(pool_threads(p), threads_usable_cores());
    pool_close(&p);
}

static void refused_numbers(void **state)
{
    (void)state;
    moshi_error err = {0};
    pool *p = NULL;
    const int numbers[] = {-1, LIMIT_THREADS + 1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_int_equal(pool_open(&p, numbers[i], &err), MOSHI_ARGUMENT);
        assert_null(p);
        assert_non_null(strstr(err.message, "threads asked for"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_once),
        cmocka_unit_test(very_many_tasks), cmocka_unit_test(many_small_jobs),
        cmocka_unit_test(several_callers), cmocka_unit_test(open_and_close),
        cmocka_unit_test(refused_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
