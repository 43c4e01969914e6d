/* seanet.c: the modules of the convolutional encoder and decoder, in order.
 *
 * Module indices count the ELUs, which have no weights: encoder 0 conv, then
 * for each ratio (reversed) residual, ELU, strided conv; then ELU, conv. The
 * decoder: conv, then for each ratio ELU, transposed conv, residual; ELU,
 * conv. An ELU precedes every convolution but the first. */
#include "mimi/seanet.h"

#include <stdio.h>

#define NAME_ROOM 128

static void residual_load(weights *w, const mimi_config *c, const char *side,
                          int index, size_t width, seanet_residual *r)
{
    char name[NAME_ROOM];
    size_t inner = width / (size_t)c->compress;
    snprintf(name, sizeof name, "%s.model.%d.block.1.conv.conv", side, index);
    nn_conv_load(w, name, width, inner, c->residual_kernel, 1, true,
                 &r->block1);
    snprintf(name, sizeof name, "%s.model.%d.block.3.conv.conv", side, index);
    nn_conv_load(w, name, inner, width, 1, 1, true, &r->block3);
}

void seanet_encoder_load(weights *w, const mimi_config *c, seanet *s)
{
    char name[NAME_ROOM];
    size_t width = (size_t)c->n_filters;
    int index = 1;
    nn_conv_load(w, "encoder.model.0.conv.conv", 1, width, c->kernel, 1, true,
                 &s->first);
    for (int i = 0; i < c->n_ratios; i++, index += 3, width *= 2) {
        int ratio = c->ratios[c->n_ratios - 1 - i];
        residual_load(w, c, "encoder", index, width, &s->residual[i]);
        snprintf(name, sizeof name, "encoder.model.%d.conv.conv", index + 2);
        nn_conv_load(w, name, width, 2 * width, 2 * ratio, ratio, true,
                     &s->resample[i]);
    }
    snprintf(name, sizeof name, "encoder.model.%d.conv.conv", index + 1);
    nn_conv_load(w, name, width, (size_t)c->dimension, c->last_kernel, 1, true,
                 &s->last);
}

void seanet_decoder_load(weights *w, const mimi_config *c, seanet *s)
{
    char name[NAME_ROOM];
    size_t width = (size_t)c->n_filters << c->n_ratios;
    int index = 1;
    nn_conv_load(w, "decoder.model.0.conv.conv", (size_t)c->dimension, width,
                 c->kernel, 1, true, &s->first);
    for (int i = 0; i < c->n_ratios; i++, index += 3, width /= 2) {
        snprintf(name, sizeof name, "decoder.model.%d.convtr.convtr",
                 index + 1);
        nn_conv_transposed_load(w, name, width, width / 2, c->ratios[i],
                                &s->resample[i]);
        residual_load(w, c, "decoder", index + 2, width / 2, &s->residual[i]);
    }
    snprintf(name, sizeof name, "decoder.model.%d.conv.conv", index + 1);
    nn_conv_load(w, name, width, 1, c->last_kernel, 1, true, &s->last);
}

static tensor_id module(nn *n, const char *side, int index, const nn_conv *c,
                        tensor_id x)
{
    return nn_convolve(n, builder_name(n->b, "%s.model.%d", side, index), c, x);
}

static tensor_id elu(nn *n, const char *side, int index, tensor_id x)
{
    return nn_pointwise(n, OP_ELU,
                        builder_name(n->b, "%s.model.%d", side, index), x);
}

static tensor_id residual(nn *n, const char *side, int index,
                          const seanet_residual *r, tensor_id x)
{
    const char *name = builder_name(n->b, "%s.model.%d", side, index);
    tensor_id y = nn_pointwise(n, OP_ELU,
                               builder_name(n->b, "%s.block.0", name), x);
    y = nn_convolve(n, builder_name(n->b, "%s.block.1", name), &r->block1, y);
    y = nn_pointwise(n, OP_ELU, builder_name(n->b, "%s.block.2", name), y);
    y = nn_convolve(n, builder_name(n->b, "%s.block.3", name), &r->block3, y);
    y = nn_add(n, name, x, y, NULL);
    builder_channels_first(n->b, y);
    return y;
}

tensor_id seanet_encode(nn *n, const mimi_config *c, const seanet *s,
                        tensor_id pcm)
{
    const char *side = "encoder";
    int index = 1;
    tensor_id x = module(n, side, 0, &s->first, pcm);
    for (int i = 0; i < c->n_ratios; i++, index += 3) {
        x = residual(n, side, index, &s->residual[i], x);
        x = elu(n, side, index + 1, x);
        x = module(n, side, index + 2, &s->resample[i], x);
    }
    x = elu(n, side, index, x);
    return module(n, side, index + 1, &s->last, x);
}

tensor_id seanet_decode(nn *n, const mimi_config *c, const seanet *s,
                        tensor_id latent)
{
    const char *side = "decoder";
    int index = 1;
    tensor_id x = module(n, side, 0, &s->first, latent);
    for (int i = 0; i < c->n_ratios; i++, index += 3) {
        x = elu(n, side, index, x);
        x = module(n, side, index + 1, &s->resample[i], x);
        x = residual(n, side, index + 2, &s->residual[i], x);
    }
    x = elu(n, side, index, x);
    return module(n, side, index + 1, &s->last, x);
}
