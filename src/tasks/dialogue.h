/* dialogue.h: several conversations, a frame of each at a time.
 *
 * A conversation is all that one talk remembers; a dialogue_runner the
 * scratch to run up to lanes_max of them together, each weight read once for
 * all. What one of them says has the same bits whoever runs beside it, and is
 * what speech_to_speech gives for one alone.
 *
 * Thread-safety: opening and closing may happen in any thread; a runner, and
 * the conversations in its hands, belong to one thread at a time. */
#ifndef MOSHI_TASKS_DIALOGUE_H
#define MOSHI_TASKS_DIALOGUE_H

#include "plan/sampler.h"
#include "tasks/speech_to_speech.h"
#include "tasks/words.h"

typedef struct dialogue {
    moshi_model *model; /* borrowed */
    mimi_encoder *encoder; /* owned, as the next two */
    mimi_decoder *decoder;
    lm_stream *lm;
    words words;
} dialogue;

/* Errors as moshi_stream_open; params may be NULL. sampling: NULL, or what
 * takes the place of the params' (two seeds, for example). */
moshi_status dialogue_open(dialogue **out, moshi_model *model,
                           const moshi_stream_params *params,
                           const sampler *sampling, moshi_error *err);
void dialogue_close(dialogue **c);

/* The sampling that the params mean, to change a part of it. */
moshi_status dialogue_sampling(const moshi_model *model,
                               const moshi_stream_params *params,
                               sampler *out, moshi_error *err);

/* What a frame brought to one conversation. */
typedef struct dialogue_frame {
    const float *heard; /* one frame, finite samples; of the caller */
    float *spoken;      /* room for one frame; of the caller */
    bool has_spoken;
    int32_t codes_in[LIMIT_CODEBOOKS];
    int32_t tokens[1 + LIMIT_CODEBOOKS];
    int32_t codes_out[LIMIT_CODEBOOKS];
    size_t text_bytes;
    char text[WORDS_BYTES_MAX];
} dialogue_frame;

typedef struct dialogue_runner dialogue_runner;

/* guided: of conversations with guidance (all alike). */
moshi_status dialogue_runner_open(dialogue_runner **out,
                                  moshi_model *model, bool guided,
                                  int lanes_max, moshi_error *err);
void dialogue_runner_close(dialogue_runner **runner);

/* One frame of each of n different conversations. */
void dialogue_run(dialogue_runner *runner, dialogue *const *who,
                  dialogue_frame *const *frames, int n);

#endif
