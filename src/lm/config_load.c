/* config_load.c: shapes, document and known models into one config.
 *
 * The shapes are the truth. What they decide, a document may only confirm;
 * what they leave open comes from the document, else from the known model
 * whose shapes these are. What nobody tells is an error, not a guess. */
#include "lm/config_load.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "lm/known_models.h"

/* The tensor whose shape decides a field, for messages. */
static const char *const deciding_tensor[LM_FIELD_COUNT] = {
    [LM_FIELD_dim] = "text_emb.weight",
    [LM_FIELD_text_in] = "text_emb.weight",
    [LM_FIELD_text_out] = "text_linear.weight",
    [LM_FIELD_card] = "emb.0.weight",
    [LM_FIELD_hidden] = "transformer.layers.0.gating.linear_out.weight",
    [LM_FIELD_kv_repeat] = "transformer.layers.0.self_attn.in_proj_weight",
};

/* Fields of which a model may do without, and their value then. */
static const struct { lm_field field; int value; } defaults[] = {
    {LM_FIELD_text_pad, 3},
    {LM_FIELD_text_end_pad, 0},
};

static const char *suggestion(const known_model *match, char *text,
                              size_t room)
{
    if (match)
        snprintf(text, room, "; this file matches the known model %s",
                 match->name);
    else
        text[0] = 0;
    return text;
}

static moshi_status disagree(const checkpoint *file, lm_field field,
                             int by_shape, int said, const value *document,
                             const char *path, const known_model *match,
                             moshi_error *err)
{
    char shape[160], known[128];
    bool toml = lm_config_document_is_toml(document);
    const char *key = lm_config_document_key(field, toml);
    const char *name = deciding_tensor[field];
    const checkpoint_tensor *t = name ? checkpoint_find(file, name) : NULL;
    suggestion(match, known, sizeof known);
    /* Cards are one less than the rows of their tables. */
    bool card = field == LM_FIELD_text_in && !toml;
    if (field == LM_FIELD_hidden || field == LM_FIELD_depformer_hidden) {
        error_set(err, MOSHI_MISMATCH,
                  "%s: the feed-forward is %d wide by the tensors but %d by "
                  "%s in %s%s", checkpoint_path(file), by_shape, said, key,
                  path, known);
        return error_hint(err, "use the config that belongs to this file");
    }
    if (t)
        error_set(err, MOSHI_MISMATCH,
                  "%s: tensor %s is %s but %s says %s = %d%s",
                  checkpoint_path(file), name,
                  checkpoint_shape_text(t, shape, sizeof shape), path,
                  card ? "text_card" : key, card ? said - 1 : said, known);
    else
        error_set(err, MOSHI_MISMATCH,
                  "%s: %s is %d by the tensors but %d by %s%s",
                  checkpoint_path(file), key, by_shape, said, path, known);
    return error_hint(err, match ? "use the config of that model, or none"
                                 : "use the config that belongs to this file");
}

/* Does the layout decide this field? Weight sets of a candle file are
 * expanded, so their count says nothing about the schedule. */
static bool comparable(lm_field field, lm_layout layout)
{
    return field != LM_FIELD_depformer_sets || layout == LM_LAYOUT_PYTORCH;
}

static bool is_depformer_field(lm_field field)
{
    switch (field) {
    case LM_FIELD_depformer_dim:
    case LM_FIELD_depformer_num_heads:
    case LM_FIELD_depformer_num_layers:
    case LM_FIELD_depformer_hidden:
    case LM_FIELD_depformer_sets:
    case LM_FIELD_depformer_low_rank:
    case LM_FIELD_depformer_norm:
    case LM_FIELD_depformer_gated:
    case LM_FIELD_depformer_positions:
        return true;
    default:
        return false;
    }
}

/* What the file does not have, a document may still describe: the official
 * config of STT has a depformer section, and its extra heads are in only one
 * of the two published files. */
static bool is_absent(const lm_config *c, lm_field field)
{
    if (field == LM_FIELD_extra_heads || field == LM_FIELD_extra_heads_dim)
        return c->extra_heads == 0;
    return is_depformer_field(field) && c->dep_q == 0;
}

/* Must somebody tell this field? */
static bool is_needed(const lm_config *c, lm_field field)
{
    if (field == LM_FIELD_max_period)
        return c->positions == LM_POSITIONS_ROPE ||
               c->positions == LM_POSITIONS_ROPE_CONCAT;
    if (field == LM_FIELD_schedule)
        return c->dep_q > 0;
    return field != LM_FIELD_conditioners && !is_absent(c, field);
}

static moshi_status merge_integers(lm_config *c, lm_config *said,
                                   const known_model *match,
                                   const checkpoint *file, lm_layout layout,
                                   const value *document, const char *path,
                                   moshi_error *err)
{
    for (int f = 0; f < LM_FIELD_delays; f++) {
        lm_field field = (lm_field)f;
        int *mine = lm_config_integer(c, field);
        bool shaped = c->from[f] != LM_FROM_NOWHERE;
        if (is_absent(c, field))
            continue;
        if (document && said->from[f]) {
            int theirs = *lm_config_integer(said, field);
            if (shaped && comparable(field, layout) && *mine != theirs)
                return disagree(file, field, *mine, theirs, document, path,
                                match, err);
            if (!shaped)
                lm_config_set(c, field, theirs, LM_FROM_CONFIG);
        } else if (!shaped && match) {
            lm_config known = match->config;
            lm_config_set(c, field, *lm_config_integer(&known, field),
                          LM_FROM_PRESET);
        }
    }
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (!c->from[defaults[i].field])
            lm_config_set(c, defaults[i].field, defaults[i].value,
                          LM_FROM_PRESET);
    return MOSHI_OK;
}

static void merge_lists(lm_config *c, const lm_config *said,
                        const known_model *match, lm_layout layout,
                        int acoustic_delay)
{
    if (said->from[LM_FIELD_delays]) {
        memcpy(c->delays, said->delays, sizeof c->delays);
        c->from[LM_FIELD_delays] = LM_FROM_CONFIG;
    } else if (match) {
        memcpy(c->delays, match->config.delays, sizeof c->delays);
        c->from[LM_FIELD_delays] = LM_FROM_PRESET;
    } else if (acoustic_delay >= 0) {
        lm_config_set_delay(c, acoustic_delay);
    }
    bool stacked = layout == LM_LAYOUT_PYTORCH;
    if (stacked && said->from[LM_FIELD_schedule]) {
        memcpy(c->schedule, said->schedule, sizeof c->schedule);
        c->from[LM_FIELD_schedule] = LM_FROM_CONFIG;
    } else if (!stacked || c->depformer_sets == c->dep_q) {
        for (int k = 0; k < c->dep_q; k++)
            c->schedule[k] = k;
        c->from[LM_FIELD_schedule] = LM_FROM_SHAPES;
    } else if (match) {
        memcpy(c->schedule, match->config.schedule, sizeof c->schedule);
        c->from[LM_FIELD_schedule] = LM_FROM_PRESET;
    }
}

/* A document that does not repeat n_q or dep_q may still give lists of
 * another length than the file needs. */
static moshi_status check_lists(const lm_config *c, const checkpoint *file,
                                const value *document, const char *path,
                                moshi_error *err)
{
    size_t delays = value_count(value_get(document, "delays"));
    size_t sets = value_count(
        value_get(document, lm_field_name(LM_FIELD_schedule)));
    if (c->from[LM_FIELD_delays] == LM_FROM_CONFIG &&
        delays != (size_t)c->n_q + 1)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: %s gives %zu delays, but the tensors hold %d "
                         "codebooks: text first, that makes %d",
                         checkpoint_path(file), path, delays, c->n_q,
                         c->n_q + 1);
    if (c->from[LM_FIELD_schedule] == LM_FROM_CONFIG &&
        sets < (size_t)c->dep_q)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: %s schedules weights for %zu codebooks, but %d "
                         "are generated by the tensors",
                         checkpoint_path(file), path, sets, c->dep_q);
    return MOSHI_OK;
}

static const lm_conditioner *find_conditioner(const lm_config *c,
                                              const char *name)
{
    for (int i = 0; i < c->n_conditioners; i++)
        if (strcmp(c->conditioners[i].name, name) == 0)
            return &c->conditioners[i];
    return NULL;
}

/* Sizes from the shapes; possible values and the way of fusing from `said`. */
static moshi_status merge_conditioners(lm_config *c, const lm_config *said,
                                       const checkpoint *file,
                                       const char *source, moshi_error *err)
{
    lm_config by_shape = *c;
    for (int i = 0; i < said->n_conditioners; i++) {
        const lm_conditioner *want = &said->conditioners[i];
        const lm_conditioner *have = find_conditioner(&by_shape, want->name);
        if (!have)
            return error_set(err, MOSHI_MISMATCH,
                             "%s: %s has a conditioner '%s' but the file has "
                             "no tensors for it", checkpoint_path(file), source,
                             want->name);
        if (have->kind != want->kind || have->dim != want->dim ||
            have->n_bins != want->n_bins)
            return error_set(err, MOSHI_MISMATCH,
                             "%s: conditioner '%s' has %d entries of %d by its "
                             "tensors but %d of %d by %s",
                             checkpoint_path(file), want->name, have->n_bins,
                             have->dim, want->n_bins, want->dim, source);
        if (want->n_values > want->n_bins)
            return error_set(err, MOSHI_MISMATCH,
                             "%s: conditioner '%s' has %d possible values but "
                             "only %d entries", source, want->name,
                             want->n_values, want->n_bins);
        c->conditioners[i] = *want; /* in the order of the source */
    }
    if (said->n_conditioners != by_shape.n_conditioners)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: the file has tensors of %d conditioners but %s "
                         "describes %d", checkpoint_path(file),
                         by_shape.n_conditioners, source,
                         said->n_conditioners);
    c->cross_positions = said->cross_positions;
    c->cross_position_scale = said->cross_position_scale;
    c->from[LM_FIELD_conditioners] = said->from[LM_FIELD_conditioners];
    return MOSHI_OK;
}

/* Every field must have a source by now. */
static moshi_status check_complete(const lm_config *c, const checkpoint *file,
                                   const char *path, moshi_error *err)
{
    for (int f = 0; f < LM_FIELD_COUNT; f++) {
        lm_field field = (lm_field)f;
        if (c->from[f] || !is_needed(c, field))
            continue;
        error_set(err, MOSHI_MISMATCH,
                  "%s: neither the tensors nor %s tell %s, and the file "
                  "matches no known model", checkpoint_path(file),
                  path ? path : "a config", lm_field_name(field));
        return error_hint(err, path ? "add it to the config"
                                    : "give the model's config with --config");
    }
    return MOSHI_OK;
}

/* Sinusoids take half of the channels each, and divide by half - 1. */
static bool sinusoids_fit(const lm_config *c)
{
    bool temporal = c->positions == LM_POSITIONS_SIN || c->cross_positions;
    bool inner = c->dep_q > 0 && c->depformer_positions == LM_POSITIONS_SIN;
    return (!temporal || c->dim >= 4) &&
           (!inner || (c->depformer_dim >= 4 && c->depformer_dim % 2 == 0));
}

static moshi_status check_values(const lm_config *c, const checkpoint *file,
                                 moshi_error *err)
{
    const char *path = checkpoint_path(file);
    if (c->text_out > c->text_in)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: text_linear.weight can choose %d tokens but "
                         "text_emb.weight knows only %d", path, c->text_out,
                         c->text_in);
    if (c->dep_q * c->depformer_num_layers > LIMIT_SLICE_LAYERS)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: %d codebooks through %d layers of the depformer "
                         "each; %d layers a step are possible", path,
                         c->dep_q, c->depformer_num_layers,
                         LIMIT_SLICE_LAYERS);
    if (is_needed(c, LM_FIELD_max_period) && c->max_period < 1)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: max_period = %d is out of range", path,
                         c->max_period);
    if (!sinusoids_fit(c))
        return error_set(err, MOSHI_MISMATCH,
                         "%s: sinusoidal positions need an even width of at "
                         "least 4", path);
    if (c->num_heads < 1 || c->dim % c->num_heads != 0 ||
        (c->dim / c->num_heads) % 2 != 0 || c->num_heads % c->kv_repeat != 0)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: num_heads = %d does not divide the width %d into "
                         "heads of even size", path, c->num_heads, c->dim);
    if (c->dep_q > 0 && (c->depformer_num_heads < 1 ||
                         c->depformer_dim % c->depformer_num_heads != 0))
        return error_set(err, MOSHI_MISMATCH,
                         "%s: depformer_num_heads = %d does not divide the "
                         "width %d", path, c->depformer_num_heads,
                         c->depformer_dim);
    if (c->context < 1 || c->context > (int)LIMIT_CONTEXT)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: context = %d is out of range", path, c->context);
    for (int k = 0; k < c->dep_q; k++)
        if (c->schedule[k] >= c->depformer_sets)
            return error_set(err, MOSHI_MISMATCH,
                             "%s: codebook %d is scheduled to weight set %d "
                             "but the file has %d sets", path, k,
                             c->schedule[k], c->depformer_sets);
    for (int i = 0; i <= c->n_q; i++)
        if (c->delays[i] < 0 || c->delays[i] > LIMIT_DELAY)
            return error_set(err, MOSHI_MISMATCH,
                             "%s: the delay of stream %d is %d; 0 to %d are "
                             "possible", path, i, c->delays[i], LIMIT_DELAY);
    return MOSHI_OK;
}

moshi_status lm_config_load(lm_config *out, const checkpoint *file,
                            lm_layout layout, const value *document,
                            const char *document_path, int acoustic_delay,
                            moshi_error *err)
{
    static const lm_config nothing_said;
    lm_config c, said = nothing_said;
    moshi_status status = lm_config_from_shapes(&c, file, layout, err);
    if (status != MOSHI_OK)
        return status;
    const known_model *match = known_models_match(&c);
    c.known_as = match ? match->name : NULL;
    if (document)
        status = lm_config_from_document(&said, document, document_path, err);
    if (status == MOSHI_OK)
        status = merge_integers(&c, &said, match, file, layout, document,
                                document_path, err);
    if (status == MOSHI_OK) {
        merge_lists(&c, &said, match, layout, acoustic_delay);
        status = check_lists(&c, file, document, document_path, err);
    }
    if (status == MOSHI_OK) {
        snprintf(c.model_type, sizeof c.model_type, "%s",
                 said.model_type[0] || !match ? said.model_type
                                              : match->config.model_type);
        if (document)
            status = merge_conditioners(&c, &said, file, document_path, err);
        else if (match && c.n_conditioners > 0)
            status = merge_conditioners(&c, &match->config, file, match->name,
                                        err);
    }
    if (status == MOSHI_OK)
        status = check_complete(&c, file, document ? document_path : NULL,
                                err);
    if (status == MOSHI_OK)
        status = check_values(&c, file, err);
    if (status == MOSHI_OK)
        *out = c;
    return status;
}
