/* layout.c: rows and blocks in the device's order. */
#include "vulkan/layout.h"

#include <string.h>

#include "base/memory.h"
#include "plan/panels.h"

#define HALF_BYTES 2
#define ROW_ALIGNMENT 16 /* the widest load */

/* Where the half that is moved lies in a block; -1: nothing is moved. */
static int moved_half(dtype type)
{
    switch (type) {
    case DTYPE_Q8_0:
    case DTYPE_Q4_0:
        return 0;
    case DTYPE_Q6_K:
        return 208; /* d, its last two bytes */
    default:
        return -1;
    }
}

size_t vk_layout_row_bytes(dtype type, size_t width)
{
    const dtype_traits *t = dtype_info(type);
    return size_round_up(width / t->block * t->bytes,
                         ROW_ALIGNMENT);
}

void vk_layout_row(dtype type, size_t width, const void *row, void *out)
{
    const dtype_traits *t = dtype_info(type);
    size_t blocks = width / t->block, bytes = blocks * t->bytes;
    int half = moved_half(type);
    char *to = out;
    memset(to + bytes, 0, vk_layout_row_bytes(type, width) - bytes);
    if (half < 0) {
        memcpy(to, row, bytes);
        return;
    }
    size_t body = t->bytes - HALF_BYTES;
    for (size_t b = 0; b < blocks; b++) {
        const char *block = (const char *)row + b * t->bytes;
        memcpy(to + b * body, block + (half == 0 ? HALF_BYTES : 0), body);
        memcpy(to + blocks * body + b * HALF_BYTES, block + half, HALF_BYTES);
    }
}

/* Element (k, row) of a panel lies at k * PANEL_ROWS + row; of Q8_0, groups of
 * 32 k: 16 scales, then the quants likewise. */
void vk_layout_from_panels(dtype type, size_t width, const void *panels,
                           size_t row, void *out)
{
    const char *panel = (const char *)panels +
                        row / PANEL_ROWS * panel_bytes(type, width);
    size_t r = row % PANEL_ROWS, bytes = type == DTYPE_F32 ? 4 : 2;
    char *to = out;
    if (type != DTYPE_Q8_0) {
        for (size_t k = 0; k < width; k++)
            memcpy(to + k * bytes, panel + (k * PANEL_ROWS + r) * bytes,
                   bytes);
        return;
    }
    for (size_t b = 0; b < width / 32; b++) {
        const char *group = panel + b * 34 * PANEL_ROWS;
        memcpy(to + b * 34, group + r * HALF_BYTES, HALF_BYTES);
        group += PANEL_ROWS * HALF_BYTES;
        for (size_t k = 0; k < 32; k++)
            to[b * 34 + HALF_BYTES + k] = group[k * PANEL_ROWS + r];
    }
}

void vk_layout_q8_0_in(size_t blocks, const void *in, void *out)
{
    for (size_t b = 0; b < blocks; b++) {
        const char *block = (const char *)in + b * 34;
        memcpy((char *)out + b * 32, block + HALF_BYTES, 32);
        memcpy((char *)out + blocks * 32 + b * HALF_BYTES, block, HALF_BYTES);
    }
}

void vk_layout_q8_0_out(size_t blocks, const void *in, void *out)
{
    for (size_t b = 0; b < blocks; b++) {
        char *block = (char *)out + b * 34;
        memcpy(block + HALF_BYTES, (const char *)in + b * 32, 32);
        memcpy(block, (const char *)in + blocks * 32 + b * HALF_BYTES,
               HALF_BYTES);
    }
}
