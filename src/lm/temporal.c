/* temporal.c: embeddings and the temporal transformer (docs/MODEL.md, input
 * to heads). */
#include "lm/temporal.h"

#include <stdio.h>
#include <string.h>

#define RMS_EPS 1e-8f
#define LAYER_EPS 1e-5f

void lm_embedding_load(weights *w, const char *name, size_t vocabulary,
                       size_t width, size_t rank, bool demux,
                       lm_embedding *out)
{
    char part[128];
    size_t columns = rank ? rank : width;
    *out = (lm_embedding){.base = (int)vocabulary};
    snprintf(part, sizeof part, "%s.weight", name);
    out->table = weights_matrix(w, part, vocabulary, columns);
    if (demux) {
        /* A low_rank tensor may exist too; it is not used then. */
        snprintf(part, sizeof part, "%s.out1.weight", name);
        out->left = weights_matrix(w, part, width, columns);
        snprintf(part, sizeof part, "%s.out2.weight", name);
        out->right = weights_matrix(w, part, width, columns);
    } else if (rank) {
        snprintf(part, sizeof part, "%s.low_rank.weight", name);
        out->low_rank = weights_matrix(w, part, width, rank);
    }
}

static tensor_id sum(nn *n, const char *name, tensor_id addend, tensor_id x)
{
    return addend == TENSOR_NONE
               ? x
               : nn_add(n, builder_name(n->b, "%s.sum", name), addend, x, NULL);
}

tensor_id lm_embed(nn *n, const char *name, const lm_embedding *e,
                   tensor_id tokens, int column, size_t rows, tensor_id addend)
{
    if (e->left.data) {
        const char *pair = builder_name(n->b, "%s.demux", name);
        tensor_id ids = builder_frame(n->b, pair, DTYPE_I32, rows, 2);
        plan_op *op = builder_append(n->b, OP_DEMUX, pair);
        op->in[0] = tokens;
        op->out = ids;
        op->p.demux.column = column;
        op->p.demux.base = e->base;
        const char *left = builder_name(n->b, "%s.out1", name);
        const char *right = builder_name(n->b, "%s.out2", name);
        tensor_id a = nn_embed(n, builder_name(n->b, "%s.left", name),
                               e->table, ids, 0, rows, TENSOR_NONE, 1.0f);
        tensor_id b = nn_embed(n, builder_name(n->b, "%s.right", name),
                               e->table, ids, 1, rows, TENSOR_NONE, 1.0f);
        a = nn_linear(n, left, e->left, NULL, a);
        b = nn_linear(n, right, e->right, NULL, b);
        return sum(n, name, addend, nn_add(n, name, a, b, NULL));
    }
    if (e->low_rank.data) {
        tensor_id x = nn_embed(n, builder_name(n->b, "%s.table", name),
                               e->table, tokens, column, rows, TENSOR_NONE,
                               1.0f);
        return sum(n, name, addend, nn_linear(n, name, e->low_rank, NULL, x));
    }
    return nn_embed(n, name, e->table, tokens, column, rows, addend, 1.0f);
}

static nn_transformer transformer_shape(const lm_config *c)
{
    int head_dim = c->dim / c->num_heads;
    return (nn_transformer){
        .width = c->dim,
        .heads = c->num_heads,
        .kv_heads = c->num_heads / c->kv_repeat,
        .head_dim = head_dim,
        .hidden = c->hidden,
        .gated = c->gated,
        .layer_norm = c->norm == LM_LAYER_NORM,
        .eps = c->norm == LM_LAYER_NORM ? LAYER_EPS : RMS_EPS,
        .context = c->context,
        .capacity = c->context,
        .window = OP_WINDOW_EXACT,
        .position = OP_POSITION_STREAM,
        .rope = c->positions == LM_POSITIONS_ROPE ||
                c->positions == LM_POSITIONS_ROPE_CONCAT,
        .rope_concat = c->positions == LM_POSITIONS_ROPE_CONCAT,
    };
}

void lm_temporal_load(weights *w, const lm_config *c, lm_temporal *t)
{
    char name[128];
    size_t D = (size_t)c->dim;
    t->shape = transformer_shape(c);
    lm_embedding_load(w, "text_emb", (size_t)c->text_in, D, 0, c->demux,
                      &t->text);
    for (int k = 0; k < c->n_q; k++) {
        snprintf(name, sizeof name, "emb.%d.weight", k);
        t->audio[k] = weights_matrix(w, name, (size_t)c->card + 1, D);
    }
    for (int l = 0; l < c->num_layers; l++) {
        snprintf(name, sizeof name, "transformer.layers.%d", l);
        nn_layer_load(w, name, &t->shape, c->cross_attention, &t->layers[l]);
    }
    t->out_norm = (nn_norm){.layer = t->shape.layer_norm, .eps = t->shape.eps};
    t->out_norm.weight = weights_floats(
        w, weights_has(w, "out_norm.alpha") ? "out_norm.alpha"
                                            : "out_norm.weight", D);
    if (t->out_norm.layer)
        t->out_norm.bias = weights_floats(w, "out_norm.bias", D);
    t->text_linear = weights_matrix(w, "text_linear.weight",
                                    (size_t)c->text_out, D);
    for (int i = 0; i < c->extra_heads; i++) {
        snprintf(name, sizeof name, "extra_heads.%d.weight", i);
        t->extra_heads[i] = weights_matrix(w, name,
                                           (size_t)c->extra_heads_dim, D);
    }
}

/* The sum of all embeddings of a step: text, own codebooks, user codebooks,
 * the condition, in the order of the official Rust code. */
static tensor_id append_input(nn *n, const lm_config *c, const lm_temporal *t,
                              lm_plan *p)
{
    size_t rows = (size_t)builder_branches(n->b);
    p->tokens_in = builder_frame(n->b, "tokens", DTYPE_I32, rows,
                                 1 + (size_t)c->n_q);
    builder_pin(n->b, p->tokens_in);
    tensor_id x = lm_embed(n, "text_emb", &t->text, p->tokens_in, 0, rows,
                           TENSOR_NONE);
    for (int k = 0; k < c->n_q; k++)
        x = nn_embed(n, builder_name(n->b, "emb.%d", k), t->audio[k],
                     p->tokens_in, 1 + k, rows, x, 1.0f);
    p->condition = TENSOR_NONE;
    if (c->n_conditioners > 0) {
        p->condition = builder_state(n->b, "condition", DTYPE_F32, rows,
                                     (size_t)c->dim, true);
        x = nn_add(n, "condition.sum", x, p->condition, NULL);
    }
    if (c->positions == LM_POSITIONS_SIN) {
        tensor_id y = builder_frame(n->b, "positions", DTYPE_F32, rows,
                                    (size_t)c->dim);
        plan_op *op = builder_append(n->b, OP_SINUSOID, "positions");
        op->in[0] = x;
        op->out = y;
        op->p.sinusoid.position = OP_POSITION_STREAM;
        x = y;
    }
    return x;
}

tensor_id lm_temporal_append(nn *n, const lm_config *c, const lm_temporal *t,
                             int source_capacity, lm_plan *p)
{
    size_t source_rows =
        (size_t)builder_branches(n->b) * (size_t)source_capacity;
    tensor_id x = append_input(n, c, t, p);
    tensor_id table = nn_rope_table(n, "transformer.rope", &t->shape,
                                    (float)c->max_period);
    nn_source source = {TENSOR_NONE, TENSOR_NONE, source_capacity};
    p->source_length = TENSOR_NONE;
    if (c->cross_attention)
        source.length = p->source_length =
            builder_state(n->b, "source.length", DTYPE_I32,
                          (size_t)builder_branches(n->b), 1, true);
    for (int l = 0; l < c->num_layers; l++) {
        const char *name = builder_name(n->b, "transformer.layers.%d", l);
        if (c->cross_attention)
            source.cache = p->source_cache[l] = builder_state(
                n->b, builder_name(n->b, "%s.cross_attention.cache", name),
                DTYPE_F32, source_rows, 2 * (size_t)c->dim, true);
        x = nn_transformer_layer(n, name, &t->layers[l], &t->shape, x,
                                 nn_cache(n, name, &t->shape, true), table,
                                 c->cross_attention ? &source : NULL);
    }
    return nn_normalize(n, "out_norm", &t->out_norm, x);
}
