/* builder.c: append tensors and operations to a plan. */
#include "plan/builder.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "plan/memory.h"
#include "plan/names.h"

struct builder {
    plan *plan;
    size_t tensor_room, op_room;
    bool failed;            /* out of memory somewhere on the way */
    plan_tensor no_tensor;  /* what a failed builder hands out */
    plan_op no_op;
};

builder *builder_open(const char *name, int steps, int branches)
{
    builder *b = memory_calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->plan = memory_calloc(1, sizeof *b->plan);
    if (b->plan)
        b->plan->names = plan_names_open();
    if (!b->plan || !b->plan->names) {
        builder_close(&b);
        return NULL;
    }
    b->plan->steps = steps;
    b->plan->branches = branches;
    b->plan->name = builder_name(b, "%s", name);
    return b;
}

void builder_close(builder **handle)
{
    if (!*handle)
        return;
    plan_close(&(*handle)->plan);
    memory_free(*handle);
    *handle = NULL;
}

static void measure_attention(plan *p)
{
    for (size_t i = 0; i < p->n_ops; i++) {
        const plan_op *op = &p->ops[i];
        if (op->kind == OP_ATTENTION &&
            (size_t)op->p.attention.capacity > p->attention_keys_max)
            p->attention_keys_max = (size_t)op->p.attention.capacity;
    }
}

moshi_status builder_finish(builder **handle, plan **out, moshi_error *err)
{
    builder *b = *handle;
    if (!b || b->failed || !plan_memory_assign(b->plan)) {
        builder_close(handle);
        return error_no_memory(err, "the plan of a frame");
    }
    measure_attention(b->plan);
    *out = b->plan;
    b->plan = NULL;
    builder_close(handle);
    return MOSHI_OK;
}

const char *builder_name(builder *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = plan_names_block(b->plan->names, (size_t)n + 1);
    if (!text) {
        b->failed = true;
        return "";
    }
    va_start(args, format);
    vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}

float *builder_floats(builder *b, size_t n)
{
    float *block = plan_names_block(b->plan->names, n * sizeof *block);
    if (!block)
        b->failed = true;
    return block;
}

static tensor_id append_tensor(builder *b, plan_tensor t)
{
    plan *p = b->plan;
    if (b->failed)
        return 0;
    bool whole = dtype_row_bytes(t.type, t.width, &t.row_bytes);
    assert(whole && t.rows > 0 && t.width > 0);
    if (!whole || !size_mul(t.row_bytes, t.rows, &t.bytes) ||
        !memory_grow((void **)&p->tensors, &b->tensor_room, p->n_tensors + 1,
                     sizeof *p->tensors)) {
        b->failed = true;
        return 0;
    }
    t.quantized = TENSOR_NONE;
    p->tensors[p->n_tensors] = t;
    return (tensor_id)p->n_tensors++;
}

bool builder_failed(const builder *b)
{
    return b->failed;
}

tensor_id builder_weight(builder *b, const char *name, dtype type, size_t rows,
                         size_t width, const void *data)
{
    for (size_t i = 0; i < b->plan->n_tensors; i++) {
        const plan_tensor *t = &b->plan->tensors[i];
        if (t->space == PLAN_WEIGHT && t->data == data && t->type == type &&
            t->rows == rows && t->width == width)
            return (tensor_id)i;
    }
    return append_tensor(b, (plan_tensor){.name = builder_name(b, "%s", name),
                                          .type = type,
                                          .rows = rows,
                                          .width = width,
                                          .space = PLAN_WEIGHT,
                                          .data = data});
}

tensor_id builder_frame(builder *b, const char *name, dtype type, size_t rows,
                        size_t width)
{
    return append_tensor(b, (plan_tensor){.name = builder_name(b, "%s", name),
                                          .type = type,
                                          .rows = rows,
                                          .width = width,
                                          .space = PLAN_FRAME});
}

tensor_id builder_state(builder *b, const char *name, dtype type, size_t rows,
                        size_t width, bool keep)
{
    return append_tensor(b, (plan_tensor){.name = builder_name(b, "%s", name),
                                          .type = type,
                                          .rows = rows,
                                          .width = width,
                                          .space = PLAN_STATE,
                                          .keep = keep});
}

plan_tensor *builder_tensor(builder *b, tensor_id tensor)
{
    if (b->failed || tensor < 0)
        return &b->no_tensor;
    return &b->plan->tensors[tensor];
}

void builder_pin(builder *b, tensor_id tensor)
{
    builder_tensor(b, tensor)->pinned = true;
}

void builder_channels_first(builder *b, tensor_id tensor)
{
    builder_tensor(b, tensor)->channels_first = true;
}

plan_op *builder_append(builder *b, op_kind kind, const char *name)
{
    plan *p = b->plan;
    if (b->failed || !memory_grow((void **)&p->ops, &b->op_room, p->n_ops + 1,
                                  sizeof *p->ops)) {
        b->failed = true;
        return &b->no_op;
    }
    plan_op *op = &p->ops[p->n_ops++];
    *op = (plan_op){.kind = kind, .name = builder_name(b, "%s", name)};
    for (int i = 0; i < OP_INPUTS; i++)
        op->in[i] = TENSOR_NONE;
    op->out = TENSOR_NONE;
    return op;
}

int builder_steps(const builder *b)
{
    return b->plan->steps;
}

int builder_branches(const builder *b)
{
    return b->plan->branches;
}
