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

typedef struct sampler {
    sampler_choice text, audio;
    float guidance; /* alpha of GUIDE: l_null + alpha (l_given - l_null) */
} sampler;

/* scratch: n floats. Result in 0 … n-1. */
int32_t sampler_draw(sampler_choice *choice, const float *logits, size_t n,
                     float *scratch);

#endif
