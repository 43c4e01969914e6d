/* run_codes.h: do the codes that were decoded come from the tokens that were
 * produced, by the delays of the model? Tables against tables: no model runs.
 *
 * codes_out[k][f] is audio_tokens[k][f + delay k]. Where it is not, the place
 * that fits best says what was done instead. */
#ifndef MOSHI_LAB_RUN_CODES_H
#define MOSHI_LAB_RUN_CODES_H

#include <stdbool.h>
#include <stddef.h>

#include "lab/trace_tokens.h"

/* Where codebook k of what was decoded was taken from. */
typedef struct run_source {
    int book, delay;
    double share; /* of its frames that fit; only of those that change, since
                     standing codes fit anywhere */
} run_source;

/* The source of codebook k of codes->decoded among run->tokens; `delay` is the
 * one that is right, and wins a draw. */
run_source run_codes_source(const trace_tokens *run, const trace_tokens *codes,
                            int k, int delay);

/* The same share for a table that was written, or read, with its axes
 * exchanged, with the delays given ([own]). */
double run_codes_transposed(const trace_tokens *run, const trace_tokens *codes,
                            const int *delays);

#endif
