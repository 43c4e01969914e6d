/* ops_pointwise.c: norms, sums and functions of single elements. */
#include "vulkan/run.h"

#define GROUP 128
#define GROUPS_MAX 4096 /* beyond, threads take several elements */

static size_t groups_for(size_t n)
{
    size_t groups = (n + GROUP - 1) / GROUP;
    return groups < GROUPS_MAX ? groups : GROUPS_MAX;
}

static vk_dispatch *pointwise(vk_build *b, const plan_op *op,
                              const char *shader)
{
    const plan_tensor *t = vk_tensor(b, op->out);
    vk_dispatch *d = vk_emit(b, 0, "%s", shader);
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 3, op->out, VK_WRITES);
    d->push[VK_PUSH_P] = (uint32_t)(t->rows * t->width);
    d->push[VK_PUSH_P + 1] = (uint32_t)t->width;
    vk_grid(b, d, groups_for(t->rows * t->width), 1);
    return d;
}

void vk_op_ADD(vk_build *b, const plan_op *op)
{
    vk_dispatch *d = pointwise(b, op, "add");
    vk_bind(b, d, 1, op->in[1], VK_READS);
    vk_bind(b, d, 2, op->in[2], VK_READS);
    d->push[VK_PUSH_P + 2] = op->in[2] != TENSOR_NONE;
    if (b->status == MOSHI_OK &&
        (vk_tensor(b, op->in[0])->rows != vk_tensor(b, op->out)->rows ||
         vk_tensor(b, op->in[1])->rows != vk_tensor(b, op->out)->rows))
        vk_refuse(b, "its inputs have other rows than its output");
}

void vk_op_SILU_GATE(vk_build *b, const plan_op *op)
{
    pointwise(b, op, "silu_gate");
}

void vk_op_GELU(vk_build *b, const plan_op *op)
{
    pointwise(b, op, "gelu");
}

void vk_op_ELU(vk_build *b, const plan_op *op)
{
    pointwise(b, op, "elu");
}

static void by_row(vk_build *b, const plan_op *op, const char *shader,
                   float eps)
{
    const plan_tensor *t = vk_tensor(b, op->out);
    vk_dispatch *d = vk_emit(b, 0, "%s", shader);
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 1, op->in[1], VK_READS);
    vk_bind(b, d, 2, op->in[2], VK_READS);
    vk_bind(b, d, 3, op->out, VK_WRITES);
    d->push[VK_PUSH_P] = (uint32_t)t->width;
    d->push[VK_PUSH_P + 1] = vk_bits(eps);
    vk_grid(b, d, t->rows, 1);
}

void vk_op_RMS_NORM(vk_build *b, const plan_op *op)
{
    by_row(b, op, "rms_norm", op->p.norm.eps);
}

void vk_op_LAYER_NORM(vk_build *b, const plan_op *op)
{
    by_row(b, op, "layer_norm", op->p.norm.eps);
}

void vk_op_SOFTMAX(vk_build *b, const plan_op *op)
{
    by_row(b, op, "softmax", 0);
}
