/* peaks.h: how fast this machine multiplies and adds, when nothing has to be
 * read: the other bound of a kernel. */
#ifndef MOSHI_LAB_PEAKS_H
#define MOSHI_LAB_PEAKS_H

#include "base/threads.h"

/* Operations per second (a product and its sum are two) of all threads of the
 * pool together; 0 where the processor, or this program, has no instruction for
 * it. */
typedef struct peaks {
    double fp32; /* fused multiply-add of float32 */
    double int8; /* sums of products of bytes, into 32 bits */
    double bf16; /* sums of products of bfloat16, into float32 */
} peaks;

/* The best of three runs of some milliseconds each. */
peaks peaks_measure(pool *threads);

#endif
