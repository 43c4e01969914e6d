/* config_shapes.c: what the names and shapes of the tensors tell. */
#include <string.h>

#include "base/error.h"
#include "lm/config_load.h"

/* Dimension `axis`, clipped to what an int field may hold; 0 if absent. */
static int dim(const checkpoint_tensor *t, int axis)
{
    if (!t || axis >= t->n_dims || t->dims[axis] > LIMIT_VOCABULARY * 4)
        return 0;
    return (int)t->dims[axis];
}

static int rows(const checkpoint_tensor *t)
{
    return dim(t, 0);
}

static int columns(const checkpoint_tensor *t)
{
    return dim(t, 1);
}

/* How many of format(0), format(1), … exist, up to limit. */
static int count(const checkpoint *file, const char *before,
                 const char *after, int limit)
{
    int n = 0;
    while (n < limit &&
           checkpoint_find_format(file, "%s%d%s", before, n, after))
        n++;
    return n;
}

static void set(lm_config *c, lm_field field, int v)
{
    lm_config_set(c, field, v, LM_FROM_SHAPES);
}

static const checkpoint_tensor *first_of(const checkpoint *file,
                                         const char *prefix,
                                         const char *const *suffixes)
{
    const checkpoint_tensor *t = NULL;
    for (int i = 0; suffixes[i] && !t; i++)
        t = checkpoint_find_format(file, "%s%s", prefix, suffixes[i]);
    return t;
}

static const char *const in_proj[] = {"in_proj_weight", "in_proj.weight",
                                      "in_projs.0.weight", NULL};

static void temporal(lm_config *c, const checkpoint *file)
{
    const checkpoint_tensor *t = checkpoint_find(file, "text_emb.weight");
    set(c, LM_FIELD_text_in, rows(t));
    set(c, LM_FIELD_dim, columns(t));
    set(c, LM_FIELD_text_out,
        rows(checkpoint_find(file, "text_linear.weight")));
    set(c, LM_FIELD_n_q, count(file, "emb.", ".weight", LIMIT_CODEBOOKS));
    int card = rows(checkpoint_find(file, "emb.0.weight")) - 1;
    set(c, LM_FIELD_card, card > 0 ? card : 0);
    set(c, LM_FIELD_demux,
        checkpoint_find(file, "text_emb.out1.weight") != NULL);

    bool rms =
        checkpoint_find(file, "transformer.layers.0.norm1.alpha") != NULL;
    set(c, LM_FIELD_norm, rms ? LM_RMS_NORM : LM_LAYER_NORM);
    set(c, LM_FIELD_num_layers,
        count(file, "transformer.layers.",
              rms ? ".norm1.alpha" : ".norm1.weight", LIMIT_LAYERS));
    const checkpoint_tensor *out =
        checkpoint_find(file, "transformer.layers.0.gating.linear_out.weight");
    set(c, LM_FIELD_gated, out != NULL);
    set(c, LM_FIELD_hidden,
        out ? columns(out)
            : rows(checkpoint_find(
                  file, "transformer.layers.0.linear1.weight")));
    int qkv = rows(first_of(file, "transformer.layers.0.self_attn.", in_proj));
    int kv = (qkv - c->dim) / 2;
    set(c, LM_FIELD_kv_repeat,
        kv > 0 && c->dim % kv == 0 ? c->dim / kv : 0);
    set(c, LM_FIELD_cross_attention,
        first_of(file, "transformer.layers.0.cross_attention.", in_proj) !=
            NULL);
    int heads = count(file, "extra_heads.", ".weight", LIMIT_CODEBOOKS);
    set(c, LM_FIELD_extra_heads, heads);
    if (heads > 0)
        set(c, LM_FIELD_extra_heads_dim,
            rows(checkpoint_find(file, "extra_heads.0.weight")));
}

static void depformer_candle(lm_config *c, const checkpoint *file)
{
    const char *layer = "depformer.0.transformer.layers.0";
    set(c, LM_FIELD_dep_q,
        count(file, "depformer.", ".linear_in.weight", LIMIT_CODEBOOKS));
    /* The file is expanded: each slice has its own copy of its set. */
    set(c, LM_FIELD_depformer_sets, c->dep_q);
    set(c, LM_FIELD_depformer_dim,
        rows(checkpoint_find(file, "depformer.0.linear_in.weight")));
    set(c, LM_FIELD_depformer_num_layers,
        count(file, "depformer.0.transformer.layers.",
              ".self_attn.out_proj.weight", LIMIT_LAYERS));
    set(c, LM_FIELD_depformer_low_rank,
        columns(checkpoint_find(file, "depformer.0.emb.low_rank.weight")));
    set(c, LM_FIELD_depformer_hidden,
        columns(checkpoint_find_format(file, "%s.gating.linear_out.weight",
                                       layer)));
    set(c, LM_FIELD_depformer_norm, 0);
}

static void depformer_pytorch(lm_config *c, const checkpoint *file)
{
    const checkpoint_tensor *out =
        checkpoint_find(file, "depformer.layers.0.gating.0.linear_out.weight");
    set(c, LM_FIELD_dep_q,
        count(file, "linears.", ".weight", LIMIT_CODEBOOKS));
    set(c, LM_FIELD_depformer_sets,
        count(file, "depformer_in.", ".weight", LIMIT_CODEBOOKS));
    set(c, LM_FIELD_depformer_dim,
        rows(checkpoint_find(file, "depformer_in.0.weight")));
    int layers = 0;
    while (layers < (int)LIMIT_LAYERS &&
           (checkpoint_find_format(file, "depformer.layers.%d.norm1.alpha",
                                   layers) ||
            checkpoint_find_format(file, "depformer.layers.%d.norm1.weight",
                                   layers)))
        layers++;
    set(c, LM_FIELD_depformer_num_layers, layers);
    set(c, LM_FIELD_depformer_low_rank,
        columns(checkpoint_find(file, "depformer_text_emb.low_rank.weight")));
    set(c, LM_FIELD_depformer_hidden, columns(out));
    set(c, LM_FIELD_depformer_norm,
        checkpoint_find(file, "depformer_norms.0.weight") != NULL);
}

/* Names between the prefix and the tensor's own name. */
static void conditioners(lm_config *c, const checkpoint *file)
{
    static const char prefix[] = "condition_provider.conditioners.";
    for (size_t i = 0; i < checkpoint_count(file); i++) {
        const char *name = checkpoint_at(file, i)->name;
        if (strncmp(name, prefix, sizeof prefix - 1) != 0)
            continue;
        const char *start = name + sizeof prefix - 1;
        const char *end = strstr(start, ".output_proj.weight");
        if (!end || end == start || c->n_conditioners == LIMIT_CONDITIONERS)
            continue;
        lm_conditioner *k = &c->conditioners[c->n_conditioners];
        size_t length = (size_t)(end - start);
        if (length >= sizeof k->name || memchr(start, '.', length))
            continue;
        memset(k, 0, sizeof *k);
        memcpy(k->name, start, length);
        const checkpoint_tensor *table =
            checkpoint_find_format(file, "%s%s.embed.weight", prefix, k->name);
        k->kind = table ? LM_CONDITIONER_LUT : LM_CONDITIONER_TENSOR;
        k->n_bins = table ? rows(table) - 1 : 0;
        k->dim = columns(checkpoint_at(file, i));
        c->n_conditioners++;
    }
    c->from[LM_FIELD_conditioners] = LM_FROM_SHAPES;
}

static moshi_status check(const lm_config *c, const checkpoint *file,
                          moshi_error *err)
{
    const int limit = (int)LIMIT_WIDTH, words = (int)LIMIT_VOCABULARY;
    const struct { lm_field field; int value, least, most; } sizes[] = {
        {LM_FIELD_text_in, c->text_in, 2, words},
        {LM_FIELD_text_out, c->text_out, 1, words},
        {LM_FIELD_dim, c->dim, 2, limit},
        {LM_FIELD_n_q, c->n_q, 1, LIMIT_CODEBOOKS},
        {LM_FIELD_card, c->card, 1, words},
        {LM_FIELD_num_layers, c->num_layers, 1, (int)LIMIT_LAYERS},
        {LM_FIELD_hidden, c->hidden, 1, 4 * limit},
        {LM_FIELD_kv_repeat, c->kv_repeat, 1, 64},
        {LM_FIELD_dep_q, c->dep_q, 0, c->n_q},
        {LM_FIELD_depformer_dim, c->depformer_dim, c->dep_q ? 2 : 0, limit},
        {LM_FIELD_depformer_num_layers, c->depformer_num_layers,
         c->dep_q ? 1 : 0, (int)LIMIT_LAYERS},
        {LM_FIELD_depformer_hidden, c->depformer_hidden, c->dep_q ? 1 : 0,
         4 * limit},
        {LM_FIELD_depformer_sets, c->depformer_sets, c->dep_q ? 1 : 0,
         LIMIT_CODEBOOKS},
        {LM_FIELD_extra_heads_dim, c->extra_heads_dim, c->extra_heads ? 1 : 0,
         1024},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].value < sizes[i].least || sizes[i].value > sizes[i].most)
            return error_set(err, MOSHI_MISMATCH,
                             "%s: not a usable language model: %s is %d by the "
                             "tensors (%d to %d are possible)",
                             checkpoint_path(file),
                             lm_field_name(sizes[i].field), sizes[i].value,
                             sizes[i].least, sizes[i].most);
    return MOSHI_OK;
}

moshi_status lm_config_from_shapes(lm_config *out, const checkpoint *file,
                                   lm_layout layout, moshi_error *err)
{
    lm_config *c = out;
    memset(c, 0, sizeof *c);
    temporal(c, file);
    set(c, LM_FIELD_dep_q, 0);
    if (layout != LM_LAYOUT_PLAIN)
        set(c, LM_FIELD_depformer_gated, 1);
    if (layout == LM_LAYOUT_CANDLE)
        depformer_candle(c, file);
    else if (layout == LM_LAYOUT_PYTORCH)
        depformer_pytorch(c, file);
    conditioners(c, file);
    return check(c, file, err);
}
