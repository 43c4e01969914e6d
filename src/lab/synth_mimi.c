/* synth_mimi.c: the tensors of a codec's file, from its sizes.
 *
 * Spreads are chosen so that random codes decode to sound of about 0.1 rms
 * and sound encodes to varied codes. An ELU keeps about 0.64 of the mean
 * square of a signal of spread 1, less of a stronger one, more of a weaker
 * one: convolutions that make up for it (ELU_GAIN) pull any signal towards
 * spread 1. The codebook levels of real codecs shrink; here the first is 1
 * and the others are LEVEL_SPREAD. */
#include "lab/synth_mimi.h"

#include <stdio.h>

#define ELU_GAIN     1.25f
#define INPUT_GAIN   4.0f  /* speech of 0.1 rms becomes 0.4 */
#define OUTPUT_GAIN  0.08f
#define LEVEL_SPREAD 0.35f

static const synth_law bias_law = {.spread = 0.02f};
static const synth_law norm_law = {.mean = 1, .spread = 0.05f};
static const synth_law scale_law = {.mean = 0.2f, .spread = 0.04f};
static const synth_law usage_law = {.mean = 2, .spread = 0.4f};
static const synth_law one_law = {.mean = 1};

const mimi_config synth_mimi_published = {
    .sample_rate_hz = 24000,
    .frame_samples = 1920,
    .frame_steps = 2,
    .n_filters = 64,
    .dimension = 512,
    .n_ratios = 4,
    .ratios = {8, 6, 5, 4},
    .kernel = 7,
    .residual_kernel = 3,
    .last_kernel = 3,
    .compress = 2,
    .width = 512,
    .heads = 8,
    .layers = 8,
    .hidden = 2048,
    .context = 250,
    .max_period = 10000,
    .codebooks = 32,
    .bins = 2048,
    .codebook_dim = 256,
    .from = "preset",
};

const mimi_config synth_mimi_tiny = {
    .sample_rate_hz = 24000,
    .frame_samples = 1920,
    .frame_steps = 2,
    .n_filters = 4,
    .dimension = 64,
    .n_ratios = 4,
    .ratios = {8, 6, 5, 4},
    .kernel = 7,
    .residual_kernel = 3,
    .last_kernel = 3,
    .compress = 2,
    .width = 64,
    .heads = 2,
    .layers = 2,
    .hidden = 128,
    .context = 12,
    .max_period = 10000,
    .codebooks = 8,
    .bins = 64,
    .codebook_dim = 32,
    .from = "preset",
};

#define ADD(list, shape, law, ...) \
    synth_list_add(list, DTYPE_F32, shape, law, __VA_ARGS__)

/* Convolution `side`.model.`index``part`, [out, in, kernel] and a bias. */
static void add_conv(synth_list *list, const char *side, int index,
                     const char *part, int in, int out, int kernel, float gain)
{
    ADD(list, SYNTH_CUBE(out, in, kernel),
        synth_law_weight(gain, (size_t)in * (size_t)kernel),
        "%s.model.%d%s.conv.conv.weight", side, index, part);
    ADD(list, SYNTH_VECTOR(out), bias_law, "%s.model.%d%s.conv.conv.bias",
        side, index, part);
}

/* Transposed convolution, [in, out, 2 ratio]: two taps reach each output. */
static void add_transposed(synth_list *list, int index, int in, int out,
                           int ratio)
{
    ADD(list, SYNTH_CUBE(in, out, 2 * ratio),
        synth_law_weight(ELU_GAIN, 2 * (size_t)in),
        "decoder.model.%d.convtr.convtr.weight", index);
    ADD(list, SYNTH_VECTOR(out), bias_law,
        "decoder.model.%d.convtr.convtr.bias", index);
}

static void add_residual(synth_list *list, const mimi_config *c,
                         const char *side, int index, int width)
{
    int inner = width / c->compress;
    add_conv(list, side, index, ".block.1", width, inner, c->residual_kernel,
             1);
    add_conv(list, side, index, ".block.3", inner, width, 1, 1);
}

/* Module indices count the ELUs, which hold no tensors. */
static void add_encoder(synth_list *list, const mimi_config *c)
{
    int width = c->n_filters, index = 1;
    add_conv(list, "encoder", 0, "", 1, width, c->kernel, INPUT_GAIN);
    for (int i = c->n_ratios - 1; i >= 0; i--, index += 3, width *= 2) {
        add_residual(list, c, "encoder", index, width);
        add_conv(list, "encoder", index + 2, "", width, 2 * width,
                 2 * c->ratios[i], ELU_GAIN);
    }
    add_conv(list, "encoder", index + 1, "", width, c->dimension,
             c->last_kernel, ELU_GAIN);
}

static void add_decoder(synth_list *list, const mimi_config *c)
{
    int width = c->n_filters << c->n_ratios, index = 2;
    add_conv(list, "decoder", 0, "", c->dimension, width, c->kernel, 1);
    for (int i = 0; i < c->n_ratios; i++, index += 3, width /= 2) {
        add_transposed(list, index, width, width / 2, c->ratios[i]);
        add_residual(list, c, "decoder", index + 1, width / 2);
    }
    add_conv(list, "decoder", index, "", width, 1, c->last_kernel,
             OUTPUT_GAIN);
}

static void add_resampling(synth_list *list, const mimi_config *c)
{
    int D = c->dimension, kernel = 2 * c->frame_steps;
    ADD(list, SYNTH_CUBE(D, D, kernel),
        synth_law_weight(1, (size_t)D * (size_t)kernel),
        "downsample.conv.conv.conv.weight");
    /* One channel each, two taps reach each output. */
    ADD(list, SYNTH_CUBE(D, 1, kernel), synth_law_weight(1, 2),
        "upsample.convtr.convtr.convtr.weight");
}

static void add_layer(synth_list *list, const mimi_config *c, const char *name)
{
    int D = c->width, F = c->hidden;
    size_t fan = (size_t)D;
    ADD(list, SYNTH_MATRIX(3 * D, D), synth_law_weight(1.5f, fan),
        "%s.self_attn.in_proj_weight", name);
    ADD(list, SYNTH_MATRIX(D, D), synth_law_weight(1, fan),
        "%s.self_attn.out_proj.weight", name);
    for (int i = 1; i <= 2; i++) {
        ADD(list, SYNTH_VECTOR(D), norm_law, "%s.norm%d.weight", name, i);
        ADD(list, SYNTH_VECTOR(D), bias_law, "%s.norm%d.bias", name, i);
    }
    ADD(list, SYNTH_MATRIX(F, D), synth_law_weight(1, fan),
        "%s.linear1.weight", name);
    ADD(list, SYNTH_MATRIX(D, F), synth_law_weight(1, (size_t)F),
        "%s.linear2.weight", name);
    for (int i = 1; i <= 2; i++)
        ADD(list, SYNTH_VECTOR(D), scale_law, "%s.layer_scale_%d.scale", name,
            i);
}

static void add_transformer(synth_list *list, const mimi_config *c,
                            const char *side)
{
    char name[96];
    for (int l = 0; l < c->layers; l++) {
        snprintf(name, sizeof name, "%s_transformer.transformer.layers.%d",
                 side, l);
        add_layer(list, c, name);
    }
}

/* part: "first" or "rest"; levels: its codebooks. */
static void add_codebooks(synth_list *list, const mimi_config *c,
                          const char *part, int levels, float spread)
{
    size_t bins = (size_t)c->bins, width = (size_t)c->codebook_dim;
    ADD(list, SYNTH_CUBE(width, c->dimension, 1),
        synth_law_weight(1, (size_t)c->dimension),
        "quantizer.rvq_%s.input_proj.weight", part);
    ADD(list, SYNTH_CUBE(c->dimension, width, 1), synth_law_weight(1, width),
        "quantizer.rvq_%s.output_proj.weight", part);
    for (int q = 0; q < levels; q++) {
        char name[64];
        snprintf(name, sizeof name, "quantizer.rvq_%s.vq.layers.%d._codebook",
                 part, q);
        ADD(list, SYNTH_VECTOR(1), one_law, "%s._initialized", name);
        ADD(list, SYNTH_VECTOR(bins), usage_law, "%s.cluster_usage", name);
        ADD(list, SYNTH_MATRIX(bins, width),
            ((synth_law){.spread = spread, .usage = &usage_law}),
            "%s.embedding_sum", name);
    }
}

void synth_mimi_add(synth_list *list, const mimi_config *config)
{
    add_encoder(list, config);
    add_decoder(list, config);
    add_transformer(list, config, "encoder");
    add_transformer(list, config, "decoder");
    add_resampling(list, config);
    add_codebooks(list, config, "first", 1, 1);
    add_codebooks(list, config, "rest", config->codebooks - 1, LEVEL_SPREAD);
}
