/* stream.h: what the codec remembers of one recording, and one frame of work.
 *
 * mimi_encoder and mimi_decoder are streams: they hold the convolution tails,
 * key/value rings and positions of one side, and nothing is shared between
 * them. A mimi_runner holds the scratch to run up to lanes_max streams
 * together.
 *
 * Thread-safety: a stream and a runner are used by one thread at a time. */
#ifndef MOSHI_MIMI_STREAM_H
#define MOSHI_MIMI_STREAM_H

#include <stdint.h>

#include "mimi/model.h"
#include "plan/backend.h"

typedef struct mimi_encoder {
    const mimi_model *model; /* borrowed; must outlive the stream */
    backend *backend;        /* borrowed likewise */
    plan_state *state;       /* owned */
} mimi_encoder;

typedef struct mimi_decoder {
    const mimi_model *model;
    backend *backend;
    plan_state *state;
} mimi_decoder;

moshi_status mimi_encoder_open(mimi_encoder **out, const mimi_model *model,
                               backend *be, moshi_error *err);
void mimi_encoder_close(mimi_encoder **encoder);
void mimi_encoder_reset(mimi_encoder *encoder);

moshi_status mimi_decoder_open(mimi_decoder **out, const mimi_model *model,
                               backend *be, moshi_error *err);
void mimi_decoder_close(mimi_decoder **decoder);
void mimi_decoder_reset(mimi_decoder *decoder);

typedef struct mimi_runner {
    const mimi_model *model;
    backend *backend;
    plan_runner *encode, *decode; /* owned; NULL for a side not asked for */
    int lanes_max;
} mimi_runner;

typedef enum mimi_sides {
    MIMI_ENCODE = 1,
    MIMI_DECODE = 2,
    MIMI_BOTH = 3
} mimi_sides;

moshi_status mimi_runner_open(mimi_runner **out, const mimi_model *model,
                              backend *be, mimi_sides sides, int lanes_max,
                              moshi_error *err);
void mimi_runner_close(mimi_runner **runner);

/* One frame for each of n streams. pcm[i]: frame_samples floats; codes[i]:
 * model->codebooks codes. hook may be NULL. */
void mimi_encode_frame(mimi_runner *runner, mimi_encoder *const *streams,
                       int n, const float *const *pcm, int32_t *const *codes,
                       const plan_hook *hook);

/* codes[i]: n_codes ≤ model->codebooks codes, each 0 … bins-1; pcm[i]:
 * frame_samples floats, not clamped. MOSHI_ARGUMENT if a code is out of range
 * (nothing is run then): initial and padding tokens of the language model must
 * not come here. */
moshi_status mimi_decode_frame(mimi_runner *runner,
                               mimi_decoder *const *streams, int n,
                               const int32_t *const *codes, int n_codes,
                               float *const *pcm, const plan_hook *hook);

#endif
