/* memory.h: give every frame and state tensor of a plan its place. */
#ifndef MOSHI_PLAN_MEMORY_H
#define MOSHI_PLAN_MEMORY_H

#include "plan/plan.h"

/* Sets offsets, frame_bytes and state_bytes. Frame tensors whose lives
 * overlap never share bytes; pinned ones live all frame long. False when out
 * of memory, or when a size overflows. */
bool plan_memory_assign(plan *p);

#endif
