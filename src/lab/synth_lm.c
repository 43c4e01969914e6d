/* synth_lm.c: the tensors of a language model's file, from its config.
 *
 * Spreads are chosen so that a step stays lively through all layers: every
 * linear keeps the spread of its input, the sum of the embeddings is near 1,
 * queries and keys are enlarged so that attention looks at few positions, and
 * logits spread by 2.5 as those of trained models do. */
#include "lab/synth_lm.h"

#include <stdio.h>

#include "quant/encode.h"

#define EMBEDDING_SPREAD 0.3f /* 17 to 33 of them are added up */
#define ATTENTION_GAIN   1.5f /* of queries, keys and values */
#define OUTPUT_GAIN      0.5f /* takes the enlarged values back */
#define LOGIT_GAIN       2.5f

static const synth_law norm_law = {.mean = 1, .spread = 0.05f};
static const synth_law bias_law = {.spread = 0.02f};
static const synth_law embedding_law = {.spread = EMBEDDING_SPREAD};
static const synth_law unit_law = {.spread = 1};

/* Where tensors go, and what is the same for all of them. */
typedef struct writer {
    synth_list *list;
    const lm_config *config;
    synth_layout layout;
    dtype type;
} writer;

/* One block "name" of a transformer that is `dim` wide. In the PyTorch layout
 * the depformer's attention matrices hold `stacked` weight sets. */
typedef struct block {
    const char *name;
    int dim, key_dim, hidden, stacked;
} block;

static dtype type_for(const writer *w, synth_shape shape)
{
    if (w->type == DTYPE_F32 || w->type == DTYPE_BF16)
        return w->type;
    return quant_type_for(w->type, shape.n_dims, shape.dims);
}

#define ADD(w, shape, law, ...) \
    synth_list_add((w)->list, type_for(w, shape), shape, law, __VA_ARGS__)
#define ADD_MATRIX(w, out, in, gain, ...)                                   \
    ADD(w, SYNTH_MATRIX(out, in), synth_law_weight(gain, (size_t)(in)),     \
        __VA_ARGS__)

static void add_conditioner(const writer *w, const lm_conditioner *c)
{
    static const char prefix[] = "condition_provider.conditioners";
    writer own = *w;
    /* Quantised files keep them too: nobody reads them in blocks. */
    if (w->type != DTYPE_BF16 || w->layout == SYNTH_PYTORCH)
        own.type = DTYPE_F32;
    int D = w->config->dim;
    ADD(&own, SYNTH_CUBE(1, 1, D), embedding_law, "%s.%s.learnt_padding",
        prefix, c->name);
    ADD_MATRIX(&own, D, c->dim, EMBEDDING_SPREAD, "%s.%s.output_proj.weight",
               prefix, c->name);
    if (c->kind == LM_CONDITIONER_LUT)
        ADD(&own, SYNTH_MATRIX(c->n_bins + 1, c->dim), unit_law,
            "%s.%s.embed.weight", prefix, c->name);
}

static void add_norms(const writer *w, const block *b)
{
    ADD(w, SYNTH_CUBE(1, 1, b->dim), norm_law, "%s.norm1.alpha", b->name);
    ADD(w, SYNTH_CUBE(1, 1, b->dim), norm_law, "%s.norm2.alpha", b->name);
}

static void add_attention(const writer *w, const block *b)
{
    ADD_MATRIX(w, b->stacked * (b->dim + 2 * b->key_dim), b->dim,
               ATTENTION_GAIN, "%s.self_attn.in_proj_weight", b->name);
    ADD_MATRIX(w, b->stacked * b->dim, b->dim, OUTPUT_GAIN,
               "%s.self_attn.out_proj.weight", b->name);
}

/* suffix: "" or ".3" for weight set 3 of the PyTorch layout. */
static void add_gating(const writer *w, const block *b, const char *suffix)
{
    ADD_MATRIX(w, 2 * b->hidden, b->dim, 1, "%s.gating%s.linear_in.weight",
               b->name, suffix);
    ADD_MATRIX(w, b->dim, b->hidden, 1, "%s.gating%s.linear_out.weight",
               b->name, suffix);
}

static void add_cross_attention(const writer *w, const block *b)
{
    int D = b->dim;
    ADD(w, SYNTH_VECTOR(D), norm_law, "%s.norm_cross.weight", b->name);
    ADD(w, SYNTH_VECTOR(D), bias_law, "%s.norm_cross.bias", b->name);
    ADD_MATRIX(w, 3 * D, D, ATTENTION_GAIN,
               "%s.cross_attention.in_proj_weight", b->name);
    ADD_MATRIX(w, D, D, OUTPUT_GAIN, "%s.cross_attention.out_proj.weight",
               b->name);
}

/* An embedding table of the depformer; text tables may take two words. */
static void add_depformer_table(const writer *w, const char *name, int rows,
                                bool text)
{
    const lm_config *c = w->config;
    int width = c->depformer_low_rank ? c->depformer_low_rank
                                      : c->depformer_dim;
    ADD(w, SYNTH_MATRIX(rows, width), unit_law, "%s.weight", name);
    if (c->depformer_low_rank)
        ADD_MATRIX(w, c->depformer_dim, width, 1, "%s.low_rank.weight", name);
    for (int i = 1; text && c->demux && i <= 2; i++)
        ADD_MATRIX(w, c->depformer_dim, width, 1, "%s.out%d.weight", name, i);
}

static void add_temporal(const writer *w)
{
    const lm_config *c = w->config;
    int D = c->dim;
    for (int i = 0; i < c->n_conditioners; i++)
        add_conditioner(w, &c->conditioners[i]);
    for (int i = 0; i < c->n_q; i++)
        ADD(w, SYNTH_MATRIX(c->card + 1, D), embedding_law, "emb.%d.weight",
            i);
    ADD(w, SYNTH_MATRIX(c->text_in, D), embedding_law, "text_emb.weight");
    for (int i = 1; c->demux && i <= 2; i++)
        ADD_MATRIX(w, D, D, 1, "text_emb.out%d.weight", i);
    ADD_MATRIX(w, c->text_out, D, LOGIT_GAIN, "text_linear.weight");
    for (int l = 0; l < c->num_layers; l++) {
        char name[64];
        snprintf(name, sizeof name, "transformer.layers.%d", l);
        block b = {name, D, D / c->kv_repeat, c->hidden, 1};
        add_norms(w, &b);
        add_attention(w, &b);
        add_gating(w, &b, "");
        if (c->cross_attention)
            add_cross_attention(w, &b);
    }
    ADD(w, SYNTH_CUBE(1, 1, D), norm_law, "out_norm.alpha");
    for (int i = 0; i < c->extra_heads; i++)
        ADD_MATRIX(w, c->extra_heads_dim, D, 1, "extra_heads.%d.weight", i);
}

static void add_pytorch_depformer(const writer *w)
{
    const lm_config *c = w->config;
    int D = c->depformer_dim, sets = c->depformer_sets;
    char name[64];
    for (int s = 0; s < sets; s++)
        ADD_MATRIX(w, D, c->dim, 1, "depformer_in.%d.weight", s);
    for (int k = 0; k < c->dep_q - 1; k++) {
        snprintf(name, sizeof name, "depformer_emb.%d", k);
        add_depformer_table(w, name, c->card + 1, false);
    }
    add_depformer_table(w, "depformer_text_emb", c->text_in, true);
    for (int l = 0; l < c->depformer_num_layers; l++) {
        snprintf(name, sizeof name, "depformer.layers.%d", l);
        block b = {name, D, D, c->depformer_hidden, sets};
        add_norms(w, &b);
        add_attention(w, &b);
        for (int s = 0; s < sets; s++) {
            char set[16];
            snprintf(set, sizeof set, ".%d", s);
            add_gating(w, &b, set);
        }
    }
    for (int k = 0; c->depformer_norm && k < c->dep_q; k++) {
        ADD(w, SYNTH_VECTOR(D), norm_law, "depformer_norms.%d.weight", k);
        ADD(w, SYNTH_VECTOR(D), bias_law, "depformer_norms.%d.bias", k);
    }
    for (int k = 0; k < c->dep_q; k++)
        ADD_MATRIX(w, c->card, D, LOGIT_GAIN, "linears.%d.weight", k);
}

/* No candle file has norms before the heads: there is no name for them. */
static void add_candle_depformer(const writer *w)
{
    const lm_config *c = w->config;
    int D = c->depformer_dim;
    char name[64];
    for (int k = 0; k < c->dep_q; k++) {
        ADD_MATRIX(w, D, c->dim, 1, "depformer.%d.linear_in.weight", k);
        ADD_MATRIX(w, c->card, D, LOGIT_GAIN, "depformer.%d.linear_out.weight",
                   k);
        snprintf(name, sizeof name, "depformer.%d.emb", k);
        add_depformer_table(w, name, k ? c->card + 1 : c->text_in, k == 0);
        for (int l = 0; l < c->depformer_num_layers; l++) {
            snprintf(name, sizeof name, "depformer.%d.transformer.layers.%d",
                     k, l);
            block b = {name, D, D, c->depformer_hidden, 1};
            add_norms(w, &b);
            add_attention(w, &b);
            add_gating(w, &b, "");
        }
    }
}

void synth_lm_add(synth_list *list, const lm_config *config,
                  synth_layout layout, dtype type)
{
    writer w = {list, config, layout, type};
    add_temporal(&w);
    if (config->dep_q == 0)
        return;
    if (layout == SYNTH_PYTORCH)
        add_pytorch_depformer(&w);
    else
        add_candle_depformer(&w);
}
