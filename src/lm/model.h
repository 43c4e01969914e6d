/* model.h: a language model, opened: immutable weights and its plans.
 *
 * One step (80 ms): text and audio tokens in -> temporal transformer -> text
 * token -> depformer, one slice a codebook -> audio tokens. The
 * whole step, sampling included, is one plan. With guidance a stream runs two
 * branches of everything: a plan of its own. docs/MODEL.md has the formulas.
 *
 * Thread-safety: an open model may be used from any number of threads. */
#ifndef MOSHI_LM_MODEL_H
#define MOSHI_LM_MODEL_H

#include <moshi/error.h>

#include "lm/conditioner.h"
#include "lm/config.h"
#include "lm/layout.h"
#include "plan/plan.h"

/* A plan and where its inputs and outputs are. K = dep_q. */
typedef struct lm_plan {
    plan *plan;
    tensor_id tokens_in;   /* I32 [branches, 1 + n_q] */
    tensor_id forced;      /* I32 [1, 1 + K]: TOKEN_FREE or the token */
    tensor_id tokens_out;  /* I32 [1, 1 + K]: text, own codebooks */
    tensor_id settings;    /* state: struct sampler */
    tensor_id condition;   /* state F32 [branches, D]; TENSOR_NONE: none */
    tensor_id source_length;         /* state I32 [branches,1]; or none */
    tensor_id source_cache[LIMIT_LAYERS]; /* state; of each layer */
} lm_plan;

/* Projects the source of cross-attention, LM_SOURCE_ROWS positions a run. */
#define LM_SOURCE_ROWS 25
typedef struct lm_source_plan {
    plan *plan; /* NULL: the model has no cross-attention */
    tensor_id input;                /* F32 [LM_SOURCE_ROWS, D] */
    tensor_id output[LIMIT_LAYERS]; /* F32 [LM_SOURCE_ROWS, 2 D] */
} lm_source_plan;

typedef struct lm_model {
    lm_config config;
    lm_layout layout;
    lm_plan plain, guided; /* guided.plan NULL: the model has no conditions */
    lm_source_plan source;
    int source_positions_max;
    int acoustic_delay_own; /* before an option overrode it */
    conditioners conditioners;
    struct weights_store *store; /* owned */
    checkpoint *file;            /* owned */
} lm_model;

typedef enum lm_activations {
    LM_ACTIVATIONS_AS_OFFICIAL, /* 8 bits before quantised weights */
    LM_ACTIVATIONS_EXACT        /* float32 against dequantised weights */
} lm_activations;

typedef struct lm_model_params {
    const char *path;
    const char *config_path;  /* NULL: shapes and the known models */
    lm_activations activations;
    dtype cache;              /* of keys and values: F32, F16 or Q8_0 */
    int acoustic_delay;       /* -1: the model's own; else the delay of all
                                 acoustic codebooks */
    int source_positions_max; /* 0: 625, five voices of ten seconds */
} lm_model_params;

moshi_status lm_model_open(lm_model **out, const lm_model_params *params,
                           moshi_error *err);

/* The same from an open checkpoint and a parsed config (NULL: none), which is
 * called params->config_path in messages; params->path is not used. *file is
 * taken over (and set to NULL) in any case. */
moshi_status lm_model_from_checkpoint(lm_model **out, checkpoint **file,
                                      const value *config,
                                      const lm_model_params *params,
                                      moshi_error *err);
void lm_model_close(lm_model **model);

#endif
