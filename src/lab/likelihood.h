/* likelihood.h: how likely does a model find a conversation that took place?
 *
 * The tokens are given, not chosen (teacher forcing), and the probability that
 * the model gave to each is read off its logits. A model that is whole finds
 * a real conversation far likelier than the same frames in another order; one
 * that is run with other delays than it was trained with does not. */
#ifndef MOSHI_LAB_LIKELIHOOD_H
#define MOSHI_LAB_LIKELIHOOD_H

#include "tasks/model.h"

/* A recorded conversation, frame by frame, without delays. */
typedef struct conversation {
    size_t T;
    int own, heard;  /* codebooks of each side, as the model has */
    int32_t *text;   /* owned: [T] */
    int32_t *codes;  /* owned: [T][own + heard] */
} conversation;

/* From a safetensors file with `text` [T], `own` [K, T] and `user` [K', T],
 * I32; at most frames_max of it. Sides that the model lacks need no tensor.
 * Errors: MOSHI_IO, MOSHI_FORMAT, MOSHI_MISMATCH (a tensor is missing, has
 * other axes, or holds a token that the model does not have). */
moshi_status conversation_open(conversation *out, const char *path,
                               const lm_config *config, size_t frames_max,
                               moshi_error *err);
void conversation_release(conversation *c);

/* Mean of -ln p for each step, in nats. */
typedef struct likelihood {
    double text, semantic, acoustic; /* over all steps; 0 without such tokens */
    double *steps; /* owned by the caller: [T], of all tokens of a step */
} likelihood;

/* order: the frame that is said in place of frame f (NULL: as recorded).
 * delays: [1 + n_q], or NULL for the model's own. Errors: MOSHI_NO_MEMORY. */
moshi_status likelihood_measure(likelihood *out, const moshi_model *model,
                                const conversation *c, const size_t *order,
                                const int *delays, moshi_error *err);

#endif
