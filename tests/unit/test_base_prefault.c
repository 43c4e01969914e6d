/* Loading in the background. Goal: all pages of all parts are in memory when
 * it has been waited for, progress only grows and ends at the total, and
 * closing stops it. Method: maps of files and of memory whose pages have never
 * been touched; mincore tells which are there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/prefault.h"

#define BYTES ((size_t)24 << 20)

typedef struct calls {
    atomic_size_t n, last, total;
    atomic_bool grew, slow;
} calls;

static void note(void *user, size_t done, size_t total)
{
    calls *c = user;
    if (done < c->last)
        c->grew = false;
    c->last = done;
    c->total = total;
    c->n++;
    if (c->slow) /* a whole walk takes longer than a busy machine waits */
        usleep(100000);
}

/* A file of BYTES, mapped; the pages of a new map belong to no process yet. */
static void *map_file(void)
{
    char path[] = "/tmp/moshi-prefault-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(ftruncate(fd, (off_t)BYTES), 0);
    void *map = mmap(NULL, BYTES, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    assert_true(map != MAP_FAILED);
    return map;
}

static size_t pages_present(void *map)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), n = BYTES / page, sum = 0;
    unsigned char *there = calloc(n, 1);
    assert_int_equal(mincore(map, BYTES, there), 0);
    for (size_t i = 0; i < n; i++)
        sum += there[i] & 1;
    free(there);
    return sum;
}

static int made;

static void make(const void *data)
{
    made += *(const int *)data;
}

static void work_is_done(void **state)
{
    (void)state;
    prefault *p = NULL;
    moshi_error err = {0};
    calls c = {.grew = true};
    const int three = 3, four = 4;
    const prefault_part parts[] = {{&three, 100, make}, {&four, 10, make}};
    made = 0;
    assert_int_equal(prefault_open(&p, parts, 2, note, &c, &err), MOSHI_OK);
    prefault_wait(p);
    assert_int_equal(made, 7);
    assert_int_equal(c.last, 110);
    assert_int_equal(c.n, 3); /* 0, 100 and 110 */
    prefault_close(&p);
}

static void all_pages_come(void **state)
{
    (void)state;
    prefault *p = NULL;
    moshi_error err = {0};
    calls c = {.grew = true};
    if (getenv("MOSHI_EMULATED")) {
        print_message("skipped: the emulator passes no advice on\n");
        skip();
    }
    char *file = map_file();
    assert_true(pages_present(file) < BYTES / 4096 / 2);
    /* Not at the bounds of pages, and an empty one. */
    const prefault_part parts[] = {
        {file + 7, BYTES / 2 - 7, NULL},
        {file, 0, NULL},
        {file + BYTES / 2, BYTES / 2, NULL}};
    assert_int_equal(prefault_open(&p, parts, 3, note, &c, &err), MOSHI_OK);
    prefault_wait(p);
    prefault_wait(p); /* once more is fine */
    assert_int_equal(pages_present(file),
                     BYTES / (size_t)sysconf(_SC_PAGESIZE));
    assert_true(c.grew);
    assert_int_equal(c.total, BYTES - 7);
    assert_int_equal(c.last, BYTES - 7);
    prefault_close(&p);
    assert_null(p);
    prefault_close(&p);
    munmap(file, BYTES);
}

static void closing_stops_it(void **state)
{
    (void)state;
    prefault *p = NULL;
    moshi_error err = {0};
    calls c = {.grew = true, .slow = true};
    char *file = map_file();
    const prefault_part part = {file, BYTES, NULL};
    assert_int_equal(prefault_open(&p, &part, 1, note, &c, &err), MOSHI_OK);
    while (c.n == 0)
        usleep(1000);
    prefault_close(&p);
    size_t n = c.n;
    assert_true(c.last < BYTES);
    munmap(file, BYTES); /* nobody looks at it any more */
    usleep(50000);
    assert_int_equal(c.n, n);
}

static void nothing_to_do(void **state)
{
    (void)state;
    prefault *p = NULL;
    moshi_error err = {0};
    assert_int_equal(prefault_open(&p, NULL, 0, NULL, NULL, &err), MOSHI_OK);
    prefault_close(&p);
    prefault_wait(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pages_come),
        cmocka_unit_test(work_is_done),
        cmocka_unit_test(closing_stops_it),
        cmocka_unit_test(nothing_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
