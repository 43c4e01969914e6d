/* analyze_order.h: what was done to frames whose boundaries are cuts?
 *
 * Every frame is joined on trial to others, as it is and reversed. Where a
 * joint is as smooth as the inside of the frames, those two belong together;
 * the order that makes most joints smooth is the one that was lost. */
#ifndef MOSHI_LAB_ANALYZE_ORDER_H
#define MOSHI_LAB_ANALYZE_ORDER_H

#include <moshi/error.h>

#include "lab/analyze_grid.h"

/* X(NAME, text): what the frames were, in words that follow "the sound is cut
 * at … boundaries". */
#define ORDER_NAMES(X)                                                         \
    X(UNKNOWN, "no other order of frames fits better")                         \
    X(REVERSED, "the samples inside each frame are reversed, or the frames "    \
      "come in reverse order")                                                 \
    X(REVERSED_INSIDE, "the samples inside each frame are reversed")           \
    X(BACKWARDS, "the frames come in reverse order")                           \
    X(SWAPPED, "neighbouring frames are exchanged")                            \
    X(SHUFFLED, "frames come in a wrong order; their neighbours are nearby")   \
    X(EMPTY_START, "each frame begins from silence, as if a state was lost")   \
    X(LEFT_OUT, "frames are left out, come twice or stand elsewhere")

typedef enum order_name {
#define ORDER_ENUM(name, text) ORDER_##name,
    ORDER_NAMES(ORDER_ENUM)
#undef ORDER_ENUM
} order_name;

const char *order_text(order_name name); /* static */

/* The frames of n samples that begin at g->offset. Errors: MOSHI_NO_MEMORY. */
moshi_status order_find(order_name *out, const grid *g, const float *pcm,
                        size_t n, moshi_error *err);

#endif
