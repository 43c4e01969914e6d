/* memory.c: checked allocation. */
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool size_mul(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *out = a * b;
    return true;
}

bool size_add(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b)
        return false;
    *out = a + b;
    return true;
}

void *memory_calloc(size_t count, size_t size)
{
    /* calloc(0) may answer NULL, which would read as a failure. */
    return calloc(count ? count : 1, size ? size : 1);
}

/* The aligned block lies inside a calloc block, whose address is kept just
 * before it: calloc maps large blocks as untouched zero pages, which
 * aligned_alloc followed by memset would not. */
void *memory_aligned_calloc(size_t bytes)
{
    size_t total;
    if (!size_add(bytes, MEMORY_ALIGNMENT + sizeof(void *), &total))
        return NULL;
    char *raw = calloc(1, total);
    if (!raw)
        return NULL;
    uintptr_t at = (uintptr_t)(raw + sizeof(void *) + MEMORY_ALIGNMENT - 1);
    char *block = (char *)(at & ~(uintptr_t)(MEMORY_ALIGNMENT - 1));
    memcpy(block - sizeof(void *), &raw, sizeof raw);
    return block;
}

void memory_aligned_free(void *block)
{
    if (!block)
        return;
    void *raw;
    memcpy(&raw, (char *)block - sizeof(void *), sizeof raw);
    free(raw);
}

bool memory_grow(void **array, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity)
        return true;
    size_t want = *capacity ? *capacity : 8, bytes;
    while (want < need)
        if (!size_mul(want, 2, &want))
            return false;
    if (!size_mul(want, size, &bytes))
        return false;
    void *grown = realloc(*array, bytes);
    if (!grown)
        return false;
    *array = grown;
    *capacity = want;
    return true;
}

char *memory_strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = malloc(n);
    if (copy)
        memcpy(copy, text, n);
    return copy;
}

void memory_free(void *block)
{
    free(block);
}
