/* seanet.h: the convolutional encoder and decoder (docs/MODEL.md, SEANet). */
#ifndef MOSHI_MIMI_SEANET_H
#define MOSHI_MIMI_SEANET_H

#include "mimi/config.h"
#include "nn/conv.h"

/* x + block.3(ELU(block.1(ELU(x)))) */
typedef struct seanet_residual {
    nn_conv block1, block3;
} seanet_residual;

/* One side. stage i: encoder residual then strided convolution; decoder
 * transposed convolution then residual. */
typedef struct seanet {
    nn_conv first, last;
    nn_conv resample[MIMI_RATIOS_MAX];
    seanet_residual residual[MIMI_RATIOS_MAX];
} seanet;

void seanet_encoder_load(weights *w, const mimi_config *c, seanet *s);
void seanet_decoder_load(weights *w, const mimi_config *c, seanet *s);

/* pcm [samples, 1] -> [steps, dimension] */
tensor_id seanet_encode(nn *n, const mimi_config *c, const seanet *s,
                        tensor_id pcm);
/* [steps, dimension] -> pcm [samples, 1] */
tensor_id seanet_decode(nn *n, const mimi_config *c, const seanet *s,
                        tensor_id latent);

#endif
