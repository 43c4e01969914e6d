/* layout.c: recognise a layout; find candle names in a PyTorch file. */
#include "lm/layout.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

const char *lm_layout_name(lm_layout layout)
{
    static const char *const names[] = {"plain", "candle", "PyTorch"};
    return names[layout];
}

static bool has(const checkpoint *file, const char *name)
{
    return checkpoint_find(file, name) != NULL;
}

/* Does any tensor's name end (or start) like this? */
static bool any_suffix(const checkpoint *file, const char *suffix)
{
    size_t n = strlen(suffix);
    for (size_t i = 0; i < checkpoint_count(file); i++) {
        const char *name = checkpoint_at(file, i)->name;
        size_t length = strlen(name);
        if (length >= n && strcmp(name + length - n, suffix) == 0)
            return true;
    }
    return false;
}

static bool any_prefix(const checkpoint *file, const char *prefix)
{
    for (size_t i = 0; i < checkpoint_count(file); i++)
        if (strncmp(checkpoint_at(file, i)->name, prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

static moshi_status unsupported(const checkpoint *file, const char *what,
                                moshi_error *err)
{
    error_set(err, MOSHI_UNSUPPORTED, "%s: %s, which this program does not "
              "read", checkpoint_path(file), what);
    return error_hint(err, "take the file of the model's candle or PyTorch "
                      "bf16 repository, or the candle q8 GGUF");
}

moshi_status lm_layout_recognise(const checkpoint *file, lm_layout *out,
                                 moshi_error *err)
{
    const char *path = checkpoint_path(file);
    if (has(file, "audio_embs.0.weight"))
        return unsupported(file, "a model in the MLX naming "
                           "(audio_embs.0.weight)", err);
    if (any_suffix(file, ".weight_scb") || any_suffix(file, "_scb"))
        return unsupported(file, "a model quantised by bitsandbytes "
                           "(weight_scb)", err);
    if (any_suffix(file, ".lora_A.weight"))
        return unsupported(file, "a model with LoRA weights that are not "
                           "fused in (lora_A)", err);
    if (any_prefix(file, "lm."))
        return unsupported(file, "a model in the moshi.cpp naming (lm.…)",
                           err);
    if (has(file, "encoder.model.0.conv.conv.weight")) {
        error_set(err, MOSHI_MISMATCH,
                  "%s: a Mimi codec, not a language model", path);
        return error_hint(err, "give it with --mimi, and the language model "
                          "with --lm");
    }
    if (!has(file, "text_emb.weight"))
        return error_set(err, MOSHI_MISMATCH,
                         "%s: not a language model of the Moshi family: tensor "
                         "text_emb.weight is missing", path);
    if (has(file, "depformer.0.linear_in.weight"))
        *out = LM_LAYOUT_CANDLE;
    else if (has(file, "depformer_in.0.weight"))
        *out = LM_LAYOUT_PYTORCH;
    else
        *out = LM_LAYOUT_PLAIN;
    return MOSHI_OK;
}

/* The place of a whole tensor, if there is one. */
static bool whole(weights_place *out, const checkpoint_tensor *t)
{
    *out = (weights_place){.tensor = t};
    return t != NULL;
}

/* The band of rows that weight set w has in a stacked tensor. */
static bool take_band(weights_place *place, int w, int sets)
{
    size_t rows = place->tensor->n_dims > 0 ? place->tensor->dims[0] : 0;
    if (sets < 1 || rows % (size_t)sets != 0 || rows == 0)
        return false;
    place->count = rows / (size_t)sets;
    place->first = (size_t)w * place->count;
    return true;
}

/* A layer's tensor: `rest` is "self_attn.out_proj.weight" and so on. */
static bool find_in_layer(const checkpoint *file, int layer, int w, int sets,
                          const char *rest, weights_place *out)
{
    if (strncmp(rest, "gating.", 7) == 0)
        return whole(out, checkpoint_find_format(
                              file, "depformer.layers.%d.gating.%d.%s", layer,
                              w, rest + 7));
    /* Unstacked module names of a saved state: one tensor per set. */
    if (strcmp(rest, "self_attn.in_projs.0.weight") == 0)
        return whole(out, checkpoint_find_format(
                              file, "depformer.layers.%d.self_attn.in_projs."
                              "%d.weight", layer, w));
    if (strcmp(rest, "self_attn.out_projs.0.weight") == 0)
        return whole(out, checkpoint_find_format(
                              file, "depformer.layers.%d.self_attn.out_projs."
                              "%d.weight", layer, w));
    bool found = whole(out, checkpoint_find_format(
                                file, "depformer.layers.%d.%s", layer, rest));
    return found && (strncmp(rest, "self_attn.", 10) != 0 ||
                     take_band(out, w, sets));
}

/* A tensor of slice k outside its layers. */
static const checkpoint_tensor *find_in_slice(const checkpoint *file, int k,
                                              int w, const char *rest)
{
    if (strcmp(rest, "linear_in.weight") == 0)
        return checkpoint_find_format(file, "depformer_in.%d.weight", w);
    if (strcmp(rest, "linear_out.weight") == 0)
        return checkpoint_find_format(file, "linears.%d.weight", k);
    if (strncmp(rest, "norm.", 5) == 0)
        return checkpoint_find_format(file, "depformer_norms.%d.%s", k,
                                      rest + 5);
    if (strncmp(rest, "emb.", 4) != 0)
        return NULL;
    return k == 0 ? checkpoint_find_format(file, "depformer_text_emb.%s",
                                           rest + 4)
                  : checkpoint_find_format(file, "depformer_emb.%d.%s", k - 1,
                                           rest + 4);
}

bool lm_layout_resolve(const void *user, const checkpoint *file,
                       const char *name, weights_place *out)
{
    const lm_names *names = user;
    const char *prefix = "depformer.";
    if (names->layout != LM_LAYOUT_PYTORCH ||
        strncmp(name, prefix, strlen(prefix)) != 0)
        return whole(out, checkpoint_find(file, name));
    char *rest;
    long k = strtol(name + strlen(prefix), &rest, 10);
    if (*rest++ != '.' || k < 0 || k >= names->config->dep_q)
        return false;
    int w = names->config->schedule[k];
    prefix = "transformer.layers.";
    if (strncmp(rest, prefix, strlen(prefix)) != 0)
        return whole(out, find_in_slice(file, (int)k, w, rest));
    long layer = strtol(rest + strlen(prefix), &rest, 10);
    return *rest++ == '.' && layer >= 0 && layer < (long)LIMIT_LAYERS &&
           find_in_layer(file, (int)layer, w, names->config->depformer_sets,
                         rest, out);
}
