/* words.h: from text tokens to pieces of UTF-8, as they are spoken.
 *
 * Padding and special tokens say nothing. A character that comes byte by byte
 * is held back until it is whole. Without a tokenizer the numbers of the
 * tokens stand in for the text. */
#ifndef MOSHI_TASKS_WORDS_H
#define MOSHI_TASKS_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "tasks/model.h"

#define WORDS_BYTES_MAX 512 /* of the text that one token completes */

typedef struct words {
    int32_t last;             /* text token before; -1 at the start */
    char pending[WORDS_BYTES_MAX]; /* a character that has only begun */
    size_t n_pending;
} words;

void words_init(words *w);

/* What `token` completes; out is 0-terminated. Returns its bytes, often 0. */
size_t words_hear(words *w, const moshi_model *model, int32_t token,
                  char out[WORDS_BYTES_MAX]);

#endif
