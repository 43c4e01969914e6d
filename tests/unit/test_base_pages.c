/* test_base_pages.c: large pages made of small ones.
 *
 * Goal: a block keeps its bytes when its pages are put together, as many at a
 * time as was said, and what was never touched takes no memory afterwards.
 * Method: blocks of known bytes at an odd address; what the system says of
 * their mapping. Where the system makes no large page, that is shown as
 * skipped; the bytes are looked at all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/pages.h"
#include "smaps.h"

#define PAGE PAGES_LARGE_BYTES
#define ODD 64 /* the block does not begin where a page does */
#define PAGES 5
#define BYTES (PAGES * PAGE)
#define SMALL 4096

static unsigned char *map(void)
{
    void *at = mmap(NULL, ODD + BYTES, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED);
    return (unsigned char *)at + ODD;
}

static void unmap(unsigned char *block)
{
    munmap(block - ODD, ODD + BYTES);
}

static unsigned char value(size_t i)
{
    return (unsigned char)(i % 251 + i / SMALL);
}

static void skip_without_large_pages(size_t made)
{
    if (made == 0 || !smaps_large_pages_exist()) {
        print_message("skipped: this system makes no large pages of small "
                      "ones\n");
        skip();
    }
}

static void bytes_stay(void **state)
{
    (void)state;
    unsigned char *block = map();
    size_t at = 0, made = 0, most[] = {1, 0, 2, SIZE_MAX};
    for (size_t i = 0; i < BYTES; i++)
        block[i] = value(i);
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
        size_t before = at, now = pages_gather(block, BYTES, &at, most[i]);
        made += now;
        assert_true(now <= most[i] && at >= before && at <= BYTES);
        if (most[i] == 0)
            assert_int_equal(at, before);
    }
    assert_int_equal(at, BYTES);
    assert_int_equal(pages_gather(block, BYTES, &at, SIZE_MAX), 0);
    for (size_t i = 0; i < BYTES; i++)
        assert_int_equal(block[i], value(i));
    long large = smaps_kilobytes(block, "AnonHugePages:");
    unmap(block);
    skip_without_large_pages(made);
    assert_true(made <= PAGES);
    /* A neighbour that the system merged with this mapping may have some. */
    assert_true(large >= (long)(made * PAGE / 1024));
}

/* Only the first bytes were touched: the rest stays away. */
static void untouched_stays_untouched(void **state)
{
    (void)state;
    unsigned char *block = map();
    size_t at = 0;
    pages_ask_large(block, 0);
    memset(block, 1, SMALL);
    pages_gather(block, BYTES, &at, SIZE_MAX);
    assert_int_equal(at, BYTES);
    long resident = smaps_kilobytes(block, "Rss:");
    assert_int_equal(block[0], 1);
    assert_int_equal(block[BYTES - 1], 0);
    unmap(block);
    if (resident < 0) {
        print_message("skipped: this system does not say what is resident\n");
        skip();
    }
    /* Where every mapping gets large pages at once, the first touch took
     * one. A mapping next to this one may count along. */
    assert_true(resident < (long)(3 * PAGE / 1024));
}

static void small_blocks_are_let_be(void **state)
{
    (void)state;
    unsigned char *block = map();
    size_t at = 0;
    memset(block, 7, BYTES);
    long before = smaps_kilobytes(block, "AnonHugePages:");
    assert_int_equal(pages_gather(block, 2 * PAGE - 1, &at, SIZE_MAX), 0);
    assert_int_equal(at, 2 * PAGE - 1);
    assert_int_equal(smaps_kilobytes(block, "AnonHugePages:"), before);
    at = 0;
    assert_int_equal(pages_gather(block, 0, &at, SIZE_MAX), 0);
    assert_int_equal(at, 0);
    unmap(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_stay),
        cmocka_unit_test(untouched_stays_untouched),
        cmocka_unit_test(small_blocks_are_let_be),
    };
    return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
