/* config_document.c: read config.json or candle's TOML (docs/FORMATS.md).
 *
 * The two describe the same model under other names, and give the
 * feed-forward width by different formulas; both are brought to the fields of
 * lm_config. Keys that do not concern the model (file names, sampling
 * defaults) are left to whoever needs them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "lm/config_load.h"

typedef struct reader {
    lm_config *config;
    const char *path;
    moshi_error *err;
    moshi_status status; /* of the first thing that is wrong */
} reader;

static const char *const toml_keys[LM_FIELD_COUNT] = {
    [LM_FIELD_dim] = "transformer.d_model",
    [LM_FIELD_num_heads] = "transformer.num_heads",
    [LM_FIELD_num_layers] = "transformer.num_layers",
    [LM_FIELD_hidden] = "transformer.dim_feedforward",
    [LM_FIELD_kv_repeat] = "transformer.kv_repeat",
    [LM_FIELD_context] = "transformer.context",
    [LM_FIELD_max_period] = "transformer.max_period",
    [LM_FIELD_text_in] = "text_in_vocab_size",
    [LM_FIELD_text_out] = "text_out_vocab_size",
    [LM_FIELD_card] = "audio_vocab_size",
    [LM_FIELD_n_q] = "audio_codebooks",
    [LM_FIELD_dep_q] = "depformer.num_slices",
    [LM_FIELD_depformer_dim] = "depformer.transformer.d_model",
    [LM_FIELD_depformer_num_heads] = "depformer.transformer.num_heads",
    [LM_FIELD_depformer_num_layers] = "depformer.transformer.num_layers",
    [LM_FIELD_depformer_hidden] = "depformer.transformer.dim_feedforward",
};

static const char *const json_keys[LM_FIELD_COUNT] = {
    [LM_FIELD_hidden] = "hidden_scale",
    [LM_FIELD_text_in] = "text_card",
    [LM_FIELD_text_out] = "text_card_out or text_card",
    [LM_FIELD_depformer_hidden] = "depformer_dim_feedforward",
    [LM_FIELD_depformer_sets] = "depformer_weights_per_step_schedule",
};

bool lm_config_document_is_toml(const value *document)
{
    return value_get(document, "text_in_vocab_size") != NULL ||
           value_get(value_get(document, "model"), "text_in_vocab_size") !=
               NULL;
}

const char *lm_config_document_key(lm_field field, bool toml)
{
    const char *key = toml ? toml_keys[field] : json_keys[field];
    return key ? key : lm_field_name(field);
}

static void fail(reader *r, const char *key, const char *why)
{
    if (r->status == MOSHI_OK)
        r->status = error_set(r->err, MOSHI_MISMATCH, "%s: %s %s", r->path,
                              key, why);
}

static void set(reader *r, lm_field field, int v)
{
    lm_config_set(r->config, field, v, LM_FROM_CONFIG);
}

/* No number of a config is larger: 21 times it still fits an int. */
#define NUMBER_MAX 1e8

/* An integer (a real without fraction will do) of sane size. */
static bool number(reader *r, const value *object, const char *key, int *out)
{
    const value *v = value_get(object, key);
    double real;
    bool flag;
    if (!v || value_type(v) == VALUE_NULL)
        return false;
    if (value_bool(v, &flag)) {
        *out = flag;
        return true;
    }
    if (!value_real(v, &real) || real != floor(real) ||
        fabs(real) > NUMBER_MAX) {
        fail(r, key, "must be a whole number");
        return false;
    }
    *out = (int)real;
    return true;
}

static void copy(reader *r, const value *object, const char *key,
                 lm_field field)
{
    int v;
    if (number(r, object, key, &v))
        set(r, field, v);
}

/* PyTorch: ff == 4 D ? 21 D / 8 : 2 ff / 3;  candle: 11 D / 4 for the first
 * case. They agree because JSON files say 4.125 where TOML files say 4
 * (docs/FORMATS.md, feed-forward widths). */
static int gated_width(int ff, int dim, bool toml)
{
    if (ff == 4 * dim)
        return toml ? 11 * dim / 4 : 21 * dim / 8;
    return 2 * ff / 3;
}

/* scale * width, cut to a whole number: what hidden_scale means. */
static int scaled_width(reader *r, double scale, int width)
{
    double ff = scale * width;
    if (ff >= 0 && ff <= NUMBER_MAX)
        return (int)ff;
    fail(r, "hidden_scale", "is out of range");
    return 0;
}

static void read_norm(reader *r, const char *name)
{
    if (strcmp(name, "rms_norm_f32") == 0 || strcmp(name, "RmsNorm") == 0)
        set(r, LM_FIELD_norm, LM_RMS_NORM);
    else if (strcmp(name, "layer_norm") == 0 || strcmp(name, "LayerNorm") == 0)
        set(r, LM_FIELD_norm, LM_LAYER_NORM);
    else
        fail(r, "norm", "is of a kind that this program does not know "
                        "(rms_norm_f32 or layer_norm)");
}

static void read_positions(reader *r, const char *name, lm_field field)
{
    static const struct { const char *json, *toml; int kind; } kinds[] = {
        {"rope", "Rope", LM_POSITIONS_ROPE},
        {"rope_concat", "RopeConcat", LM_POSITIONS_ROPE_CONCAT},
        {"sin", "Sin", LM_POSITIONS_SIN},
        {"none", "None", LM_POSITIONS_NONE},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(name, kinds[i].json) == 0 ||
            strcmp(name, kinds[i].toml) == 0) {
            set(r, field, kinds[i].kind);
            return;
        }
    fail(r, lm_field_name(field), "is of a kind that this program does not "
                                  "know (rope, rope_concat, sin, none)");
}

static void read_list(reader *r, const value *list, const char *key,
                      int *out, size_t room, int most, lm_field field)
{
    int64_t v;
    size_t n = value_count(list);
    if (!list || value_type(list) == VALUE_NULL)
        return;
    if (n == 0 || n > room)
        fail(r, key, "has a length that is not possible");
    for (size_t i = 0; i < n && r->status == MOSHI_OK; i++) {
        if (!value_integer(value_at(list, i), &v) || v < 0 || v > most)
            fail(r, key, "holds a value that is not possible");
        else
            out[i] = (int)v;
    }
    r->config->from[field] = LM_FROM_CONFIG;
}

static void read_values(reader *r, const value *list, lm_conditioner *k)
{
    const char *text;
    for (size_t i = 0; i < value_count(list); i++) {
        if (k->n_values == LIMIT_VALUES ||
            !value_string(value_at(list, i), &text) ||
            strlen(text) >= sizeof k->values[0]) {
            fail(r, "possible_values", "holds too many, or too long values");
            return;
        }
        snprintf(k->values[k->n_values++], sizeof k->values[0], "%s", text);
    }
}

/* JSON: {"type": "lut", "lut": {…}}; TOML: {type = "Lut", …}. */
static void read_conditioner(reader *r, const char *name, const value *v)
{
    lm_config *c = r->config;
    const char *type = "";
    if (c->n_conditioners == LIMIT_CONDITIONERS) {
        fail(r, "conditioners", "are too many");
        return;
    }
    lm_conditioner *k = &c->conditioners[c->n_conditioners];
    memset(k, 0, sizeof *k);
    if (strlen(name) >= sizeof k->name) {
        fail(r, "conditioners", "have a name that is too long");
        return;
    }
    snprintf(k->name, sizeof k->name, "%s", name);
    value_string(value_get(v, "type"), &type);
    const value *lut = value_get(v, "lut"), *tensor = value_get(v, "tensor");
    if (strcmp(type, "lut") == 0 || strcmp(type, "Lut") == 0) {
        const value *body = lut ? lut : v;
        k->kind = LM_CONDITIONER_LUT;
        number(r, body, "n_bins", &k->n_bins);
        number(r, body, "dim", &k->dim);
        read_values(r, value_get(body, "possible_values"), k);
    } else if (strcmp(type, "tensor") == 0 || strcmp(type, "Tensor") == 0) {
        k->kind = LM_CONDITIONER_TENSOR;
        number(r, tensor ? tensor : v, "dim", &k->dim);
    } else {
        fail(r, "conditioners", "are of a type that this program does not "
                                "know (lut, tensor)");
    }
    c->n_conditioners++;
}

static void read_conditioners(reader *r, const value *document)
{
    lm_config *c = r->config;
    const value *list = value_get(document, "conditioners");
    const value *fuser = value_get(document, "fuser");
    const value *cross = value_get(fuser, "cross");
    const char *name;
    double scale;
    for (size_t i = 0; i < value_count(list) && r->status == MOSHI_OK; i++)
        read_conditioner(r, value_key(list, i),
                         value_get(list, value_key(list, i)));
    for (size_t i = 0; i < value_count(cross); i++)
        for (int k = 0; k < c->n_conditioners; k++)
            if (value_string(value_at(cross, i), &name) &&
                strcmp(name, c->conditioners[k].name) == 0)
                c->conditioners[k].cross = true;
    if (value_count(value_get(fuser, "prepend")) > 0)
        fail(r, "fuser.prepend", "is not supported");
    value_bool(value_get(fuser, "cross_attention_pos_emb"),
               &c->cross_positions);
    c->cross_position_scale = 1.0f;
    if (value_real(value_get(fuser, "cross_attention_pos_emb_scale"), &scale))
        c->cross_position_scale = (float)scale;
    if (c->n_conditioners > 0)
        c->from[LM_FIELD_conditioners] = LM_FROM_CONFIG;
}

static void read_hidden_json(reader *r, const value *doc)
{
    lm_config *c = r->config;
    double scale = 4;
    const char *gating = "none";
    bool scaled = value_real(value_get(doc, "hidden_scale"), &scale);
    value_string(value_get(doc, "gating"), &gating);
    c->gated = strcmp(gating, "none") != 0;
    if (value_get(doc, "gating"))
        c->from[LM_FIELD_gated] = LM_FROM_CONFIG;
    if (scaled && c->from[LM_FIELD_dim]) {
        int ff = scaled_width(r, scale, c->dim);
        set(r, LM_FIELD_hidden, c->gated ? gated_width(ff, c->dim, false) : ff);
    }
    const char *inner = gating;
    value_string(value_get(doc, "depformer_gating"), &inner);
    bool inner_gated = strcmp(inner, "none") != 0;
    if (value_get(doc, "depformer_gating"))
        set(r, LM_FIELD_depformer_gated, inner_gated);
    int ff = scaled ? scaled_width(r, scale, c->depformer_dim) : 0;
    bool given = number(r, doc, "depformer_dim_feedforward", &ff);
    if (c->from[LM_FIELD_depformer_dim] && (given || scaled))
        set(r, LM_FIELD_depformer_hidden,
            inner_gated ? gated_width(ff, c->depformer_dim, false) : ff);
}

static void read_vocabulary_json(reader *r, const value *doc)
{
    int card, out;
    if (number(r, doc, "text_card", &card)) {
        set(r, LM_FIELD_text_in, card + 1);
        set(r, LM_FIELD_text_out,
            number(r, doc, "text_card_out", &out) ? out : card);
    }
    copy(r, doc, "card", LM_FIELD_card);
    copy(r, doc, "existing_text_padding_id", LM_FIELD_text_pad);
    copy(r, doc, "existing_text_end_padding_id", LM_FIELD_text_end_pad);
    copy(r, doc, "demux_second_stream", LM_FIELD_demux);
    copy(r, doc, "demux_second_text_stream", LM_FIELD_demux);
}

/* Switches that change the model and that this engine does not have. */
static void refuse_unknown_parts(reader *r, const value *doc)
{
    static const char *const switches[] = {"norm_emb", "bias_proj", "lora",
                                           "quantize"};
    bool on;
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        if (value_bool(value_get(doc, switches[i]), &on) && on)
            fail(r, switches[i], "is on, which this program does not support");
}

static void read_json(reader *r, const value *doc)
{
    lm_config *c = r->config;
    const char *text;
    refuse_unknown_parts(r, doc);
    static const lm_field plain[] = {
        LM_FIELD_dim, LM_FIELD_num_heads, LM_FIELD_num_layers,
        LM_FIELD_kv_repeat, LM_FIELD_context, LM_FIELD_max_period,
        LM_FIELD_n_q, LM_FIELD_dep_q, LM_FIELD_depformer_dim,
        LM_FIELD_depformer_num_heads, LM_FIELD_depformer_num_layers,
        LM_FIELD_depformer_low_rank, LM_FIELD_cross_attention,
        LM_FIELD_extra_heads, LM_FIELD_extra_heads_dim};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        copy(r, doc, lm_field_name(plain[i]), plain[i]);
    read_vocabulary_json(r, doc);
    read_hidden_json(r, doc);
    if (value_string(value_get(doc, "norm"), &text))
        read_norm(r, text);
    if (value_string(value_get(doc, "positional_embedding"), &text))
        read_positions(r, text, LM_FIELD_positions);
    if (value_string(value_get(doc, "depformer_pos_emb"), &text))
        read_positions(r, text, LM_FIELD_depformer_positions);
    if (value_string(value_get(doc, "depformer_norm"), &text))
        set(r, LM_FIELD_depformer_norm, 1);
    read_list(r, value_get(doc, "delays"), "delays", c->delays,
              1 + LIMIT_CODEBOOKS, LIMIT_DELAY, LM_FIELD_delays);
    size_t delays = value_count(value_get(doc, "delays"));
    if (delays > 0 && c->from[LM_FIELD_n_q] && delays != (size_t)c->n_q + 1)
        fail(r, "delays", "must have n_q + 1 entries, text first");
    const value *schedule =
        value_get(doc, "depformer_weights_per_step_schedule");
    read_list(r, schedule, "depformer_weights_per_step_schedule", c->schedule,
              LIMIT_CODEBOOKS, LIMIT_CODEBOOKS - 1, LM_FIELD_schedule);
    if (c->from[LM_FIELD_schedule] && value_count(schedule) < (size_t)c->dep_q)
        fail(r, "depformer_weights_per_step_schedule",
             "must have an entry for each of the dep_q codebooks");
    if (value_string(value_get(doc, "model_type"), &text))
        snprintf(c->model_type, sizeof c->model_type, "%s", text);
}

static void read_toml(reader *r, const value *doc)
{
    lm_config *c = r->config;
    const value *main = value_get(doc, "transformer");
    const value *dep = value_get(doc, "depformer");
    const value *inner = value_get(dep, "transformer");
    const value *heads = value_get(doc, "extra_heads");
    const char *text;
    int card, ff;
    copy(r, doc, "text_in_vocab_size", LM_FIELD_text_in);
    copy(r, doc, "text_out_vocab_size", LM_FIELD_text_out);
    copy(r, doc, "audio_codebooks", LM_FIELD_n_q);
    if (number(r, doc, "audio_vocab_size", &card))
        set(r, LM_FIELD_card, card - 1);
    copy(r, main, "d_model", LM_FIELD_dim);
    copy(r, main, "num_heads", LM_FIELD_num_heads);
    copy(r, main, "num_layers", LM_FIELD_num_layers);
    copy(r, main, "context", LM_FIELD_context);
    copy(r, main, "max_period", LM_FIELD_max_period);
    copy(r, main, "kv_repeat", LM_FIELD_kv_repeat);
    if (number(r, main, "dim_feedforward", &ff))
        set(r, LM_FIELD_hidden,
            value_get(main, "gating") ? gated_width(ff, c->dim, true) : ff);
    if (value_string(value_get(main, "norm"), &text))
        read_norm(r, text);
    if (value_string(value_get(main, "positional_embedding"), &text))
        read_positions(r, text, LM_FIELD_positions);
    copy(r, dep, "num_slices", LM_FIELD_dep_q);
    copy(r, dep, "low_rank_embeddings", LM_FIELD_depformer_low_rank);
    copy(r, inner, "d_model", LM_FIELD_depformer_dim);
    copy(r, inner, "num_heads", LM_FIELD_depformer_num_heads);
    copy(r, inner, "num_layers", LM_FIELD_depformer_num_layers);
    if (number(r, inner, "dim_feedforward", &ff))
        set(r, LM_FIELD_depformer_hidden,
            gated_width(ff, c->depformer_dim, true));
    if (value_string(value_get(inner, "positional_embedding"), &text))
        read_positions(r, text, LM_FIELD_depformer_positions);
    copy(r, heads, "num_heads", LM_FIELD_extra_heads);
    copy(r, heads, "dim", LM_FIELD_extra_heads_dim);
}

moshi_status lm_config_from_document(lm_config *out, const value *document,
                                     const char *path, moshi_error *err)
{
    reader r = {.config = out, .path = path, .err = err};
    memset(out, 0, sizeof *out);
    if (value_type(document) != VALUE_OBJECT)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: not a config: a table of keys is expected",
                         path);
    const value *model = value_get(document, "model");
    if (lm_config_document_is_toml(document))
        read_toml(&r, value_type(model) == VALUE_OBJECT ? model : document);
    else
        read_json(&r, document);
    read_conditioners(&r, value_type(model) == VALUE_OBJECT ? model
                                                            : document);
    return r.status;
}
