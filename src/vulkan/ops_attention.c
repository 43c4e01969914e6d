/* ops_attention.c: positions, the key/value ring, attention. */
#include <math.h>

#include "vulkan/run.h"

#define GROUP 64
#define HEAD_DIM_MAX 512 /* attention.comp */
#define CHUNK 128        /* keys of a work group: attention.glsl */

static size_t groups_for(size_t n)
{
    return (n + GROUP - 1) / GROUP;
}

/* Elements of a cache in a word. */
static uint32_t word_elements(dtype type)
{
    return type == DTYPE_F16 ? 2 : type == DTYPE_Q8_0 ? 4 : 1;
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

/* Where keys and values lie, in words: cache.glsl. The words of a row are those
 * of 2 * kv_heads keys, in Q8_0 without the scales. */
static void put_cache(vk_build *b, const plan_tensor *cache, const plan_op *op,
                      uint32_t *p)
{
    uint32_t heads = (uint32_t)op->p.attention.kv_heads;
    uint32_t hd = (uint32_t)op->p.attention.head_dim;
    uint32_t capacity = (uint32_t)op->p.attention.capacity;
    uint32_t key = hd / word_elements(cache->type), row = 2 * heads * key;
    bool source = op->p.attention.window == OP_WINDOW_SOURCE;
    if (hd % word_elements(cache->type) != 0)
        vk_refuse(b, "its heads are no whole words");
    if (source && cache->type == DTYPE_Q8_0)
        vk_refuse(b, "the source that it attends to is in Q8_0");
    p[14] = heads;
    p[15] = capacity;
    p[16] = capacity * row;
    p[17] = source ? row / 2 : heads * capacity * key;
    p[18] = source ? key : capacity * key;
    p[19] = source ? row : key;
    p[20] = (uint32_t)cache->rows * row;
    p[21] = cache->type == DTYPE_Q8_0 ? hd / 32 : 0;
}

void vk_op_KV_APPEND(vk_build *b, const plan_op *op)
{
    const plan_tensor *t = vk_tensor(b, op->in[0]);
    const plan_tensor *cache = vk_tensor(b, op->out);
    size_t q = (size_t)op->p.attention.heads *
               (size_t)op->p.attention.head_dim;
    vk_dispatch *d = vk_emit(b, 0, "kv_append_%s", vk_type_name(cache->type));
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 3, op->out, VK_READS | VK_WRITES);
    uint32_t *p = d->push + VK_PUSH_P;
    p[0] = (uint32_t)t->width;
    p[1] = (uint32_t)q;
    p[3] = (uint32_t)op->p.attention.steps;
    p[4] = (uint32_t)op->p.attention.position;
    p[5] = (uint32_t)op->p.attention.head_dim;
    put_cache(b, cache, op, p);
    vk_grid(b, d,
            groups_for(cache->type == DTYPE_Q8_0
                           ? (t->width - q) / 2 / 32
                           : (t->width - q) / word_elements(cache->type)),
            t->rows);
}

/* Chunks of the keys that one query may see. */
static size_t chunks_of(const plan_op *op)
{
    size_t keys = (size_t)(op->p.attention.window == OP_WINDOW_SOURCE
                               ? op->p.attention.capacity
                               : op->p.attention.context);
    return (keys + CHUNK - 1) / CHUNK;
}

size_t vk_attention_partial_bytes(const plan *p, const plan_op *op)
{
    size_t chunks = op->kind == OP_ATTENTION ? chunks_of(op) : 1;
    if (chunks == 1)
        return 0;
    return p->tensors[op->out].rows * (size_t)op->p.attention.heads * chunks *
           ((size_t)op->p.attention.head_dim + 2) * sizeof(float);
}

static void put_attention(vk_build *b, const plan_op *op, uint32_t *p)
{
    p[0] = (uint32_t)vk_tensor(b, op->in[0])->width;
    p[1] = (uint32_t)op->p.attention.heads;
    p[2] = (uint32_t)chunks_of(op);
    p[3] = (uint32_t)op->p.attention.head_dim;
    p[4] = (uint32_t)op->p.attention.steps;
    p[6] = (uint32_t)op->p.attention.context;
    p[7] = (uint32_t)op->p.attention.position;
    p[8] = (uint32_t)op->p.attention.window;
    p[9] = vk_bits(1.0f / sqrtf((float)op->p.attention.head_dim));
    p[10] = op->in[2] != TENSOR_NONE;
}

void vk_op_ATTENTION(vk_build *b, const plan_op *op)
{
    const plan_tensor *cache = vk_tensor(b, op->in[1]);
    size_t heads = (size_t)op->p.attention.heads, chunks = chunks_of(op);
    size_t rows = vk_tensor(b, op->out)->rows;
    size_t partial = vk_attention_partial_bytes(b->r->plan, op);
    if (op->p.attention.head_dim > HEAD_DIM_MAX)
        vk_refuse(b, "its heads are wider than 512");
    vk_dispatch *d = vk_emit(b, (uint32_t)op->p.attention.head_dim,
                             "attention_%s", vk_type_name(cache->type));
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 1, op->in[1], VK_READS);
    vk_bind(b, d, 2, op->in[2], VK_READS);
    if (chunks > 1)
        vk_bind_partial(b, d, 3, partial, VK_WRITES);
    else
        vk_bind(b, d, 3, op->out, VK_WRITES);
    put_attention(b, op, d->push + VK_PUSH_P);
    put_cache(b, cache, op, d->push + VK_PUSH_P);
    vk_grid(b, d, heads, rows * chunks);
    if (chunks == 1)
        return;
    d = vk_emit(b, 0, "attention_combine");
    vk_bind_partial(b, d, 0, partial, VK_READS);
    vk_bind(b, d, 2, op->in[2], VK_READS);
    vk_bind(b, d, 3, op->out, VK_WRITES);
    put_attention(b, op, d->push + VK_PUSH_P);
    vk_grid(b, d, heads, rows);
}
