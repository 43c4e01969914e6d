/* stream.h: one conversation of a language model, and one step of work.
 *
 * An lm_stream holds the key/value rings, the timeline and the random state;
 * an lm_runner the scratch to step up to lanes_max streams together.
 *
 * Thread-safety: a stream and a runner are used by one thread at a time. */
#ifndef MOSHI_LM_STREAM_H
#define MOSHI_LM_STREAM_H

#include "lm/model.h"
#include "lm/timeline.h"
#include "plan/backend.h"
#include "plan/sampler.h"

typedef struct lm_stream_params {
    sampler sampling;               /* temperature 0: greedy */
    const lm_condition *conditions; /* n of them; others: learnt padding */
    int n_conditions;
    const lm_condition *null_conditions; /* of the second branch, guided */
    int n_null_conditions;
    bool guided;                    /* two branches */
} lm_stream_params;

typedef struct lm_stream {
    const lm_model *model; /* borrowed; must outlive the stream */
    const lm_plan *plan;   /* plain or guided */
    backend *backend;      /* borrowed likewise */
    plan_state *state;     /* owned */
    sampler sampling;      /* as at the start, for reset */
    timeline timeline;
} lm_stream;

/* Errors: MOSHI_ARGUMENT (conditions that the model does not have, guidance
 * without conditions), MOSHI_NO_MEMORY. */
moshi_status lm_stream_open(lm_stream **out, const lm_model *model,
                            backend *be, const lm_stream_params *params,
                            moshi_error *err);
void lm_stream_close(lm_stream **stream);
/* As just opened: same conditions, same seeds. */
void lm_stream_reset(lm_stream *stream);

typedef struct lm_runner {
    const lm_model *model;
    const lm_plan *plan;
    backend *backend;
    plan_runner *runner; /* owned */
    int lanes_max;
} lm_runner;

moshi_status lm_runner_open(lm_runner **out, const lm_model *model,
                            backend *be, bool guided, int lanes_max,
                            moshi_error *err);
void lm_runner_close(lm_runner **runner);

/* One step of n streams, all of the runner's kind (guided or not).
 * user[i]: n_q - dep_q codes of the frame just heard (0 … card, or
 * TOKEN_ZERO); forced: NULL, or for each stream 1 + dep_q tokens, TOKEN_FREE
 * where the model chooses; tokens[i]: 1 + dep_q tokens produced, text first.
 * MOSHI_ARGUMENT if a code is out of range (nothing is run then). */
moshi_status lm_step(lm_runner *runner, lm_stream *const *streams, int n,
                     const int32_t *const *user, const int32_t *const *forced,
                     int32_t *const *tokens, const plan_hook *hook);

/* Own codes of the newest complete frame, ready for the codec; false while
 * there is none, or when a token of it was forced to something that is no
 * code. */
bool lm_stream_frame(const lm_stream *stream, int32_t *codes);

#endif
