/* trace_tokens.h: the tokens of an earlier run, to force them on another.
 *
 * Read from a trace or from a file that `moshi gen --codes` wrote: text_tokens
 * and audio_tokens are what each step produces; codes_in, if it is there, is
 * what the model hears. Of the codec alone: codes_out, or codes, is what is
 * decoded. */
#ifndef MOSHI_LAB_TRACE_TOKENS_H
#define MOSHI_LAB_TRACE_TOKENS_H

#include <stdint.h>

#include <moshi/error.h>

#include "lm/config.h"

typedef struct trace_tokens {
    char *path;       /* owned; for messages */
    size_t steps;     /* of all that follows */
    int own, user;    /* codebooks; user 0: the file does not say what was
                         heard */
    int32_t *tokens;  /* owned [steps][1 + own]: text first; or NULL */
    int32_t *heard;   /* owned [steps][user]; or NULL */
    int32_t *decoded; /* owned [steps][own]: of the codec alone; or NULL */
} trace_tokens;

/* What is forced on a language model. */
moshi_status trace_tokens_open(trace_tokens *out, const char *path,
                               moshi_error *err);
/* What is forced on a decoder: `decoded`. */
moshi_status trace_tokens_open_codes(trace_tokens *out, const char *path,
                                     moshi_error *err);
void trace_tokens_release(trace_tokens *tokens);

/* The text token that stands on most steps, if any stands on more than half;
 * returns on how many. */
size_t trace_tokens_most(const trace_tokens *tokens, int32_t *text);

/* Do they fit this model, number by number? MOSHI_MISMATCH says where not. */
moshi_status trace_tokens_check(const trace_tokens *tokens,
                                const lm_config *config, moshi_error *err);
moshi_status trace_tokens_check_codes(const trace_tokens *tokens,
                                      int codebooks, int bins,
                                      moshi_error *err);

#endif
