/* ops_linear.c: LINEAR and QUANTIZE. */
#include "vulkan/layout.h"
#include "vulkan/run.h"

#define GROUP 128 /* threads of team.glsl */
#define TEAM 32   /* that share rows, without subgroups */

/* Columns that a team takes at once: few variants, none much too large. */
static uint32_t columns_at_once(size_t columns)
{
    return columns >= 5 ? 8 : columns >= 3 ? 4 : (uint32_t)columns;
}

/* Rows that it takes: more make x worth its reading, but a small matrix must
 * be shared out among all of a GPU. The bits of the result are the same. */
static uint32_t rows_at_once(size_t rows, uint32_t columns)
{
    uint32_t alone = rows >= 8192 ? 4 : rows >= 2048 ? 2 : 1;
    return columns >= 3 && alone < 4 ? 2 * alone : alone;
}

/* linear.comp: WIDE. All tensors begin at 64 bytes. */
static bool fours(const plan_op *op, size_t width)
{
    return width % 4 == 0 &&
           (op->p.linear.rows == 1 || op->p.linear.stride % 4 == 0);
}

/* Is there a shader for rows of this type that reads halves, or bytes, as such,
 * and may it be used? */
static bool narrow(const vk_features *f, dtype type)
{
    switch (type) {
    case DTYPE_Q8_0:
    case DTYPE_Q4_0:
        return f->storage16;
    case DTYPE_Q6_K:
        return f->storage16 && f->storage8;
    default:
        return false; /* nothing is to be gained: weights.glsl */
    }
}

void vk_op_LINEAR(vk_build *b, const plan_op *op)
{
    const vk_features *f = &b->r->backend->ctx->info.features;
    const plan_tensor *w = vk_tensor(b, op->in[0]);
    const plan_tensor *x = vk_tensor(b, op->in[1]);
    size_t rows = op->p.linear.rows;
    size_t columns = rows * (size_t)b->program->lanes;
    bool quantized = x->type == DTYPE_Q8_0;
    uint32_t c = columns_at_once(columns), r = rows_at_once(w->rows, c);
    if (quantized && !f->dot && r > 2)
        r = 2; /* the bytes of four rows do not fit into registers */
    uint32_t shape = c | r << 8 | (uint32_t)fours(op, w->width) << 16;
    const char *subgroup = f->subgroups ? "_subgroup" : "";
    const char *narrows = narrow(f, w->type) ? "_narrow" : "";
    vk_dispatch *d =
        quantized
            ? vk_emit(b, shape, "linear_q8_0_q8_0%s%s%s", narrows, subgroup,
                      f->dot ? "_dot" : "")
            : vk_emit(b, shape, "linear_%s%s%s", vk_type_name(w->type),
                      narrows, subgroup);
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
    size_t teams = GROUP / (f->subgroups ? f->subgroup_size : TEAM) * r;
    vk_grid(b, d, (columns + c - 1) / c, (w->rows + teams - 1) / teams);
    d->groups[2] = 1; /* lanes are columns */
}

void vk_op_QUANTIZE(vk_build *b, const plan_op *op)
{
    const vk_features *f = &b->r->backend->ctx->info.features;
    const plan_tensor *t = vk_tensor(b, op->in[0]);
    size_t blocks = t->rows * t->width / 32;
    vk_dispatch *d = vk_emit(b, 0, "quantize%s",
                             f->storage16 ? "_narrow" : "");
    vk_bind(b, d, 0, op->in[0], VK_READS);
    vk_bind(b, d, 3, op->out, VK_WRITES);
    d->push[VK_PUSH_P] = (uint32_t)blocks;
    vk_grid(b, d, (blocks + 7) / 8, 1); /* eight a work group */
}
