/* ops_linear.c: LINEAR and QUANTIZE. */
#include "vulkan/layout.h"
#include "vulkan/run.h"

#define GROUP 128 /* threads of linear.comp */
#define TEAM 32   /* that share a row, without subgroups */

/* Columns that a team takes at once: few variants, none much too large. */
static uint32_t columns_at_once(size_t columns)
{
    return columns >= 5 ? 8 : columns >= 3 ? 4 : (uint32_t)columns;
}

void vk_op_LINEAR(vk_build *b, const plan_op *op)
{
    const vk_features *f = &b->r->backend->ctx->info.features;
    const plan_tensor *w = vk_tensor(b, op->in[0]);
    const plan_tensor *x = vk_tensor(b, op->in[1]);
    size_t rows = op->p.linear.rows;
    size_t columns = rows * (size_t)b->program->lanes;
    uint32_t at_once = columns_at_once(columns);
    const char *subgroup = f->subgroups ? "_subgroup" : "";
    vk_dispatch *d =
        x->type == DTYPE_Q8_0
            ? vk_emit(b, at_once, "linear_q8_0_q8_0%s%s", subgroup,
                      f->dot ? "_dot" : "")
            : vk_emit(b, at_once, "linear_%s%s", vk_type_name(w->type),
                      subgroup);
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 1, op->in[1], VK_READS);
    vk_bind(b, d, 2, op->in[2], VK_READS);
    vk_bind(b, d, 3, op->out, VK_WRITES);
    uint32_t *p = d->push + VK_PUSH_P;
    p[0] = (uint32_t)w->rows;
    p[1] = (uint32_t)w->width;
    p[2] = (uint32_t)(vk_layout_row_bytes(w->type, w->width) / 4);
    p[3] = (uint32_t)rows;
    p[4] = (uint32_t)op->p.linear.stride;
    p[5] = (uint32_t)columns;
    p[6] = op->in[2] != TENSOR_NONE;
    size_t teams = GROUP / (f->subgroups ? f->subgroup_size : TEAM);
    vk_grid(b, d, (w->rows + teams - 1) / teams,
            (columns + at_once - 1) / at_once);
    d->groups[2] = 1; /* lanes are columns */
}

void vk_op_QUANTIZE(vk_build *b, const plan_op *op)
{
    const plan_tensor *t = vk_tensor(b, op->in[0]);
    size_t blocks = t->rows * t->width / 32;
    vk_dispatch *d = vk_emit(b, 0, "quantize");
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 3, op->out, VK_WRITES);
    d->push[VK_PUSH_P] = (uint32_t)blocks;
    vk_grid(b, d, (blocks / 2 + 32) / 32, 1);
}
