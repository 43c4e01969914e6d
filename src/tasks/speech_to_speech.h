/* speech_to_speech.h: the loop that Moshi is: hear a frame, speak a frame.
 *
 *   pcm 80 ms -> mimi_encode_frame -> lm_step -> mimi_decode_frame -> pcm 80 ms
 *
 * A frame is spoken `acoustic delay` frames after it was first heard; text
 * comes with the step that chose it. Knows no file, device or socket.
 *
 * Thread-safety: one thread at a time. */
#ifndef MOSHI_TASKS_SPEECH_TO_SPEECH_H
#define MOSHI_TASKS_SPEECH_TO_SPEECH_H

#include <stdbool.h>
#include <stdint.h>

#include <moshi/stream.h>

#include "lm/stream.h"
#include "mimi/stream.h"
#include "plan/hooks.h"
#include "tasks/model.h"

/* Seconds spent in each part of one frame. */
typedef struct frame_times {
    double encode, temporal, depformer, decode;
} frame_times;

/* What one frame brought. */
typedef struct frame_result {
    int32_t codes_in[LIMIT_CODEBOOKS];   /* heard */
    int32_t tokens[1 + LIMIT_CODEBOOKS]; /* produced: text, own codebooks */
    bool spoken;                         /* the next two are filled */
    int32_t codes_out[LIMIT_CODEBOOKS];  /* of the frame that is complete */
    float *pcm;    /* frame_samples floats, of the caller */
    frame_times times;
} frame_result;

/* Who looks on, and what is given instead of being found out: for the lab. All
 * NULL in a conversation. */
typedef struct frame_watch {
    const plan_hook *encode, *lm, *decode; /* after each operation */
    const int32_t *heard;  /* codes that the model hears, instead of those of
                              the encoder (which runs all the same) */
    const int32_t *forced; /* 1 + K tokens that the step produces, TOKEN_FREE
                              where the model chooses */
} frame_watch;

typedef struct speech_to_speech {
    moshi_model *model; /* borrowed */
    mimi_runner *codec;
    mimi_encoder *encoder;
    mimi_decoder *decoder;
    lm_runner *runner;
    lm_stream *lm;
    int32_t *scratch_codes;  /* the codec's row, which may be longer */
    double temporal_done;    /* clock at the text token, set by the hook */
    frame_watch watch;       /* of the next frame; set by the caller, tokens
                                checked (all else is a mistake of ours) */
} speech_to_speech;

/* Errors as moshi_stream_open. params may be NULL. */
moshi_status speech_to_speech_open(speech_to_speech **out, moshi_model *model,
                                   const moshi_stream_params *params,
                                   moshi_error *err);
void speech_to_speech_close(speech_to_speech **s);
void speech_to_speech_reset(speech_to_speech *s);

/* pcm: one frame, finite samples. result->pcm must point to room for one. */
void speech_to_speech_frame(speech_to_speech *s, const float *pcm,
                            frame_result *result);

/* A token that is text: not padding, not its end, not the start token. */
bool speech_to_speech_is_text(const moshi_model *model, int32_t token);

#endif
