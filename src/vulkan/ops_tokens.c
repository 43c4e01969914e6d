/* ops_tokens.c: between token ids and vectors: tables, nearest rows,
 * sampling. */
#include <stddef.h>

#include "plan/sampler.h"
#include "vulkan/layout.h"
#include "vulkan/run.h"

#define WORD(type, member) ((uint32_t)(offsetof(type, member) / 4))

/* sample.comp reads the settings as words, in this order. */
_Static_assert(WORD(sampler_choice, top_k) == 1 &&
                   WORD(sampler_choice, seed) == 2 &&
                   WORD(sampler_choice, draws) == 4,
               "sample.comp: CHOICE");
_Static_assert(WORD(sampler_bend, penalty) == 1 &&
                   WORD(sampler_bend, context) == 2 &&
                   WORD(sampler_bend, pad) == 3 &&
                   WORD(sampler_bend, end_pad) == 4 &&
                   WORD(sampler_bend, n_said) == 5 &&
                   WORD(sampler_bend, said) == 6 && SAMPLER_SAID_MAX == 256,
               "sample.comp: BEND");

void vk_op_EMBED(vk_build *b, const plan_op *op)
{
    const plan_tensor *table = vk_tensor(b, op->in[0]);
    const plan_tensor *tokens = vk_tensor(b, op->in[1]);
    const plan_tensor *out = vk_tensor(b, op->out);
    vk_dispatch *d = vk_emit(b, 0, "embed_%s", vk_type_name(table->type));
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 1, op->in[1], VK_READS);
    vk_bind(b, d, 2, op->in[2], VK_READS);
    vk_bind(b, d, 3, op->out, VK_WRITES);
    uint32_t *p = d->push + VK_PUSH_P;
    p[0] = (uint32_t)table->width;
    p[1] = (uint32_t)(vk_layout_row_bytes(table->type, table->width) / 4);
    p[2] = (uint32_t)table->rows;
    p[3] = (uint32_t)tokens->width;
    p[4] = (uint32_t)op->p.embed.column;
    p[5] = tokens->rows == 1;
    p[6] = op->in[2] != TENSOR_NONE;
    p[7] = vk_bits(op->p.embed.sign);
    vk_grid(b, d, (table->width + 63) / 64, out->rows);
}

void vk_op_DEMUX(vk_build *b, const plan_op *op)
{
    const plan_tensor *tokens = vk_tensor(b, op->in[0]);
    vk_dispatch *d = vk_emit(b, 0, "demux");
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 3, op->out, VK_WRITES);
    uint32_t *p = d->push + VK_PUSH_P;
    p[0] = (uint32_t)tokens->width;
    p[1] = (uint32_t)op->p.demux.column;
    p[2] = tokens->rows == 1;
    p[3] = (uint32_t)op->p.demux.base;
    vk_grid(b, d, vk_tensor(b, op->out)->rows, 1);
}

void vk_op_NEAREST(vk_build *b, const plan_op *op)
{
    const plan_tensor *table = vk_tensor(b, op->in[0]);
    const plan_tensor *x = vk_tensor(b, op->in[1]);
    vk_dispatch *d = vk_emit(b, 0, "nearest");
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 1, op->in[1], VK_READS);
    vk_bind_extra(b, d, 2, VK_EXTRA_HALF_NORMS, op->p.nearest.half_norms,
                  2 * table->rows);
    vk_bind(b, d, 3, op->out, VK_WRITES);
    uint32_t *p = d->push + VK_PUSH_P;
    p[0] = (uint32_t)table->width;
    p[1] = (uint32_t)table->rows;
    p[2] = (uint32_t)vk_tensor(b, op->out)->width;
    p[3] = (uint32_t)op->p.nearest.column;
    p[4] = (uint32_t)(vk_layout_row_bytes(table->type, table->width) / 4);
    vk_grid(b, d, x->rows, 1);
}

void vk_op_GUIDE(vk_build *b, const plan_op *op)
{
    size_t V = vk_tensor(b, op->out)->width;
    vk_dispatch *d = vk_emit(b, 0, "guide");
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 1, op->in[1], VK_READS);
    vk_bind(b, d, 3, op->out, VK_WRITES);
    d->push[VK_PUSH_P] = (uint32_t)V;
    d->push[VK_PUSH_P + 1] = WORD(sampler, guidance);
    vk_grid(b, d, (V + 127) / 128, 1);
}

void vk_op_SAMPLE(vk_build *b, const plan_op *op)
{
    bool text = op->p.sample.text;
    vk_dispatch *d = vk_emit(b, 0, "sample");
    vk_bind(b, d, 0, op->in[0], VK_READS | VK_WRITES);
    vk_bind(b, d, 1, op->in[1], VK_READS);
    vk_bind(b, d, 2, op->in[2], VK_READS | VK_WRITES);
    vk_bind(b, d, 3, op->out, VK_READS | VK_WRITES);
    uint32_t *p = d->push + VK_PUSH_P;
    p[0] = (uint32_t)vk_tensor(b, op->in[0])->width;
    p[1] = (uint32_t)vk_tensor(b, op->out)->width;
    p[2] = (uint32_t)op->p.sample.column;
    p[3] = text;
    p[4] = text ? WORD(sampler, text) : WORD(sampler, audio);
    p[5] = WORD(sampler, bend);
    vk_grid(b, d, (size_t)b->program->lanes, 1);
    d->groups[2] = 1;
}
