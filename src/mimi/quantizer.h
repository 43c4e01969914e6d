/* quantizer.h: split residual vector quantisation (docs/MODEL.md).
 *
 * Codebook 0 (semantic) and the others (acoustic) each have projections of
 * their own; the acoustic levels refine the residual of one another, starting
 * from the latent again, not from what the semantic level left. */
#ifndef MOSHI_MIMI_QUANTIZER_H
#define MOSHI_MIMI_QUANTIZER_H

#include "mimi/config.h"
#include "nn/layers.h"

typedef struct quantizer {
    nn_matrix in_first, in_rest;   /* [codebook_dim, dimension] */
    nn_matrix out_first, out_rest; /* [dimension, codebook_dim] */
    nn_matrix book[MIMI_CODEBOOKS_MAX];         /* [bins, codebook_dim] */
    const double *half_norms[MIMI_CODEBOOKS_MAX]; /* ½‖row‖² */
} quantizer;

/* Load the projections and the first n codebooks. */
void quantizer_load(weights *w, const mimi_config *c, int n, quantizer *q);

/* latent [1, dimension] -> codes I32 [1, n] */
tensor_id quantizer_encode(nn *n, const quantizer *q, int codebooks,
                           tensor_id latent);
/* codes I32 [1, n], -1 for codebooks that are not used -> [1, dimension] */
tensor_id quantizer_decode(nn *n, const quantizer *q, int codebooks,
                           tensor_id codes);

#endif
