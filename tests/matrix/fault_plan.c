/* fault_plan.c: faults that are edits of a plan, or of the config in force,
 * after a model has been opened and before anything runs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "faults.h"
#include "lm/model.h"
#include "mimi/model.h"

#define FLOATS_MAX 4096

static bool starts(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool ends(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* A weight of floats in memory of our own, to be written to; it is not given
 * back, so that a plan may be closed at any time. */
static float *own_floats(plan *p, tensor_id id)
{
    plan_tensor *t = &p->tensors[id];
    float *copy = memory_calloc(FLOATS_MAX, sizeof *copy);
    memcpy(copy, t->data, t->bytes < FLOATS_MAX * sizeof *copy
                              ? t->bytes : FLOATS_MAX * sizeof *copy);
    t->data = copy;
    return copy;
}

/* Rotary frequencies of base 10 times as large: f_i = base^(-2 i / hd). */
static void widen_rope(plan *p)
{
    for (size_t i = 0; i < p->n_tensors; i++) {
        const plan_tensor *t = &p->tensors[i];
        if (t->space != PLAN_WEIGHT || !ends(t->name, ".rope.frequencies"))
            continue;
        size_t half = t->width;
        float *f = own_floats(p, (tensor_id)i);
        for (size_t j = 0; j < half; j++)
            f[j] *= powf(10.0f, -(float)j / (float)half);
    }
}

/* Slice k + 1 computes with the weights of slice k. The table of embeddings
 * of slice 0 is one of text tokens: slice 1 keeps its own. */
static void shift_slices(plan *p, int slices)
{
    for (int k = slices - 1; k > 0; k--) {
        char to[32], from[32];
        snprintf(to, sizeof to, "depformer.%d.", k);
        snprintf(from, sizeof from, "depformer.%d.", k - 1);
        for (size_t i = 0; i < p->n_ops; i++) {
            plan_op *op = &p->ops[i];
            if (!starts(op->name, to) || (op->kind == OP_EMBED && k == 1))
                continue;
            for (size_t j = 0; j < p->n_ops; j++) {
                const plan_op *other = &p->ops[j];
                if (!starts(other->name, from) || other->kind != op->kind ||
                    strcmp(other->name + strlen(from),
                           op->name + strlen(to)) != 0)
                    continue;
                for (int s = 0; s < OP_INPUTS; s++)
                    if (op->in[s] != TENSOR_NONE &&
                        p->tensors[op->in[s]].space == PLAN_WEIGHT)
                        op->in[s] = other->in[s];
            }
        }
    }
}

static void edit_op(plan *p, plan_op *op)
{
    bool in_stream = (op->kind == OP_KV_APPEND || op->kind == OP_ATTENTION) &&
                     op->p.attention.position == OP_POSITION_STREAM;
    if (fault_is(FAULT_RING_OFF_BY_ONE) && in_stream)
        op->p.attention.capacity--;
    if (fault_is(FAULT_ROPE_HALF_SPLIT) && op->kind == OP_ROPE)
        op->p.rope.concat = true;
    if (fault_is(FAULT_ROPE_OFF) && op->kind == OP_ROPE)
        op->p.rope.heads = op->p.rope.kv_heads = 0;
    if (fault_is(FAULT_NAN_LAYER) &&
        strcmp(op->name, "transformer.layers.3.norm2") == 0)
        own_floats(p, op->in[1])[7] = NAN;
}

static void edit_lm(lm_model *m)
{
    plan *p = m->plain.plan;
    static const struct { fault f; int delay; } delays[] = {
        {FAULT_DELAY_1_2, 2}, {FAULT_DELAY_1_3, 3}, {FAULT_DELAY_1_0, 0}};
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++)
        if (fault_is(delays[i].f))
            lm_config_set_delay(&m->config, delays[i].delay);
    if (fault_is(FAULT_DEPFORMER_WEIGHTS))
        shift_slices(p, m->config.dep_q);
    if (fault_is(FAULT_ROPE_BASE))
        widen_rope(p);
    for (size_t i = 0; i < p->n_ops; i++)
        edit_op(p, &p->ops[i]);
}

static void edit_mimi(mimi_model *m)
{
    if (fault_is(FAULT_CODEC_ROPE_BASE)) {
        widen_rope(m->encoder);
        widen_rope(m->decoder);
    }
    for (size_t i = 0; i < m->encoder->n_ops; i++) {
        plan_op *op = &m->encoder->ops[i];
        if (fault_is(FAULT_ZERO_PADDING) && op->kind == OP_WINDOW)
            op->p.window.replicate = false;
    }
}

moshi_status __real_lm_model_from_checkpoint(lm_model **out, checkpoint **file,
                                             const value *config,
                                             const lm_model_params *params,
                                             moshi_error *err);
moshi_status __wrap_lm_model_from_checkpoint(lm_model **out, checkpoint **file,
                                             const value *config,
                                             const lm_model_params *params,
                                             moshi_error *err);

moshi_status __wrap_lm_model_from_checkpoint(lm_model **out, checkpoint **file,
                                             const value *config,
                                             const lm_model_params *params,
                                             moshi_error *err)
{
    moshi_status status = __real_lm_model_from_checkpoint(out, file, config,
                                                          params, err);
    if (status == MOSHI_OK)
        edit_lm(*out);
    return status;
}

moshi_status __real_mimi_model_open(mimi_model **out,
                                    const mimi_model_params *params,
                                    moshi_error *err);
moshi_status __wrap_mimi_model_open(mimi_model **out,
                                    const mimi_model_params *params,
                                    moshi_error *err);

moshi_status __wrap_mimi_model_open(mimi_model **out,
                                    const mimi_model_params *params,
                                    moshi_error *err)
{
    moshi_status status = __real_mimi_model_open(out, params, err);
    if (status == MOSHI_OK)
        edit_mimi(*out);
    return status;
}
