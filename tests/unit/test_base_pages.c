/* test_base_pages.c: large pages made of small ones.
 *
 * Goal: a block keeps its bytes when its pages are put together, as many at a
 * time as was said, and what was never touched takes no memory afterwards.
 * Method: blocks of known bytes at an odd address, in a mapping that no other
 * can be merged with; what the system says of it. Where the system makes no
 * large page, or says nothing, that is shown as skipped; the bytes are looked at
 * all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/pages.h"
#include "smaps.h"

#define PAGE PAGES_LARGE_BYTES
#define ODD 64 /* the block does not begin where a page does */
#define PAGES 5
#define BYTES (PAGES * PAGE)
#define SMALL 4096

/* Between two pages' worth that nobody may touch: the system merges mappings
 * that lie side by side if they allow the same. */
#define MAPPED (BYTES + PAGE)
#define RESERVED (MAPPED + 2 * PAGE)

/* The mapping begins where a large page does, and the block ODD bytes behind. */
static unsigned char *map(void **reserved)
{
    *reserved = mmap(NULL, RESERVED, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0);
    assert_true(*reserved != MAP_FAILED);
    unsigned char *at = *reserved;
    at += PAGE - (uintptr_t)at % PAGE;
    assert_int_equal(mprotect(at, MAPPED, PROT_READ | PROT_WRITE), 0);
    return at + ODD;
}

static void unmap(void *reserved)
{
    assert_int_equal(munmap(reserved, RESERVED), 0);
}

static unsigned char value(size_t i)
{
    return (unsigned char)(i % 251 + i / SMALL);
}

/* Does a block of this size have its pages put together at all (pages.h)? */
static bool gathers(void)
{
#if defined(__linux__)
    return sysconf(_SC_PAGESIZE) == SMALL;
#else
    return false;
#endif
}

static void skip_without_large_pages(bool said)
{
    if (!said || !smaps_large_pages_exist()) {
        print_message("skipped: this system makes no large pages of small "
                      "ones, or does not say\n");
        skip();
    }
}

static void bytes_stay(void **state)
{
    /* Four large pages lie in the block as a whole. */
    static const size_t most[] = {1, 0, 2, SIZE_MAX};
    static const size_t there[] = {2 * PAGE - ODD, 2 * PAGE - ODD,
                                   4 * PAGE - ODD, BYTES};
    void *reserved;
    unsigned char *block = map(&reserved);
    size_t at = 0, made = 0;
    (void)state;
    pages_ask_small(block, BYTES);
    int small = smaps_flag(block + PAGE, " nh");
    for (size_t i = 0; i < BYTES; i++)
        block[i] = value(i);
    long before = smaps_kilobytes(block + PAGE, "AnonHugePages:");
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
        size_t now = pages_gather(block, BYTES, &at, most[i]);
        made += now;
        assert_true(now <= most[i]);
        assert_int_equal(at, gathers() ? there[i] : BYTES);
    }
    assert_true(made <= PAGES - 1);
    assert_int_equal(pages_gather(block, BYTES, &at, SIZE_MAX), 0);
    for (size_t i = 0; i < BYTES; i++)
        assert_int_equal(block[i], value(i));
    long large = smaps_kilobytes(block + PAGE, "AnonHugePages:");
    unmap(reserved);
    skip_without_large_pages(made > 0 && large >= 0 && small >= 0);
    assert_int_equal(small, 1);
    assert_int_equal(before, 0);
    /* What was passed over may have come since, by the system's own hand. */
    assert_true(large >= (long)(made * PAGE / 1024));
}

/* Bytes of a block that are in memory, in whole small pages. */
static size_t resident(unsigned char *block)
{
    size_t small = (size_t)sysconf(_SC_PAGESIZE), sum = 0;
    unsigned char *from = block - ODD, *there = calloc(MAPPED / small, 1);
    assert_non_null(there);
    assert_int_equal(mincore(from, MAPPED, there), 0);
    for (size_t i = 0; i < MAPPED / small; i++)
        sum += (there[i] & 1) * small;
    free(there);
    return sum;
}

/* Only the first bytes of a large page were touched: it may come, the others
 * stay away. */
static void untouched_stays_untouched(void **state)
{
    void *reserved;
    unsigned char *block = map(&reserved);
    size_t at = 0, before = resident(block);
    (void)state;
    memset(block + PAGE, 1, SMALL);
    pages_gather(block, BYTES, &at, SIZE_MAX);
    assert_int_equal(at, BYTES);
    size_t after = resident(block);
    assert_int_equal(block[0], 0);
    assert_int_equal(block[PAGE], 1);
    assert_int_equal(block[PAGE + SMALL], 0);
    assert_int_equal(block[BYTES - 1], 0);
    unmap(reserved);
    if (before > 0) {
        print_message("skipped: this system does not say what is resident\n");
        skip();
    }
    assert_true(after >= SMALL && after <= PAGE);
}

static void small_blocks_are_let_be(void **state)
{
    void *reserved;
    unsigned char *block = map(&reserved);
    size_t at = 0;
    (void)state;
    memset(block, 7, BYTES);
    long before = smaps_kilobytes(block, "AnonHugePages:");
    assert_int_equal(pages_gather(block, 2 * PAGE - 1, &at, SIZE_MAX), 0);
    assert_int_equal(at, 2 * PAGE - 1);
    assert_int_equal(smaps_kilobytes(block, "AnonHugePages:"), before);
    at = 0;
    assert_int_equal(pages_gather(block, 0, &at, SIZE_MAX), 0);
    assert_int_equal(at, 0);
    pages_ask_large(NULL, 0);
    pages_ask_large(block, 2 * PAGE - 1);
    assert_true(smaps_flag(block + PAGE, " hg") <= 0);
    unmap(reserved);
}

static void large_blocks_are_advised(void **state)
{
    void *reserved;
    unsigned char *block = map(&reserved);
    (void)state;
    pages_ask_large(block, BYTES);
    int has = smaps_flag(block + PAGE, " hg");
    unmap(reserved);
    skip_without_large_pages(has >= 0);
    assert_int_equal(has, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_stay),
        cmocka_unit_test(untouched_stays_untouched),
        cmocka_unit_test(small_blocks_are_let_be),
        cmocka_unit_test(large_blocks_are_advised),
    };
    return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
