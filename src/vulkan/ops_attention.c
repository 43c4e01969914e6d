/* ops_attention.c: positions, the key/value ring, attention. */
#include <math.h>

#include "vulkan/run.h"

#define GROUP 64
#define HEAD_DIM_MAX 512 /* attention.comp */

static size_t groups_for(size_t n)
{
    return (n + GROUP - 1) / GROUP;
}

void vk_op_ROPE_TABLE(vk_build *b, const plan_op *op)
{
    size_t half = vk_tensor(b, op->in[0])->width;
    vk_dispatch *d = vk_emit(b, 0, "rope_table");
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 3, op->out, VK_WRITES);
    d->push[VK_PUSH_P] = (uint32_t)half;
    vk_grid(b, d, groups_for(half), vk_tensor(b, op->out)->rows);
}

void vk_op_SINUSOID(vk_build *b, const plan_op *op)
{
    const plan_tensor *t = vk_tensor(b, op->out);
    vk_dispatch *d = vk_emit(b, 0, "sinusoid");
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind_extra(b, d, 1, VK_EXTRA_PERIODS, NULL, t->width / 2);
    vk_bind(b, d, 3, op->out, VK_WRITES);
    uint32_t *p = d->push + VK_PUSH_P;
    p[0] = (uint32_t)(t->width / 2);
    p[1] = (uint32_t)b->r->plan->steps;
    p[2] = (uint32_t)op->p.sinusoid.position;
    p[3] = (uint32_t)t->width;
    vk_grid(b, d, groups_for(t->width / 2), t->rows);
}

void vk_op_ROPE(vk_build *b, const plan_op *op)
{
    const plan_tensor *t = vk_tensor(b, op->in[0]);
    size_t hd = (size_t)op->p.rope.head_dim;
    vk_dispatch *d = vk_emit(b, 0, "rope");
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 1, op->in[1], VK_READS);
    vk_bind(b, d, 3, op->out, VK_WRITES);
    uint32_t *p = d->push + VK_PUSH_P;
    p[0] = (uint32_t)t->width;
    p[1] = (uint32_t)(hd / 2);
    p[2] = (uint32_t)hd *
           (uint32_t)(op->p.rope.heads + op->p.rope.kv_heads);
    p[3] = (uint32_t)vk_tensor(b, op->in[1])->rows;
    p[4] = op->p.rope.concat;
    vk_grid(b, d, groups_for((t->width + 1) / 2), t->rows);
}

/* Strides of a cache in words: cache.glsl. */
static void put_strides(const plan_tensor *cache, const plan_op *op,
                        uint32_t *p)
{
    uint32_t heads = (uint32_t)op->p.attention.kv_heads;
    uint32_t capacity = (uint32_t)op->p.attention.capacity;
    uint32_t row = (uint32_t)(cache->row_bytes / 4), key = row / 2 / heads;
    bool source = op->p.attention.window == OP_WINDOW_SOURCE;
    p[16] = capacity * row;
    p[17] = source ? row / 2 : heads * capacity * key;
    p[18] = source ? key : capacity * key;
    p[19] = source ? row : key;
}

void vk_op_KV_APPEND(vk_build *b, const plan_op *op)
{
    const plan_tensor *t = vk_tensor(b, op->in[0]);
    size_t q = (size_t)op->p.attention.heads *
               (size_t)op->p.attention.head_dim;
    vk_dispatch *d = vk_emit(b, 0, "kv_append");
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 3, op->out, VK_READS | VK_WRITES);
    uint32_t *p = d->push + VK_PUSH_P;
    p[0] = (uint32_t)t->width;
    p[1] = (uint32_t)q;
    p[2] = (uint32_t)op->p.attention.capacity;
    p[3] = (uint32_t)op->p.attention.steps;
    p[4] = (uint32_t)op->p.attention.position;
    p[5] = (uint32_t)op->p.attention.head_dim;
    put_strides(vk_tensor(b, op->out), op, p);
    vk_grid(b, d, groups_for(t->width - q), t->rows);
}

void vk_op_ATTENTION(vk_build *b, const plan_op *op)
{
    const plan_tensor *t = vk_tensor(b, op->in[0]);
    vk_dispatch *d = vk_emit(b, 0, "attention");
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 1, op->in[1], VK_READS);
    vk_bind(b, d, 2, op->in[2], VK_READS);
    vk_bind(b, d, 3, op->out, VK_WRITES);
    if (vk_tensor(b, op->in[1])->type != DTYPE_F32)
        vk_refuse(b, "its cache is not in F32");
    if (op->p.attention.head_dim > HEAD_DIM_MAX)
        vk_refuse(b, "its heads are wider than 512");
    uint32_t *p = d->push + VK_PUSH_P;
    p[0] = (uint32_t)t->width;
    p[1] = (uint32_t)op->p.attention.heads;
    p[2] = (uint32_t)op->p.attention.kv_heads;
    p[3] = (uint32_t)op->p.attention.head_dim;
    p[4] = (uint32_t)op->p.attention.steps;
    p[5] = (uint32_t)op->p.attention.capacity;
    p[6] = (uint32_t)op->p.attention.context;
    p[7] = (uint32_t)op->p.attention.position;
    p[8] = (uint32_t)op->p.attention.window;
    p[9] = vk_bits(1.0f / sqrtf((float)op->p.attention.head_dim));
    p[10] = op->in[2] != TENSOR_NONE;
    put_strides(vk_tensor(b, op->in[1]), op, p);
    vk_grid(b, d, (size_t)op->p.attention.heads, t->rows);
}
