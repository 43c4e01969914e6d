/* lm_trial.h: a stream of a model's language model, ready to be stepped in a
 * test: greedy, with the conditions that every conversation gets, hearing the
 * test sound. */
#ifndef MOSHI_LAB_LM_TRIAL_H
#define MOSHI_LAB_LM_TRIAL_H

#include "lm/stream.h"
#include "tasks/model.h"

typedef struct lm_trial {
    const lm_model *model; /* borrowed */
    lm_runner *runner;
    lm_stream *stream;
} lm_trial;

/* be: the model's backend or another. Errors: MOSHI_NO_MEMORY. */
moshi_status lm_trial_init(lm_trial *t, const moshi_model *model, backend *be,
                           moshi_error *err);
void lm_trial_release(lm_trial *t);

/* One step. user, forced and tokens as lm_step; hook may be NULL. */
moshi_status lm_trial_step(lm_trial *t, const int32_t *user,
                           const int32_t *forced, int32_t *tokens,
                           const plan_hook *hook);

/* What the model hears in n frames of the test sound, [n][n_q - dep_q]; the
 * codes are allocated (memory_free), also when nothing is heard. */
moshi_status lm_trial_hear(const moshi_model *model, size_t n,
                           int32_t **codes, moshi_error *err);

#endif
