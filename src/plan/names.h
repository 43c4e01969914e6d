/* names.h: strings and small arrays that live as long as a plan. */
#ifndef MOSHI_PLAN_NAMES_H
#define MOSHI_PLAN_NAMES_H

#include <stddef.h>

typedef struct plan_names plan_names;

/* All return NULL when out of memory; blocks are 16-byte aligned, zeroed. */
plan_names *plan_names_open(void);
void *plan_names_block(plan_names *names, size_t bytes);
void plan_names_close(plan_names **names);

#endif
