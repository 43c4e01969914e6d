/* alloc_fault.h: count allocations, and make one of them fail.
 *
 * For programs that link with alloc_fault_dep: the linker sends their calls
 * of malloc, calloc, realloc and free here (--wrap), those of our library
 * included. Calls made inside shared libraries go past it. Any thread may
 * allocate; arming belongs to one.
 *
 *     for (size_t n = 1;; n++) {
 *         alloc_fault_arm(n);
 *         status = what_is_tested();
 *         if (!alloc_fault_disarm())
 *             break;                     // it needs fewer than n: done
 *         assert(status == MOSHI_NO_MEMORY);
 *     } */
#ifndef TESTS_ALLOC_FAULT_H
#define TESTS_ALLOC_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* Let the n-th allocation from now fail (1: the next), or that and all after
 * it. Only one may be armed. */
void alloc_fault_arm(size_t n);
void alloc_fault_arm_from(size_t n);

/* Stop failing; true if an allocation was made to fail. */
bool alloc_fault_disarm(void);

/* Allocations since the program began, failed ones too. */
size_t alloc_fault_count(void);

/* Blocks that were allocated and are not yet freed. */
size_t alloc_fault_live(void);

/* The wrapped functions, for libraries that can be told to use others. */
void *alloc_fault_malloc(size_t n_bytes);
void alloc_fault_free(void *block);

#endif
