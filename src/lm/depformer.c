/* depformer.c: load the slices; append them to the plan of a step. */
#include "lm/depformer.h"

#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"

#define RMS_EPS 1e-8f
#define LAYER_EPS 1e-5f

static nn_transformer slice_shape(const lm_config *c)
{
    return (nn_transformer){
        .width = c->depformer_dim,
        .heads = c->depformer_num_heads,
        .kv_heads = c->depformer_num_heads,
        .head_dim = c->depformer_dim / c->depformer_num_heads,
        .hidden = c->depformer_hidden,
        .gated = true,
        .layer_norm = c->norm == LM_LAYER_NORM,
        .eps = c->norm == LM_LAYER_NORM ? LAYER_EPS : RMS_EPS,
        .context = c->dep_q,
        .capacity = c->dep_q,
        .window = OP_WINDOW_EXACT,
    };
}

static void load_slice(weights *w, const lm_config *c, int k,
                       const nn_transformer *t, lm_slice *s)
{
    char name[128];
    size_t d = (size_t)c->depformer_dim;
    size_t vocabulary = k == 0 ? (size_t)c->text_in : (size_t)c->card + 1;
    snprintf(name, sizeof name, "depformer.%d.linear_in.weight", k);
    s->linear_in = weights_matrix(w, name, d, (size_t)c->dim);
    snprintf(name, sizeof name, "depformer.%d.linear_out.weight", k);
    s->linear_out = weights_matrix(w, name, (size_t)c->card, d);
    snprintf(name, sizeof name, "depformer.%d.emb", k);
    lm_embedding_load(w, name, vocabulary, d, (size_t)c->depformer_low_rank,
                      k == 0 && c->demux, &s->emb);
    if (c->depformer_norm) {
        s->norm = (nn_norm){.layer = true, .eps = LAYER_EPS};
        snprintf(name, sizeof name, "depformer.%d.norm.weight", k);
        s->norm.weight = weights_floats(w, name, d);
        snprintf(name, sizeof name, "depformer.%d.norm.bias", k);
        s->norm.bias = weights_floats(w, name, d);
    }
    for (int j = 0; j < c->depformer_num_layers; j++) {
        snprintf(name, sizeof name, "depformer.%d.transformer.layers.%d", k,
                 j);
        nn_layer_load(w, name, t, false, &s->layers[j]);
    }
}

bool lm_depformer_load(weights *w, const lm_config *c, lm_depformer *d)
{
    size_t layers = (size_t)c->depformer_num_layers;
    d->shape = slice_shape(c);
    d->layers = memory_calloc((size_t)c->dep_q * layers, sizeof *d->layers);
    if (!d->layers)
        return false;
    for (int k = 0; k < c->dep_q; k++) {
        d->slices[k].layers = d->layers + (size_t)k * layers;
        load_slice(w, c, k, &d->shape, &d->slices[k]);
    }
    return true;
}

void lm_depformer_release(lm_depformer *d)
{
    memory_free(d->layers);
    d->layers = NULL;
}

void lm_sample_append(nn *n, const char *name, tensor_id logits, int column,
                      bool text, const lm_plan *p)
{
    plan_op *op;
    if (builder_branches(n->b) == 2) {
        const char *label = builder_name(n->b, "%s.guided", name);
        tensor_id y = builder_frame(n->b, label, DTYPE_F32, 1,
                                    builder_tensor(n->b, logits)->width);
        op = builder_append(n->b, OP_GUIDE, label);
        op->in[0] = logits;
        op->in[1] = p->settings;
        op->out = y;
        logits = y;
    }
    op = builder_append(n->b, OP_SAMPLE,
                        builder_name(n->b, "%s.sample", name));
    op->in[0] = logits;
    op->in[1] = p->forced;
    op->in[2] = p->settings;
    op->out = p->tokens_out;
    op->p.sample.column = column;
    op->p.sample.text = text;
}

/* The order of the slices is in their weights; only models with sinusoidal
 * positions add more. */
static tensor_id add_position(nn *n, const lm_config *c, const char *prefix,
                              int k, tensor_id x)
{
    if (c->depformer_positions != LM_POSITIONS_SIN)
        return x;
    const char *name = builder_name(n->b, "%s.positions", prefix);
    tensor_id y = builder_frame(n->b, name, DTYPE_F32,
                                builder_tensor(n->b, x)->rows,
                                builder_tensor(n->b, x)->width);
    plan_op *op = builder_append(n->b, OP_SINUSOID, name);
    op->in[0] = x;
    op->out = y;
    op->p.sinusoid.position = k;
    return y;
}

static void append_slice(nn *n, const lm_config *c, const lm_depformer *d,
                         int k, tensor_id ys, const tensor_id *caches,
                         const lm_plan *p)
{
    const lm_slice *s = &d->slices[k];
    const char *prefix = builder_name(n->b, "depformer.%d", k);
    nn_transformer shape = d->shape;
    shape.position = k;
    tensor_id x = nn_linear(n, builder_name(n->b, "%s.linear_in", prefix),
                            s->linear_in, NULL, ys);
    x = lm_embed(n, builder_name(n->b, "%s.emb", prefix), &s->emb,
                 p->tokens_out, k, builder_tensor(n->b, ys)->rows, x);
    x = add_position(n, c, prefix, k, x);
    for (int j = 0; j < c->depformer_num_layers; j++)
        x = nn_transformer_layer(
            n, builder_name(n->b, "%s.transformer.layers.%d", prefix, j),
            &s->layers[j], &shape, x, caches[j], TENSOR_NONE, NULL);
    if (s->norm.weight)
        x = nn_normalize(n, builder_name(n->b, "%s.norm", prefix), &s->norm,
                         x);
    const char *out = builder_name(n->b, "%s.linear_out", prefix);
    x = nn_linear(n, out, s->linear_out, NULL, x);
    lm_sample_append(n, out, x, 1 + k, false, p);
}

void lm_depformer_append(nn *n, const lm_config *c, const lm_depformer *d,
                         tensor_id ys, const lm_plan *p)
{
    tensor_id caches[LIMIT_LAYERS];
    for (int j = 0; j < c->depformer_num_layers; j++)
        caches[j] = nn_cache(
            n, builder_name(n->b, "depformer.transformer.layers.%d", j),
            &d->shape, false);
    for (int k = 0; k < c->dep_q; k++)
        append_slice(n, c, d, k, ys, caches, p);
}
