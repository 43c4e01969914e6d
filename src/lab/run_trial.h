/* run_trial.h: would a model have said what a recorded run said?
 *
 * The tokens of the run are forced on the model step by step, and how likely
 * it finds each is read off its logits. What a step reads is laid out here, not
 * by the timeline, so that a run can be tried under guesses of how the program
 * that made it laid its tokens out: the guess under which they are likely is
 * what that program did. */
#ifndef MOSHI_LAB_RUN_TRIAL_H
#define MOSHI_LAB_RUN_TRIAL_H

#include <stdbool.h>

#include "lab/trace_tokens.h"
#include "tasks/model.h"

/* What was done when the run was made. */
typedef struct run_guess {
    int delay;      /* of the acoustic codebooks, in steps */
    bool nobody;    /* code 0 was heard in every codebook */
    bool exchanged; /* own and heard codebooks changed places */
} run_guess;

/* Temperatures that a run is tried at. */
#define RUN_TEMPERATURES(X) \
    X(0.25) X(0.5) X(0.7) X(0.8) X(0.9) X(1) X(1.2) X(1.5) X(2) X(3) X(5) \
    X(7) X(10) X(15) X(25)
#define RUN_TEMPERATURES_COUNT 15
extern const double run_temperatures[RUN_TEMPERATURES_COUNT];

enum { RUN_TEXT, RUN_AUDIO, RUN_KINDS };

/* Of the tokens of one kind; audio is own codebooks. */
typedef struct run_part {
    size_t count;
    size_t likeliest; /* tokens that the model itself would have chosen */
    double cost[RUN_TEMPERATURES_COUNT]; /* mean of -ln p, at each */
    int best;         /* index of the lowest */
    /* With ranks: how far the tokens are from having been drawn at a
     * temperature (the largest distance of the distribution of their ranks, of
     * Kolmogorov and Smirnov), at the temperature where that is least, among
     * all tokens or the 250 likeliest. */
    double unevenness, drawn_at;
} run_part;

typedef struct run_fit {
    run_part part[RUN_KINDS];
    double acoustic; /* mean of -ln p of the acoustic tokens */
    double *steps;   /* of the caller: [steps], -ln p of all tokens of a step */
} run_fit;

/* Steps that count: the first ones hold tokens of before the start. */
#define RUN_FIRST 4

/* run: checked against the model; steps > RUN_FIRST. ranks: take them too.
 * Errors: MOSHI_NO_MEMORY. */
moshi_status run_trial(run_fit *out, const moshi_model *model,
                       const trace_tokens *run, size_t steps,
                       run_guess guess, bool ranks, moshi_error *err);

#endif
