/* config.h: the sizes of a Mimi codec.
 *
 * Almost all follow from the shapes of its tensors; the head count, the
 * attention context and the rotary period do not, and come from a config file
 * (official keys `seanet`, `quantizer`, `transformer`) or, for the published
 * codec, from config.c. What a config says is compared with the shapes. */
#ifndef MOSHI_MIMI_CONFIG_H
#define MOSHI_MIMI_CONFIG_H

#include <moshi/error.h>

#include "files/checkpoint.h"
#include "files/value.h"

#define MIMI_RATIOS_MAX 8
#define MIMI_CODEBOOKS_MAX 64

typedef struct mimi_config {
    int sample_rate_hz;
    int frame_samples;   /* of one code frame: hop * downsampling */
    int frame_steps;     /* T: latent steps in a frame: the downsampling */
    int n_filters;       /* channels after the first convolution */
    int dimension;       /* of the latent */
    int n_ratios;
    int ratios[MIMI_RATIOS_MAX]; /* decoder order; the encoder reverses it */
    int kernel, residual_kernel, last_kernel;
    int compress;        /* residual hidden width = width / compress */
    int width, heads, layers, hidden; /* of both transformers */
    int context;         /* latent steps that a query sees */
    float max_period;
    int codebooks;       /* in the file */
    int bins;            /* entries of a codebook */
    int codebook_dim;
    const char *from;    /* where heads, context, period are from; static */
} mimi_config;

/* Read from the tensors and an optional config document (NULL: none).
 * Errors: MOSHI_MISMATCH (not a Mimi file, another naming, config and shapes
 * disagree, or no config for a codec that is not the published one). */
moshi_status mimi_config_load(mimi_config *out, const checkpoint *file,
                              const value *document, const char *config_path,
                              moshi_error *err);

#endif
