/* names.c: a list of blocks, freed together with the plan. */
#include "plan/names.h"

#include <stdalign.h>

#include "base/memory.h"

typedef struct block {
    struct block *next;
    alignas(16) char data[];
} block;

struct plan_names {
    block *first;
};

plan_names *plan_names_open(void)
{
    return memory_calloc(1, sizeof(plan_names));
}

void *plan_names_block(plan_names *names, size_t bytes)
{
    size_t total;
    if (!size_add(sizeof(block), bytes, &total))
        return NULL;
    block *b = memory_calloc(1, total);
    if (!b)
        return NULL;
    b->next = names->first;
    names->first = b;
    return b->data;
}

void plan_names_close(plan_names **handle)
{
    if (!*handle)
        return;
    for (block *b = (*handle)->first, *next; b; b = next) {
        next = b->next;
        memory_free(b);
    }
    memory_free(*handle);
    *handle = NULL;
}
