/* model.c: open a language model: config, weights, plans. */
#include "lm/model.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "lm/config_load.h"
#include "lm/depformer.h"
#include "lm/temporal.h"
#include "plan/sampler.h"

/* Five voices of 125 positions, the most that TTS was trained with. */
#define SOURCE_POSITIONS 625

/* Everything the plans are written from; gone when the model is open. */
typedef struct parts {
    lm_temporal temporal;
    lm_depformer depformer;
} parts;

/* Heads that look at ys besides the text: [extra_heads_dim], after softmax. */
static void append_extra_heads(nn *n, const lm_config *c, const lm_temporal *t,
                               tensor_id ys)
{
    for (int i = 0; i < c->extra_heads; i++) {
        const char *name = builder_name(n->b, "extra_heads.%d", i);
        tensor_id x = nn_linear(n, builder_name(n->b, "%s.logits", name),
                                t->extra_heads[i], NULL, ys);
        builder_pin(n->b, nn_pointwise(n, OP_SOFTMAX, name, x));
    }
}

static moshi_status write_plan(const lm_model *m, const parts *p, int branches,
                               bool quantize, lm_plan *out, moshi_error *err)
{
    const lm_config *c = &m->config;
    nn n = {.b = builder_open(branches == 2 ? "lm.guided" : "lm", 1, branches),
            .quantize = quantize};
    if (!n.b)
        return error_no_memory(err, "the plan of a step");
    size_t produced = 1 + (size_t)c->dep_q;
    out->forced = builder_frame(n.b, "forced", DTYPE_I32, 1, produced);
    out->tokens_out = builder_frame(n.b, "tokens_out", DTYPE_I32, 1, produced);
    builder_pin(n.b, out->forced);
    builder_pin(n.b, out->tokens_out);
    out->settings = builder_state(n.b, "sampler", DTYPE_U8, 1, sizeof(sampler),
                                  true);
    tensor_id ys = lm_temporal_append(&n, c, &p->temporal,
                                      m->source_positions_max, out);
    tensor_id logits = nn_linear(&n, "text_linear", p->temporal.text_linear,
                                 NULL, ys);
    lm_sample_append(&n, "text_linear", logits, 0, true, out);
    append_extra_heads(&n, c, &p->temporal, ys);
    if (c->dep_q > 0)
        lm_depformer_append(&n, c, &p->depformer, ys, out);
    return builder_finish(&n.b, &out->plan, err);
}

static moshi_status write_source_plan(lm_model *m, const parts *p,
                                      moshi_error *err)
{
    const lm_config *c = &m->config;
    nn n = {.b = builder_open("lm.source", LM_SOURCE_ROWS, 1)};
    if (!n.b)
        return error_no_memory(err, "the plan of the source");
    m->source.input = builder_frame(n.b, "source", DTYPE_F32, LM_SOURCE_ROWS,
                                    (size_t)c->dim);
    builder_pin(n.b, m->source.input);
    for (int l = 0; l < c->num_layers; l++) {
        const char *name = builder_name(
            n.b, "transformer.layers.%d.cross_attention.kv_proj", l);
        m->source.output[l] = nn_linear(
            &n, name, p->temporal.layers[l].cross_kv, NULL, m->source.input);
        builder_pin(n.b, m->source.output[l]);
    }
    return builder_finish(&n.b, &m->source.plan, err);
}

static moshi_status set_cache(nn_transformer *t, dtype type, moshi_error *err)
{
    size_t block = dtype_info(type)->block;
    t->cache = type;
    if ((size_t)t->head_dim % block == 0)
        return MOSHI_OK;
    error_set(err, MOSHI_UNSUPPORTED,
              "this model's heads of %d cannot be kept in %s, whose blocks are "
              "of %zu", t->head_dim, dtype_info(type)->name, block);
    return error_hint(err, "keep keys and values in f16 or f32");
}

static moshi_status build(lm_model *m, const lm_model_params *params,
                          moshi_error *err)
{
    const lm_config *c = &m->config;
    lm_names names = {m->layout, c};
    moshi_error ignored;
    weights w = {.file = m->file,
                 .store = m->store,
                 .resolve = lm_layout_resolve,
                 .user = &names,
                 .err = err ? err : &ignored};
    bool quantize = params->activations == LM_ACTIVATIONS_AS_OFFICIAL;
    parts *p = memory_calloc(1, sizeof *p);
    if (!p)
        return error_no_memory(err, "the language model");
    lm_temporal_load(&w, c, &p->temporal);
    moshi_status status = set_cache(&p->temporal.shape, params->cache, err);
    if (status == MOSHI_OK && c->dep_q > 0 &&
        !lm_depformer_load(&w, c, &p->depformer))
        status = error_no_memory(err, "the language model");
    conditioners_load(&w, c, &m->conditioners);
    if (status == MOSHI_OK)
        status = w.status;
    if (status == MOSHI_OK)
        status = write_plan(m, p, 1, quantize, &m->plain, err);
    if (status == MOSHI_OK && c->n_conditioners > 0)
        status = write_plan(m, p, 2, quantize, &m->guided, err);
    if (status == MOSHI_OK && c->cross_attention)
        status = write_source_plan(m, p, err);
    lm_depformer_release(&p->depformer);
    memory_free(p);
    return status;
}

static moshi_status read_config(lm_model *m, const value *config,
                                const lm_model_params *params,
                                moshi_error *err)
{
    if (params->acoustic_delay > LIMIT_DELAY)
        return error_set(err, MOSHI_ARGUMENT,
                         "an acoustic delay of %d steps; 0 to %d are possible",
                         params->acoustic_delay, LIMIT_DELAY);
    moshi_status status = lm_layout_recognise(m->file, &m->layout, err);
    if (status == MOSHI_OK)
        status = lm_config_load(&m->config, m->file, m->layout, config,
                                params->config_path,
                                params->acoustic_delay, err);
    if (status != MOSHI_OK)
        return status;
    m->acoustic_delay_own = lm_config_acoustic_delay(&m->config);
    if (params->acoustic_delay < 0)
        return MOSHI_OK;
    lm_config_set_delay(&m->config, params->acoustic_delay);
    return MOSHI_OK;
}

moshi_status lm_model_from_checkpoint(lm_model **out, checkpoint **file,
                                      const value *config,
                                      const lm_model_params *params,
                                      moshi_error *err)
{
    lm_model *m = memory_calloc(1, sizeof *m);
    if (!m) {
        checkpoint_close(file);
        return error_no_memory(err, "the language model");
    }
    m->file = *file;
    *file = NULL;
    m->source_positions_max = params->source_positions_max
                                  ? params->source_positions_max
                                  : SOURCE_POSITIONS;
    m->store = weights_store_open();
    moshi_status status =
        m->store ? read_config(m, config, params, err)
                 : error_no_memory(err, "the language model");
    if (status == MOSHI_OK)
        status = build(m, params, err);
    if (status != MOSHI_OK) {
        lm_model_close(&m);
        return status;
    }
    *out = m;
    return MOSHI_OK;
}

moshi_status lm_model_open(lm_model **out, const lm_model_params *params,
                           moshi_error *err)
{
    checkpoint *file = NULL;
    value *config = NULL;
    moshi_status status = checkpoint_open(&file, params->path, err);
    if (status == MOSHI_OK && params->config_path)
        status = value_open(&config, params->config_path, err);
    if (status == MOSHI_OK)
        status = lm_model_from_checkpoint(out, &file, config, params, err);
    value_close(&config);
    checkpoint_close(&file);
    return status;
}

void lm_model_close(lm_model **handle)
{
    lm_model *m = *handle;
    if (!m)
        return;
    plan_close(&m->plain.plan);
    plan_close(&m->guided.plan);
    plan_close(&m->source.plan);
    weights_store_close(&m->store);
    checkpoint_close(&m->file);
    memory_free(m);
    *handle = NULL;
}
