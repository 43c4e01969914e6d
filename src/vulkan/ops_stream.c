/* ops_stream.c: WINDOW and UPSAMPLE: read the past, then move it on. */
#include "vulkan/layout.h"
#include "vulkan/run.h"

#define GROUP 128

static size_t groups_for(size_t n)
{
    return (n + GROUP - 1) / GROUP;
}

static void window_pass(vk_build *b, const plan_op *op, bool tail)
{
    const plan_tensor *x = vk_tensor(b, op->in[0]);
    const plan_tensor *past = vk_tensor(b, op->in[1]);
    vk_dispatch *d = vk_emit(b, 0, tail ? "window_tail" : "window");
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 2, op->in[1], tail ? VK_WRITES : VK_READS);
    vk_bind(b, d, 3, op->out, tail ? VK_READS : VK_WRITES);
    uint32_t *p = d->push + VK_PUSH_P;
    p[0] = (uint32_t)(past->bytes / 4);
    p[1] = (uint32_t)(x->bytes / 4);
    p[2] = (uint32_t)(x->row_bytes / 4);
    p[3] = op->p.window.replicate;
    vk_grid(b, d, groups_for(tail ? p[0] : p[0] + p[1]), 1);
}

void vk_op_WINDOW(vk_build *b, const plan_op *op)
{
    window_pass(b, op, false);
    window_pass(b, op, true);
}

static void upsample_pass(vk_build *b, const plan_op *op, bool tail)
{
    const plan_tensor *w = vk_tensor(b, op->in[0]);
    const plan_tensor *x = vk_tensor(b, op->in[1]);
    size_t S = (size_t)op->p.upsample.stride;
    vk_dispatch *d = vk_emit(b, 0, tail ? "upsample_tail" : "upsample");
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 1, op->in[1], VK_READS);
    vk_bind(b, d, 2, op->in[2], tail ? VK_WRITES : VK_READS);
    vk_bind(b, d, 3, op->out, tail ? VK_READS : VK_WRITES);
    uint32_t *p = d->push + VK_PUSH_P;
    p[0] = (uint32_t)x->width;
    p[1] = (uint32_t)S;
    p[2] = (uint32_t)x->rows;
    p[3] = (uint32_t)(vk_layout_row_bytes(w->type, w->width) / 4);
    vk_grid(b, d, groups_for(tail ? x->width : x->rows * S * x->width), 1);
}

void vk_op_UPSAMPLE(vk_build *b, const plan_op *op)
{
    upsample_pass(b, op, false);
    upsample_pass(b, op, true);
}
