/* depformer.h: the small transformer that runs once for each codebook.
 *
 * Slice k reads ys and the token chosen just before (the text token for k = 0),
 * with weights of its own; its keys and values join those of the slices before
 * it and are forgotten after the step (docs/MODEL.md, depformer). */
#ifndef MOSHI_LM_DEPFORMER_H
#define MOSHI_LM_DEPFORMER_H

#include "lm/temporal.h"

typedef struct lm_slice {
    nn_matrix linear_in;  /* [d, D] */
    nn_matrix linear_out; /* [card, d] */
    lm_embedding emb;     /* of the token before */
    nn_norm norm;         /* before linear_out; weight NULL: none */
    nn_layer *layers;     /* [depformer_num_layers], owned by the loader */
} lm_slice;

typedef struct lm_depformer {
    nn_transformer shape;
    lm_slice slices[LIMIT_CODEBOOKS];
    nn_layer *layers; /* owned: all slices' layers */
} lm_depformer;

/* Answers false when out of memory (else look at w->status). */
bool lm_depformer_load(weights *w, const lm_config *c, lm_depformer *d);
void lm_depformer_release(lm_depformer *d);

/* logits [branches, V] -> p->tokens_out[0][column], by guidance and
 * sampling. text: which of the two sampler settings. */
void lm_sample_append(nn *n, const char *name, tensor_id logits, int column,
                      bool text, const lm_plan *p);

void lm_depformer_append(nn *n, const lm_config *c, const lm_depformer *d,
                         tensor_id ys, const lm_plan *p);

#endif
