/* hooks.c: hooks side by side, and reading what an operation made. */
#include "plan/hooks.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/half.h"
#include "plan/backend.h"

static void call_both(void *user, plan_runner *runner, const plan_op *op)
{
    const plan_hook_pair *pair = user;
    if (pair->first)
        pair->first->after(pair->first->user, runner, op);
    if (pair->second)
        pair->second->after(pair->second->user, runner, op);
}

static bool wants_either(void *user, const plan_op *op)
{
    const plan_hook_pair *pair = user;
    return (pair->first && plan_hook_wants(pair->first, op)) ||
           (pair->second && plan_hook_wants(pair->second, op));
}

plan_hook plan_hook_both(plan_hook_pair *pair)
{
    return (plan_hook){call_both, pair, wants_either};
}

static plan_value value_of(const plan *p, tensor_id tensor, int column)
{
    const plan_tensor *t = &p->tensors[tensor];
    plan_value v = {.tensor = tensor, .column = column, .rows = t->rows,
                    .width = column < 0 ? t->width : 1};
    v.type = t->type == DTYPE_I32 ? DTYPE_I32 : DTYPE_F32;
    /* No overflow: the planner has added up larger sizes. Four bytes for
     * either type. */
    v.bytes = v.rows * v.width * sizeof(float);
    v.room = v.bytes + (v.bytes == t->bytes ? 0 : t->bytes);
    return v;
}

bool plan_value_of_op(const plan *p, const plan_op *op, plan_value *out)
{
    if (op->kind == OP_KV_APPEND || op->out == TENSOR_NONE)
        return false;
    int column = op->kind == OP_NEAREST  ? op->p.nearest.column
                 : op->kind == OP_SAMPLE ? op->p.sample.column
                                         : -1;
    *out = value_of(p, op->out, column);
    return true;
}

bool plan_value_of_input(const plan *p, tensor_id tensor, plan_value *out)
{
    const plan_tensor *t = &p->tensors[tensor];
    if (t->space != PLAN_FRAME || !t->pinned)
        return false;
    for (size_t i = 0; i < p->n_ops; i++)
        if (p->ops[i].out == tensor)
            return false;
    *out = value_of(p, tensor, -1);
    return true;
}

/* Blocks of 32: a half and 32 signed bytes (docs/FORMATS.md, block types). */
static void expand_q8_0(const unsigned char *block, size_t n, float *out)
{
    for (; n >= 32; n -= 32, block += 34, out += 32) {
        float d = half_to_float((uint16_t)(block[0] | block[1] << 8));
        for (int i = 0; i < 32; i++)
            out[i] = d * (float)(int8_t)block[2 + i];
    }
}

void plan_value_read(const backend *be, const plan_runner *runner,
                     const plan *p, const plan_value *v, int lane,
                     void *buffer)
{
    const plan_tensor *t = &p->tensors[v->tensor];
    unsigned char *raw = (unsigned char *)buffer + (v->room - t->bytes);
    be->read(runner, v->tensor, lane, raw);
    if (t->type == DTYPE_Q8_0) {
        expand_q8_0(raw, t->rows * t->width, buffer);
    } else if (v->column >= 0) {
        for (size_t r = 0; r < v->rows; r++)
            memcpy((char *)buffer + r * sizeof(int32_t),
                   raw + r * t->row_bytes +
                       (size_t)v->column * sizeof(int32_t),
                   sizeof(int32_t));
    } else {
        assert(v->bytes == t->bytes);
    }
}
