/* sampler.h: what a SAMPLE operation does: logits -> token (docs/MODEL.md,
 * sampling and text).
 *
 * The settings and the random state of one stream lie in a state tensor of
 * its plan, so a stream draws the same tokens whatever its neighbours do. */
#ifndef MOSHI_PLAN_SAMPLER_H
#define MOSHI_PLAN_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

/* Forced and sampled tokens: */
#define TOKEN_ZERO (-1) /* no token: adds nothing where it is embedded */
#define TOKEN_FREE (-2) /* not forced: sample */

typedef struct sampler_choice {
    float temperature; /* <= 0: the largest logit, lowest index on ties */
    int32_t top_k;     /* draw among the k largest; <= 0: among all */
    uint64_t seed;
    uint64_t draws;    /* random numbers drawn so far */
} sampler_choice;

/* Words that the penalty for repetition looks back on, at most. */
#define SAMPLER_SAID_MAX 256

/* What bends the choice of text tokens, on request of a client of the official
 * server; all zero: nothing. */
typedef struct sampler_bend {
    float pad_mult;    /* the probability of `pad` is multiplied by e^this */
    float penalty;     /* of what was said lately: a logit >= 0 is divided by
                          it, one < 0 multiplied; 0 or 1: none */
    int32_t context;   /* so many tokens back, 0 … SAMPLER_SAID_MAX */
    int32_t pad, end_pad; /* these do not count as said */
    int32_t n_said;    /* so far; the last ones are in said */
    int32_t said[SAMPLER_SAID_MAX];
} sampler_bend;

typedef struct sampler {
    sampler_choice text, audio;
    float guidance; /* alpha of GUIDE: l_null + alpha (l_given - l_null) */
    sampler_bend bend;
} sampler;

/* scratch: n floats. Result in 0 … n-1. */
int32_t sampler_draw(sampler_choice *choice, const float *logits, size_t n,
                     float *scratch);

/* The text token: logits are bent in place, if anything is to be bent. */
int32_t sampler_draw_text(sampler *s, float *logits, size_t n,
                          float *scratch);

/* A text token was produced, drawn or forced. */
void sampler_said(sampler *s, int32_t token);

#endif
