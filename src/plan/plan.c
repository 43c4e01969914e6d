/* plan.c: looking at a finished plan, and closing it. */
#include "plan/plan.h"

#include <string.h>

#include "base/memory.h"
#include "plan/names.h"

void plan_close(plan **handle)
{
    plan *p = *handle;
    if (!p)
        return;
    memory_free(p->tensors);
    memory_free(p->ops);
    plan_names_close(&p->names);
    memory_free(p);
    *handle = NULL;
}

tensor_id plan_find(const plan *p, const char *name)
{
    for (size_t i = p->n_ops; i-- > 0;) {
        tensor_id out = p->ops[i].out;
        if (out != TENSOR_NONE && strcmp(p->tensors[out].name, name) == 0)
            return out;
    }
    for (size_t i = 0; i < p->n_tensors; i++)
        if (strcmp(p->tensors[i].name, name) == 0)
            return (tensor_id)i;
    return TENSOR_NONE;
}

size_t plan_op_weight_bytes(const plan *p, const plan_op *op)
{
    size_t sum = 0;
    for (int i = 0; i < OP_INPUTS; i++) {
        if (op->in[i] == TENSOR_NONE)
            continue;
        const plan_tensor *t = &p->tensors[op->in[i]];
        if (t->space == PLAN_WEIGHT)
            sum += op->kind == OP_EMBED ? t->row_bytes : t->bytes;
    }
    return sum;
}
