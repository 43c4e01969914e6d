/* transformer_load.c: read one transformer layer, whatever its names.
 *
 * Fused names of the published files (`in_proj_weight`), the module names of
 * a saved PyTorch state (`in_projs.0.weight`) and `in_proj.weight` are the
 * same tensor (docs/FORMATS.md, the language model's names). */
#include <stdio.h>

#include "nn/arrange.h"
#include "nn/transformer.h"

#define NAME_ROOM 256

/* The first of the alternatives that exists, for messages the first. */
static nn_matrix any_matrix(weights *w, const char *prefix,
                            const char *const *suffixes, size_t rows,
                            size_t width)
{
    char name[NAME_ROOM];
    for (int i = 0; suffixes[i]; i++) {
        snprintf(name, sizeof name, "%s.%s", prefix, suffixes[i]);
        if (weights_has(w, name))
            return weights_matrix_kept(w, name, rows, width);
    }
    snprintf(name, sizeof name, "%s.%s", prefix, suffixes[0]);
    return weights_matrix_kept(w, name, rows, width);
}

static nn_matrix matrix(weights *w, const char *prefix, const char *suffix,
                        size_t rows, size_t width)
{
    const char *one[] = {suffix, NULL};
    return any_matrix(w, prefix, one, rows, width);
}

static const float *vector(weights *w, const char *prefix, const char *suffix,
                           size_t n)
{
    char name[NAME_ROOM];
    snprintf(name, sizeof name, "%s.%s", prefix, suffix);
    return weights_floats_optional(w, name, n);
}

/* LayerNorm has weight and bias (or alpha and bias), RMS norm alpha. */
static nn_norm norm(weights *w, const char *prefix, const char *which,
                    bool layer, float eps, size_t n)
{
    char name[NAME_ROOM];
    nn_norm result = {.layer = layer, .eps = eps};
    snprintf(name, sizeof name, "%s.%s", prefix, which);
    result.weight = vector(w, name, "weight", n);
    if (!result.weight)
        result.weight = vector(w, name, "alpha", n);
    if (layer)
        result.bias = vector(w, name, "bias", n);
    if (!result.weight)
        weights_fail(w, MOSHI_MISMATCH, "tensor %s.%s is missing", name,
                     layer ? "weight" : "alpha");
    else if (layer && !result.bias)
        weights_fail(w, MOSHI_MISMATCH, "tensor %s.bias is missing", name);
    return result;
}

static void load_cross(weights *w, const char *prefix, const nn_transformer *t,
                       nn_layer *out)
{
    static const char *const fused[] = {"cross_attention.in_proj_weight",
                                        "cross_attention.in_proj.weight",
                                        "cross_attention.in_projs.0.weight",
                                        NULL};
    static const char *const last[] = {"cross_attention.out_proj.weight",
                                       "cross_attention.out_projs.0.weight",
                                       NULL};
    size_t width = (size_t)t->width;
    nn_matrix all = any_matrix(w, prefix, fused, 3 * width, width);
    out->cross_q = nn_matrix_rows(all, 0, width);
    out->cross_kv = nn_matrix_rows(all, width, 2 * width);
    out->cross_out = any_matrix(w, prefix, last, width, width);
    out->norm_cross = norm(w, prefix, "norm_cross", true, 1e-5f, width);
}

void nn_layer_load(weights *w, const char *prefix, const nn_transformer *t,
                   bool cross, nn_layer *out)
{
    static const char *const in[] = {"self_attn.in_proj_weight",
                                     "self_attn.in_proj.weight",
                                     "self_attn.in_projs.0.weight", NULL};
    static const char *const last[] = {"self_attn.out_proj.weight",
                                       "self_attn.out_projs.0.weight", NULL};
    size_t width = (size_t)t->width, hidden = (size_t)t->hidden;
    size_t q = (size_t)(t->heads * t->head_dim);
    size_t kv = (size_t)(t->kv_heads * t->head_dim);

    *out = (nn_layer){.gated = t->gated};
    out->norm1 = norm(w, prefix, "norm1", t->layer_norm, t->eps, width);
    out->norm2 = norm(w, prefix, "norm2", t->layer_norm, t->eps, width);
    out->in_proj = any_matrix(w, prefix, in, q + 2 * kv, width);
    out->out_proj = any_matrix(w, prefix, last, width, q);
    if (t->gated) {
        out->ff_in = matrix(w, prefix, "gating.linear_in.weight", 2 * hidden,
                            width);
        out->ff_out = matrix(w, prefix, "gating.linear_out.weight", width,
                             hidden);
    } else {
        out->ff_in = matrix(w, prefix, "linear1.weight", hidden, width);
        out->ff_out = matrix(w, prefix, "linear2.weight", width, hidden);
    }
    out->scale1 = vector(w, prefix, "layer_scale_1.scale", width);
    out->scale2 = vector(w, prefix, "layer_scale_2.scale", width);
    if (cross)
        load_cross(w, prefix, t, out);
}
