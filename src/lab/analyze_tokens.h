/* analyze_tokens.h: what a model's codec, codes and text say of a recording.
 *
 * Three questions that the sound alone leaves open: does the codec hear in it
 * what it would say itself (token echo); is it what the recorded codes sound
 * like, frame by frame; does it last as long as the words of the recorded text
 * take. */
#ifndef MOSHI_LAB_ANALYZE_TOKENS_H
#define MOSHI_LAB_ANALYZE_TOKENS_H

#include "lab/analyze_work.h"

/* Measures and findings of params->model and params->codes. Longer recordings
 * are judged over their first ten minutes, the echo over ten seconds. Errors:
 * what opening the codes says, MOSHI_MISMATCH when they are not the model's,
 * MOSHI_NO_MEMORY. */
moshi_status analyze_tokens(analyze_work *w, moshi_error *err);

#endif
