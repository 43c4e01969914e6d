/* ahead.h: prefetching of weights that are read once.
 *
 * A tile reads several rows side by side; they lie one behind the other, so
 * what memory is asked for must not follow the tile but run straight through
 * it: while a tile is computed, the bytes of the next are fetched in their
 * order, evenly, into the second-level cache: in the first they would push each
 * other out before they are used (Q8_0 rows of 4,096: 51 % of the memory's
 * speed, against 98). Prefetching past the end of a matrix reads what stands
 * behind it and never faults. */
#ifndef MOSHI_CPU_X86_AHEAD_H
#define MOSHI_CPU_X86_AHEAD_H

#include <stddef.h>

/* Beyond a tile's own bytes: some 300 ns of reading, more than the memory's
 * latency, so that the last row of the next tile is there when it begins. */
#define AHEAD_BYTES 8192

/* Where to fetch from in the first step of a tile of `bytes` bytes. */
static inline __attribute__((always_inline)) const char *
ahead_of(const void *tile, size_t bytes)
{
    return (const char *)tile + bytes + AHEAD_BYTES;
}

/* Once in each step, of `bytes` bytes in all rows, a constant. Nothing where
 * `at` is NULL: the tile is in the cache from an earlier pass. */
static inline __attribute__((always_inline)) void
ahead_fetch(const char *at, const size_t bytes)
{
    if (!at)
        return;
#if !defined(__clang__)
#pragma GCC unroll 16
#endif
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch(at + i, 0, 2);
}

#endif
