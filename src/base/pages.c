/* pages.c: large pages, by advice to the system (madvise). */
#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"

/* Linux's number for it, which C libraries older than Linux 6.1 do not name. A
 * system that does not know it answers so, and that is the whole harm. */
#if defined(__linux__) && !defined(MADV_COLLAPSE)
#define MADV_COLLAPSE 25
#endif

/* A large page is as many small ones as addresses of 8 bytes fit in one. */
#define SMALL_BYTES 4096

/* Below this a block may have no large page that lies in it as a whole, or one. */
#define WORTH_BYTES (2 * PAGES_LARGE_BYTES)

/* Systems other than Linux have no such advice; none is given there. */
#if defined(MADV_HUGEPAGE)
enum { ADVICE_LARGE = MADV_HUGEPAGE, ADVICE_SMALL = MADV_NOHUGEPAGE };
#else
enum { ADVICE_LARGE, ADVICE_SMALL };
#endif

/* Of the small pages that lie in a block as a whole. */
static void advise(const void *block, size_t n_bytes, int advice)
{
#if defined(MADV_HUGEPAGE)
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = size_round_up((uintptr_t)block, page);
    uintptr_t end = ((uintptr_t)block + n_bytes) / page * page;
    if (n_bytes >= WORTH_BYTES && end > from)
        madvise((void *)from, end - from, advice); /* only advice */
#else
    (void)block, (void)n_bytes, (void)advice;
#endif
}

void pages_ask_large(const void *block, size_t n_bytes)
{
    advise(block, n_bytes, ADVICE_LARGE);
}

void pages_ask_small(const void *block, size_t n_bytes)
{
    advise(block, n_bytes, ADVICE_SMALL);
}

size_t pages_gather(void *block, size_t n_bytes, size_t *at, size_t most)
{
    size_t made = 0;
#if defined(MADV_COLLAPSE)
    uintptr_t begin = (uintptr_t)block, end = begin + n_bytes;
    uintptr_t page = size_round_up(begin + *at, PAGES_LARGE_BYTES);
    /* Of a part of its own large page the kernel may say that it is done. */
    if (n_bytes < WORTH_BYTES || sysconf(_SC_PAGESIZE) != SMALL_BYTES)
        page = end;
    for (; most > 0 && page + PAGES_LARGE_BYTES <= end; most--) {
        /* Takes back what pages_ask_small said: else it is refused. */
        madvise((void *)page, PAGES_LARGE_BYTES, MADV_HUGEPAGE);
        made += madvise((void *)page, PAGES_LARGE_BYTES, MADV_COLLAPSE) == 0;
        page += PAGES_LARGE_BYTES;
    }
    *at = page + PAGES_LARGE_BYTES <= end ? page - begin : n_bytes;
#else
    (void)block;
    (void)most;
    *at = n_bytes;
#endif
    return made;
}
