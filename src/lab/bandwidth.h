/* bandwidth.h: how fast this machine reads memory: the bound of every model
 * whose weights do not fit its caches. */
#ifndef MOSHI_LAB_BANDWIDTH_H
#define MOSHI_LAB_BANDWIDTH_H

#include <moshi/error.h>

#include "base/threads.h"

/* A block that is read again and again, to be held beside other work. */
typedef struct bandwidth bandwidth;

/* A block of that size: it should be several times the caches that the cores
 * share. */
moshi_status bandwidth_open(bandwidth **out, pool *threads, size_t megabytes,
                            moshi_error *err);
void bandwidth_close(bandwidth **block);

/* Memory that a block takes. */
size_t bandwidth_bytes(const bandwidth *block);

/* Bytes per second of one pass, all threads of the pool reading pieces of the
 * block in turns: each with the widest loads there are, from four places at
 * once, prefetching. */
double bandwidth_read(bandwidth *block, pool *threads);

/* The best of five passes over a block of 80 MB of its own; 0 when there is no memory
 * for it. A processor whose cache holds the block answers for its cache. */
double bandwidth_measure(pool *threads);

#endif
