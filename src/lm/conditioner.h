/* conditioner.h: what a stream is told before it starts (docs/MODEL.md).
 *
 * A conditioner turns a choice ("description" = "very_good") or a tensor (a
 * voice) into vectors of the model's width. Those fused by sum are added to
 * the input of every step; those fused by cross-attention become its source.
 * All in float32, once per stream. */
#ifndef MOSHI_LM_CONDITIONER_H
#define MOSHI_LM_CONDITIONER_H

#include "lm/config.h"
#include "nn/weights.h"

typedef struct conditioner {
    const float *table;   /* [n_bins + 1, dim]; NULL for a tensor */
    const float *project; /* [D, dim] */
    const float *padding; /* [D]: the vector of "no value" */
} conditioner;

typedef struct conditioners {
    const lm_config *config;
    conditioner item[LIMIT_CONDITIONERS];
} conditioners;

void conditioners_load(weights *w, const lm_config *config, conditioners *out);

/* A value for one conditioner. Exactly one of text and tensor, or neither
 * (then the learnt padding is used). */
typedef struct lm_condition {
    const char *name;
    const char *text;      /* one of the possible values */
    const float *tensor;   /* [positions, dim] */
    const uint8_t *mask;   /* [positions]: 0 = padding; NULL = all valid */
    int positions;
} lm_condition;

/* The vector added to every step: the sum over conditioners fused by sum.
 * out: [D]. Conditioners not in `given` take their learnt padding. Errors:
 * MOSHI_ARGUMENT (unknown name, unknown value: the message lists them). */
moshi_status conditioners_sum(const conditioners *c, const lm_condition *given,
                              int n, float *out, moshi_error *err);

/* Positions of the cross-attention source; 0 without one. */
int conditioners_source_positions(const conditioners *c,
                                  const lm_condition *given, int n);

/* The source itself, position embedding included. out: [positions, D]. */
moshi_status conditioners_source(const conditioners *c,
                                 const lm_condition *given, int n, float *out,
                                 moshi_error *err);

#endif
