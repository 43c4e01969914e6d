/* weights_steps.h: in what steps a row of weights is widened, and where each one
 * lies; the same for every instruction set. Included after a vector header,
 * which defines INLINE and LANES. */
#ifndef MOSHI_CPU_WEIGHTS_STEPS_H
#define MOSHI_CPU_WEIGHTS_STEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/dtype.h"
#include "cpu/blocks.h"

INLINE bool weights_plain(const dtype type)
{
    return type == DTYPE_F32 || type == DTYPE_F16 || type == DTYPE_BF16;
}

/* Elements that weights_load yields: one vector of a plain type, one
 * sub-block of a quantised one. */
INLINE size_t weights_step(const dtype type)
{
    return weights_plain(type) ? LANES : SUB_BLOCK;
}

/* Bytes from the start of a row to the block of element i. */
INLINE size_t weights_offset(const dtype type, size_t i)
{
    switch (type) {
#define OFFSET(name, text, block, bytes, ggml) \
    case DTYPE_##name: return i / (block) * (bytes);
        DTYPE_LIST(OFFSET)
#undef OFFSET
    default: return 0;
    }
}

#endif
