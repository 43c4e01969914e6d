/* pieces.c: list the tensors of the new file. */
#include "quant/pieces.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "quant/encode.h"

/* What a slice of the depformer may have, under its candle names. */
static const char *const slice_parts[] = {
    "linear_in.weight", "linear_out.weight", "emb.weight",
    "emb.low_rank.weight", "emb.out1.weight", "emb.out2.weight",
};
static const char *const layer_parts[] = {
    "norm1.alpha", "norm2.alpha", "norm1.weight", "norm2.weight",
    "norm1.bias", "norm2.bias", "self_attn.in_proj_weight",
    "self_attn.in_proj.weight", "self_attn.in_projs.0.weight",
    "self_attn.out_proj.weight", "self_attn.out_projs.0.weight",
    "gating.linear_in.weight", "gating.linear_out.weight",
};
#define COUNT(a) (sizeof(a) / sizeof *(a))

typedef struct lister {
    quant_pieces *out;
    const lm_model *model;
    dtype type;
    bool *taken; /* of each tensor of the model's file */
    moshi_error *err;
} lister;

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Conditioners are read as plain floats, whatever their shape. */
static dtype type_of(const lister *l, const tensor_spec *spec)
{
    if (!dtype_is_weight(spec->type))
        return spec->type;
    if (starts_with(spec->name, "condition_provider."))
        return DTYPE_F32;
    return quant_type_for(l->type, spec->n_dims, spec->dims);
}

static moshi_status add(lister *l, const char *name,
                        const weights_place *place)
{
    const checkpoint *file = l->model->file;
    const checkpoint_tensor *t = place->tensor;
    quant_pieces *p = l->out;
    if (!memory_grow((void **)&p->list, &p->capacity, p->count + 1,
                     sizeof *p->list))
        return error_no_memory(l->err, "the list of tensors");
    quant_piece *piece = &p->list[p->count];
    *piece = (quant_piece){.source = t, .n = checkpoint_elements(t)};
    tensor_spec *spec = &piece->spec;
    int n = snprintf(spec->name, sizeof spec->name, "%s", name);
    if (n < 0 || (size_t)n >= sizeof spec->name)
        return error_set(l->err, MOSHI_UNSUPPORTED,
                         "%s: tensor %.160s…: a name of %d bytes is too long "
                         "to be written", checkpoint_path(file), name, n);
    spec->type = t->type;
    spec->n_dims = t->n_dims;
    memcpy(spec->dims, t->dims, sizeof spec->dims);
    if (place->count) {
        size_t row = piece->n / t->dims[0];
        spec->dims[0] = place->count;
        piece->first = place->first * row;
        piece->n = place->count * row;
    }
    spec->type = type_of(l, spec);
    if (dtype_info(spec->type)->ggml < 0)
        return error_set(l->err, MOSHI_UNSUPPORTED,
                         "%s: tensor %s has type %s, which GGUF does not have",
                         checkpoint_path(file), t->name,
                         dtype_info(t->type)->name);
    for (size_t i = 0; i < checkpoint_count(file); i++)
        if (checkpoint_at(file, i) == t)
            l->taken[i] = true;
    p->count++;
    return MOSHI_OK;
}

/* Add a tensor by its candle name, if the file has it. */
static moshi_status add_named(lister *l, const char *name)
{
    lm_names names = {l->model->layout, &l->model->config};
    weights_place place;
    if (!lm_layout_resolve(&names, l->model->file, name, &place))
        return MOSHI_OK;
    return add(l, name, &place);
}

static moshi_status add_slice(lister *l, int k)
{
    char name[128];
    moshi_status status = MOSHI_OK;
    for (size_t i = 0; i < COUNT(slice_parts) && status == MOSHI_OK; i++) {
        snprintf(name, sizeof name, "depformer.%d.%s", k, slice_parts[i]);
        status = add_named(l, name);
    }
    for (int j = 0; j < l->model->config.depformer_num_layers; j++)
        for (size_t i = 0; i < COUNT(layer_parts) && status == MOSHI_OK; i++) {
            snprintf(name, sizeof name, "depformer.%d.transformer.layers.%d.%s",
                     k, j, layer_parts[i]);
            status = add_named(l, name);
        }
    return status;
}

/* Names that only the PyTorch layout has. */
static bool is_stacked(const char *name)
{
    return starts_with(name, "depformer") || starts_with(name, "linears.");
}

/* Tensors under their own names; of a file that changes its layout, those
 * that are the same in both. */
static moshi_status add_as_they_are(lister *l, bool changes)
{
    const checkpoint *file = l->model->file;
    moshi_status status = MOSHI_OK;
    for (size_t i = 0; i < checkpoint_count(file) && status == MOSHI_OK; i++) {
        weights_place place = {.tensor = checkpoint_at(file, i)};
        if (!changes || !is_stacked(place.tensor->name))
            status = add(l, place.tensor->name, &place);
    }
    return status;
}

static bool becomes_candle(const lm_model *m)
{
    return m->layout == LM_LAYOUT_PYTORCH && !m->config.depformer_norm &&
           m->config.depformer_sets == m->config.dep_q;
}

static void note_left_out(lister *l)
{
    const checkpoint *file = l->model->file;
    for (size_t i = 0; i < checkpoint_count(file); i++)
        if (!l->taken[i]) {
            if (l->out->n_left_out++ == 0)
                l->out->left_out = checkpoint_at(file, i)->name;
        }
}

moshi_status quant_pieces_list(quant_pieces *out, const lm_model *model,
                               dtype type, moshi_error *err)
{
    bool changes = becomes_candle(model);
    *out = (quant_pieces){
        .layout = changes ? LM_LAYOUT_CANDLE : model->layout};
    lister l = {.out = out, .model = model, .type = type, .err = err};
    l.taken = memory_calloc(checkpoint_count(model->file), sizeof *l.taken);
    if (!l.taken)
        return error_no_memory(err, "the list of tensors");
    moshi_status status = add_as_they_are(&l, changes);
    for (int k = 0; changes && k < model->config.dep_q; k++)
        if (status == MOSHI_OK)
            status = add_slice(&l, k);
    note_left_out(&l);
    memory_free(l.taken);
    if (status != MOSHI_OK)
        quant_pieces_release(out);
    return status;
}

void quant_pieces_release(quant_pieces *pieces)
{
    memory_free(pieces->list);
    pieces->list = NULL;
    pieces->count = pieces->capacity = 0;
}
