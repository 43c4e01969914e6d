/* bandwidth.h: how fast this machine reads memory: the bound of every model
 * whose weights do not fit its caches. */
#ifndef MOSHI_LAB_BANDWIDTH_H
#define MOSHI_LAB_BANDWIDTH_H

#include "base/threads.h"

/* Bytes per second, all threads of the pool reading a block of 96 MB in turns;
 * the best of three. 0 when there is no memory for it. A processor whose cache
 * holds the block answers for its cache. */
double bandwidth_measure(pool *threads);

#endif
