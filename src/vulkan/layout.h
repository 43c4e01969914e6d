/* layout.h: how tensors lie on the device.
 *
 * A weight keeps its type and its bytes; what changes is their order within a
 * row, so that shaders may read 4, 8 or 16 bytes at once: of Q8_0, Q4_0 and
 * Q6_K, whose blocks hold an odd half, the bodies of all blocks come first and
 * then their halves (bodies of 32, 16 and 208 bytes; blocks of Q4_K and Q5_K
 * have 144 and 176 as they are). Rows are filled up to 16 bytes with zeros. A
 * Q8_0 activation has all its quants first, then all its scales. */
#ifndef MOSHI_VULKAN_LAYOUT_H
#define MOSHI_VULKAN_LAYOUT_H

#include "plan/plan.h"

/* Bytes of a weight's row on the device: a multiple of 16. */
size_t vk_layout_row_bytes(dtype type, size_t width);

/* Row `row` of a weight in panels (plan/panels.h), as the file would have it:
 * out has dtype_row_bytes bytes. */
void vk_layout_from_panels(dtype type, size_t width, const void *panels,
                           size_t row, void *out);

/* One row in the device's order. out: vk_layout_row_bytes bytes. */
void vk_layout_row(dtype type, size_t width, const void *row, void *out);

/* Between a Q8_0 activation of `blocks` blocks in the file's order and in the
 * device's. in and out must differ. */
void vk_layout_q8_0_in(size_t blocks, const void *in, void *out);
void vk_layout_q8_0_out(size_t blocks, const void *in, void *out);

#endif
