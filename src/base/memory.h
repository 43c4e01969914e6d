/* memory.h: allocation with checked arithmetic.
 *
 * All blocks come from malloc and friends, so tests can fail or count any
 * allocation by wrapping those. NULL means out of memory or overflow. */
#ifndef MOSHI_BASE_MEMORY_H
#define MOSHI_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Cache line, and the widest vector register of any kernel. */
#define MEMORY_ALIGNMENT 64

/* *out = a * b, or *out = a + b; false on overflow. */
bool size_mul(size_t a, size_t b, size_t *out);
bool size_add(size_t a, size_t b, size_t *out);

/* The smallest multiple of `unit` (a power of two) not below n. */
static inline size_t size_round_up(size_t n, size_t unit)
{
    return (n + unit - 1) & ~(unit - 1);
}

/* count items of size bytes, zeroed. Free with memory_free. */
void *memory_calloc(size_t count, size_t size);

/* bytes, 64-byte aligned, zeroed. Large blocks are mapped, not touched: pages
 * that are never used cost nothing. Free with memory_aligned_free. */
void *memory_aligned_calloc(size_t bytes);
void memory_aligned_free(void *block);

/* Grow an array to hold at least `need` items of `size` bytes; doubles.
 * On failure the old array stays valid and false is returned. */
bool memory_grow(void **array, size_t *capacity, size_t need, size_t size);

char *memory_strdup(const char *text);
void memory_free(void *block);

#endif
