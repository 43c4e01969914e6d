/* temporal.h: the big transformer: tokens of one step -> ys, text logits. */
#ifndef MOSHI_LM_TEMPORAL_H
#define MOSHI_LM_TEMPORAL_H

#include "lm/model.h"
#include "nn/transformer.h"

typedef struct lm_embedding {
    nn_matrix table;          /* [V, D], or [V, rank] with low_rank */
    nn_matrix low_rank;       /* [D, rank]; data NULL: none */
    nn_matrix left, right;    /* out1, out2 of a demultiplexed stream */
    int base;                 /* ids of one of the two streams */
} lm_embedding;

/* `name` as "text_emb"; demux: two text streams in one id. */
void lm_embedding_load(weights *w, const char *name, size_t vocabulary,
                       size_t width, size_t rank, bool demux,
                       lm_embedding *out);

/* addend + embedding(tokens[·][column]), for `rows` branches. */
tensor_id lm_embed(nn *n, const char *name, const lm_embedding *e,
                   tensor_id tokens, int column, size_t rows, tensor_id addend);

typedef struct lm_temporal {
    nn_transformer shape;
    lm_embedding text;
    nn_matrix audio[LIMIT_CODEBOOKS];
    nn_layer layers[LIMIT_LAYERS];
    nn_norm out_norm;
    nn_matrix text_linear;
    nn_matrix extra_heads[LIMIT_CODEBOOKS];
} lm_temporal;

void lm_temporal_load(weights *w, const lm_config *c, lm_temporal *t);

/* Appends everything up to `out_norm`; fills p's inputs. Returns ys. */
tensor_id lm_temporal_append(nn *n, const lm_config *c, const lm_temporal *t,
                             int source_capacity, lm_plan *p);

#endif
