/* ahead.h: prefetching of weights that are read once.
 *
 * A tile reads several rows side by side; they lie one behind the other, so
 * what memory is asked for must not follow the tile but run straight through
 * it: while a tile is computed, the bytes of the next are fetched in their
 * order, evenly. Prefetching past the end of a matrix reads what stands
 * behind it and never faults. */
#ifndef MOSHI_CPU_X86_AHEAD_H
#define MOSHI_CPU_X86_AHEAD_H

#include <stddef.h>

#define AHEAD_LINE 64
/* Beyond a tile's own bytes: some 300 ns of reading, more than the memory's
 * latency, so that the last row of the next tile is there when it begins. */
#define AHEAD_BYTES 8192

typedef struct ahead {
    const char *at;
    size_t step; /* bytes for each call of ahead_fetch, in 1/16 byte */
    size_t rest;
} ahead;

/* For a tile of `bytes` bytes at `tile`, computed in `steps` steps. */
static inline __attribute__((always_inline)) ahead
ahead_of(const void *tile, size_t bytes, size_t steps)
{
    return (ahead){(const char *)tile + bytes + AHEAD_BYTES,
                   steps ? bytes * 16 / steps + 1 : 0, 0};
}

/* Once in each step. */
static inline __attribute__((always_inline)) void ahead_fetch(ahead *a)
{
    a->rest += a->step;
    for (; a->rest >= 16 * AHEAD_LINE; a->rest -= 16 * AHEAD_LINE) {
        __builtin_prefetch(a->at, 0, 3);
        a->at += AHEAD_LINE;
    }
}

#endif
