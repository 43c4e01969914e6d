/* model.c: open the codec: load the weights, write the two plans. */
#include "mimi/model.h"

#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "mimi/quantizer.h"
#include "mimi/seanet.h"
#include "nn/transformer.h"

/* LayerNorm of the codec's transformers (docs/MODEL.md). */
#define NORM_EPS 1e-5f

/* One side's weights while its plan is being written. */
typedef struct side {
    const char *name; /* "encoder" or "decoder" */
    seanet convolutions;
    nn_layer layers[LIMIT_LAYERS];
} side;

static nn_transformer transformer_shape(const mimi_config *c, bool ring)
{
    return (nn_transformer){
        .width = c->width,
        .heads = c->heads,
        .kv_heads = c->heads,
        .head_dim = c->width / c->heads,
        .hidden = c->hidden,
        .layer_norm = true,
        .eps = NORM_EPS,
        .context = c->context,
        /* All steps of a frame are written before the first is read, and the
         * first still sees `context` keys: that many slots, and no fewer. */
        .capacity = c->context + c->frame_steps - 1,
        .window = ring ? OP_WINDOW_RING : OP_WINDOW_EXACT,
        .position = OP_POSITION_STREAM,
        .rope = true,
    };
}

static void load_layers(weights *w, const mimi_config *c,
                        const nn_transformer *t, side *s)
{
    char name[128];
    for (int i = 0; i < c->layers; i++) {
        snprintf(name, sizeof name, "%s_transformer.transformer.layers.%d",
                 s->name, i);
        nn_layer_load(w, name, t, false, &s->layers[i]);
    }
}

static tensor_id append_transformer(nn *n, const mimi_config *c,
                                    const nn_transformer *t, const side *s,
                                    tensor_id x)
{
    const char *prefix = builder_name(n->b, "%s_transformer.transformer",
                                      s->name);
    tensor_id table = nn_rope_table(n, builder_name(n->b, "%s.rope", prefix),
                                    t, c->max_period);
    for (int i = 0; i < c->layers; i++) {
        const char *name = builder_name(n->b, "%s.layers.%d", prefix, i);
        tensor_id cache = nn_cache(n, name, t, true);
        x = nn_transformer_layer(n, name, &s->layers[i], t, x, cache, table,
                                 NULL);
    }
    return x;
}

/* Where a plan of the encoder begins and ends. */
typedef struct encoder_ends {
    tensor_id pcm, latent, codes;
} encoder_ends;

/* The encoder for `frames` frames at a time. */
static moshi_status plan_encoder(const mimi_config *c, const nn_transformer *t,
                                 const quantizer *q, int codebooks,
                                 const side *s, const nn_conv *down,
                                 int frames, plan **out, encoder_ends *ends,
                                 moshi_error *err)
{
    nn_transformer shape = *t;
    shape.capacity = c->context + frames * c->frame_steps - 1;
    nn n = {.b = builder_open(frames == 1 ? "mimi.encoder"
                                          : "mimi.encoder.whole",
                              frames * c->frame_steps, 1)};
    if (!n.b)
        return error_no_memory(err, "the encoder's plan");
    ends->pcm = builder_frame(n.b, "pcm", DTYPE_F32,
                              (size_t)(frames * c->frame_samples), 1);
    builder_pin(n.b, ends->pcm);
    tensor_id x = seanet_encode(&n, c, &s->convolutions, ends->pcm);
    x = append_transformer(&n, c, &shape, s, x);
    ends->latent = nn_convolve(&n, "downsample", down, x);
    builder_pin(n.b, ends->latent);
    ends->codes = quantizer_encode(&n, q, codebooks, ends->latent);
    return builder_finish(&n.b, out, err);
}

static moshi_status open_encoder(mimi_model *m, weights *w,
                                 const nn_transformer *t, const quantizer *q,
                                 side *s)
{
    const mimi_config *c = &m->config;
    nn_conv down;
    encoder_ends ends;
    s->name = "encoder";
    seanet_encoder_load(w, c, &s->convolutions);
    load_layers(w, c, t, s);
    nn_conv_load(w, "downsample.conv.conv.conv", (size_t)c->dimension,
                 (size_t)c->dimension, 2 * c->frame_steps, c->frame_steps,
                 false, &down);
    down.replicate = true; /* only here */
    if (w->status != MOSHI_OK)
        return w->status;
    moshi_status status = plan_encoder(c, t, q, m->codebooks, s, &down, 1,
                                       &m->encoder, &ends, w->err);
    if (status != MOSHI_OK)
        return status;
    m->pcm_in = ends.pcm;
    m->latent = ends.latent;
    m->codes_out = ends.codes;
    if (m->whole_frames > 0)
        status = plan_encoder(c, t, q, m->codebooks, s, &down, m->whole_frames,
                              &m->whole, &ends, w->err);
    m->whole_pcm_in = ends.pcm;
    m->whole_codes_out = ends.codes;
    return status;
}

static moshi_status open_decoder(mimi_model *m, weights *w,
                                 const nn_transformer *t, const quantizer *q,
                                 side *s)
{
    const mimi_config *c = &m->config;
    s->name = "decoder";
    seanet_decoder_load(w, c, &s->convolutions);
    load_layers(w, c, t, s);
    const float *up = weights_floats(
        w, "upsample.convtr.convtr.convtr.weight",
        (size_t)c->dimension * 2 * (size_t)c->frame_steps);
    if (w->status != MOSHI_OK)
        return w->status;

    nn n = {.b = builder_open("mimi.decoder", c->frame_steps, 1)};
    if (!n.b)
        return error_no_memory(w->err, "the decoder's plan");
    m->codes_in = builder_frame(n.b, "codes", DTYPE_I32, 1,
                                (size_t)m->codebooks);
    builder_pin(n.b, m->codes_in);
    tensor_id x = quantizer_decode(&n, q, m->codebooks, m->codes_in);
    x = nn_upsample(&n, "upsample", up, c->frame_steps, x);
    x = append_transformer(&n, c, t, s, x);
    m->pcm_out = seanet_decode(&n, c, &s->convolutions, x);
    builder_pin(n.b, m->pcm_out);
    return builder_finish(&n.b, &m->decoder, w->err);
}

static moshi_status build(mimi_model *m, const mimi_model_params *params,
                          moshi_error *err)
{
    weights w = {.file = m->file,
                 .store = m->store,
                 .panels = params->panels,
                 .kept = params->weights,
                 .later = params->later,
                 .err = err};
    moshi_error ignored;
    if (!err)
        w.err = &ignored;
    nn_transformer t = transformer_shape(&m->config, params->ring_window);
    quantizer *q = memory_calloc(1, sizeof *q);
    side *s = memory_calloc(1, sizeof *s);
    moshi_status status;
    if (!q || !s) {
        status = error_no_memory(err, "the codec");
    } else {
        quantizer_load(&w, &m->config, m->codebooks, q);
        status = open_encoder(m, &w, &t, q, s);
        if (status == MOSHI_OK)
            status = open_decoder(m, &w, &t, q, s);
    }
    memory_free(q);
    memory_free(s);
    return status;
}

static moshi_status read_config(mimi_model *m, const value *config,
                                const mimi_model_params *params,
                                moshi_error *err)
{
    moshi_status status = mimi_config_load(&m->config, m->file, config,
                                           params->config_path, err);
    if (status != MOSHI_OK)
        return status;
    m->whole_frames = params->whole_frames;
    m->codebooks = params->codebooks ? params->codebooks
                                     : m->config.codebooks;
    if (m->codebooks < 1 || m->codebooks > m->config.codebooks)
        return error_set(err, MOSHI_ARGUMENT,
                         "%d codebooks asked for; %s holds %d", m->codebooks,
                         checkpoint_path(m->file), m->config.codebooks);
    return MOSHI_OK;
}

moshi_status mimi_model_from_checkpoint(mimi_model **out, checkpoint **file,
                                        const value *config,
                                        const mimi_model_params *params,
                                        moshi_error *err)
{
    mimi_model *m = memory_calloc(1, sizeof *m);
    if (!m) {
        checkpoint_close(file);
        return error_no_memory(err, "the codec");
    }
    m->file = *file;
    *file = NULL;
    m->store = weights_store_open();
    moshi_status status = m->store ? read_config(m, config, params, err)
                                   : error_no_memory(err, "the codec");
    if (status == MOSHI_OK)
        status = build(m, params, err);
    if (status != MOSHI_OK) {
        mimi_model_close(&m);
        return status;
    }
    *out = m;
    return MOSHI_OK;
}

moshi_status mimi_model_open(mimi_model **out, const mimi_model_params *params,
                             moshi_error *err)
{
    checkpoint *file = NULL;
    value *config = NULL;
    moshi_status status = checkpoint_open(&file, params->path, err);
    if (status == MOSHI_OK && params->config_path)
        status = value_open(&config, params->config_path, err);
    if (status == MOSHI_OK)
        status = mimi_model_from_checkpoint(out, &file, config, params, err);
    value_close(&config);
    checkpoint_close(&file);
    return status;
}

void mimi_model_finish(const mimi_model *model)
{
    weights_store_finish(model->store);
}

size_t mimi_model_unmade(const mimi_model *model)
{
    return weights_store_unmade(model->store);
}

void mimi_model_close(mimi_model **handle)
{
    mimi_model *m = *handle;
    if (!m)
        return;
    plan_close(&m->encoder);
    plan_close(&m->decoder);
    plan_close(&m->whole);
    weights_store_close(&m->store);
    checkpoint_close(&m->file);
    memory_free(m);
    *handle = NULL;
}
