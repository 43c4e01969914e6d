/* alloc_fault.c: malloc and its relatives, wrapped by the linker. */
#include "alloc_fault.h"

#include <stdatomic.h>
#include <stdlib.h>

void *__real_malloc(size_t n_bytes);
void *__real_calloc(size_t count, size_t n_bytes);
void *__real_realloc(void *block, size_t n_bytes);
void __real_free(void *block);
void *__wrap_malloc(size_t n_bytes);
void *__wrap_calloc(size_t count, size_t n_bytes);
void *__wrap_realloc(void *block, size_t n_bytes);
void __wrap_free(void *block);

static atomic_size_t count, live, failed;
static atomic_size_t first, last; /* numbers of allocations that fail */

static bool must_fail(void)
{
    size_t n = atomic_fetch_add(&count, 1) + 1;
    bool hit = n >= atomic_load(&first) && n <= atomic_load(&last);
    if (hit)
        atomic_fetch_add(&failed, 1);
    return hit;
}

static void *born(void *block)
{
    if (block)
        atomic_fetch_add(&live, 1);
    return block;
}

void *__wrap_malloc(size_t n_bytes)
{
    return must_fail() ? NULL : born(__real_malloc(n_bytes));
}

void *__wrap_calloc(size_t n, size_t n_bytes)
{
    return must_fail() ? NULL : born(__real_calloc(n, n_bytes));
}

void *__wrap_realloc(void *block, size_t n_bytes)
{
    if (must_fail())
        return NULL;
    void *moved = __real_realloc(block, n_bytes);
    return block ? moved : born(moved);
}

void __wrap_free(void *block)
{
    if (block)
        atomic_fetch_sub(&live, 1);
    __real_free(block);
}

static void arm(size_t n, size_t end)
{
    size_t base = atomic_load(&count);
    atomic_store(&failed, 0);
    atomic_store(&first, base + n);
    atomic_store(&last, end ? base + end : (size_t)-1);
}

void alloc_fault_arm(size_t n)
{
    arm(n, n);
}

void alloc_fault_arm_from(size_t n)
{
    arm(n, 0);
}

bool alloc_fault_disarm(void)
{
    atomic_store(&last, 0);
    return atomic_load(&failed) != 0;
}

size_t alloc_fault_count(void)
{
    return atomic_load(&count);
}

size_t alloc_fault_live(void)
{
    return atomic_load(&live);
}

void *alloc_fault_malloc(size_t n_bytes)
{
    return __wrap_malloc(n_bytes);
}

void alloc_fault_free(void *block)
{
    __wrap_free(block);
}
