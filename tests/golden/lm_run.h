/* lm_run.h: run a language model over a fixture, greedy or teacher-forced. */
#ifndef TESTS_GOLDEN_LM_RUN_H
#define TESTS_GOLDEN_LM_RUN_H

#include "golden.h"
#include "lm/stream.h"

typedef struct lm_case {
    const char *label;
    const char *model, *config; /* relative to the fixtures */
    const char *expected;
    const char *input;
    lm_activations activations;
    lm_condition conditions[4];
    int n_conditions;
    lm_condition null_conditions[4];
    int n_null_conditions;
    float guidance;            /* 0: none */
    const char *prefix;        /* of the forced fields: "tf" */
    double row_share;          /* share of rows that must agree; 1: all */
} lm_case;

/* Free running: tokens, frames, logits, against `expected`. */
void lm_check_greedy(const lm_case *c);
/* `tf_codes` of the input, against `<prefix>_text_logits` and so on. */
void lm_check_forced(const lm_case *c);

#endif
