/* model.h: the Mimi codec, opened: immutable weights and its two plans.
 *
 * Encoding:  pcm -> SEANet -> transformer -> downsample -> quantizer -> codes
 * Decoding:  codes -> quantizer -> upsample -> transformer -> SEANet -> pcm
 * One plan each, for one frame (1,920 samples, 80 ms). What changes from frame
 * to frame lives in a mimi_encoder or a mimi_decoder (stream.h): two types, so
 * that they cannot be mixed up.
 *
 * Thread-safety: an open model may be used from any number of threads. */
#ifndef MOSHI_MIMI_MODEL_H
#define MOSHI_MIMI_MODEL_H

#include <moshi/error.h>

#include "mimi/config.h"
#include "plan/plan.h"

typedef struct mimi_model {
    mimi_config config;
    int codebooks;      /* loaded: most that can be encoded or decoded */
    plan *encoder, *decoder;
    tensor_id pcm_in, codes_out, latent; /* of the encoder plan */
    tensor_id codes_in, pcm_out;         /* of the decoder plan */
    plan *whole;       /* the encoder for whole_frames at once; NULL: none */
    int whole_frames;
    tensor_id whole_pcm_in, whole_codes_out;
    struct weights_store *store; /* owned */
    checkpoint *file;            /* owned */
} mimi_model;

typedef struct mimi_model_params {
    const char *path;        /* the codec's safetensors file */
    const char *config_path; /* NULL: the published codec */
    int codebooks;           /* how many to load; 0: all of the file */
    bool ring_window;        /* attention window of the official streaming
                                code, for comparison (docs/MODEL.md) */
    bool panels;             /* convolutions in panels (plan/panels.h), for a
                                backend that takes them */
    dtype weights;           /* large matrices: F32, BF16 or Q8_0 */
    int whole_frames;        /* a plan for so many frames at once, too
                                (mimi/whole.h); 0: none */
    bool later;              /* open at once; mimi_model_finish does the rest */
} mimi_model_params;

moshi_status mimi_model_open(mimi_model **out, const mimi_model_params *params,
                             moshi_error *err);

/* Make the weights that opening left to be made, or wait until another thread
 * has made them; opening a runner does it. From any thread. */
void mimi_model_finish(const mimi_model *model);
size_t mimi_model_unmade(const mimi_model *model); /* bytes of them */

/* The same from an open checkpoint and a parsed config (NULL: none), which is
 * called params->config_path in messages; params->path is not used. *file is
 * taken over (and set to NULL) in any case. */
moshi_status mimi_model_from_checkpoint(mimi_model **out, checkpoint **file,
                                        const value *config,
                                        const mimi_model_params *params,
                                        moshi_error *err);
void mimi_model_close(mimi_model **model);

#endif
