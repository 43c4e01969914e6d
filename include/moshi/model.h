/* model.h: open a model of the Moshi family.
 *
 * A model is three files: the language model, the Mimi codec and the text
 * tokenizer. Opening maps them and checks them against each other; an opened
 * model never changes and can serve any number of streams (stream.h).
 *
 * Thread-safety: an open model may be used from any number of threads.
 * Opening and closing belong to one thread; close a model only after all its
 * streams. */
#ifndef MOSHI_MODEL_H
#define MOSHI_MODEL_H

#include <stddef.h>

#include <moshi/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moshi_model moshi_model;

/* {0} with only `model` set is a good choice. Paths are UTF-8, borrowed for
 * the length of the call; NULL means "as found in the folder". */
typedef struct moshi_model_params {
    const char *model;       /* folder of a model, or its language model file
                                (the others are looked for beside it) */
    const char *lm;          /* language model: .safetensors or .gguf */
    const char *mimi;        /* codec: .safetensors */
    const char *tokenizer;   /* SentencePiece .model; without one there is no
                                text, only token numbers */
    const char *config;      /* config.json or candle .toml of the language
                                model; without one known models are recognised
                                by their shapes */
    const char *mimi_config; /* only for a codec that is not the published */
    int threads;             /* 0: one for each core that may be used */
    const char *device;      /* where to compute: NULL or "cpu"; "vulkan", the
                                best GPU; "vulkan:N"; "auto", a GPU if there
                                is one that can hold the model */
    int gpu_layers;          /* of the temporal transformer, on a GPU; the
                                others stay on the CPU. 0: as many as fit; -1:
                                none */
    int acoustic_delay;      /* steps; 0: the model's own (the right choice);
                                -1: none */
    int exact_activations;   /* non-zero: float32 activations with
                                quantised weights too, which are otherwise
                                met by activations of 8 bits */
    const char *codec_weights; /* how the codec's large matrices are kept: NULL
                                or "f32", as the file has them; "bf16" or
                                "q8_0": fewer bytes to read, other codes here
                                and there (docs/SPEED.md) */
    const char *kv;          /* keys and values are kept in "f16", "f32" or
                                "q8_0"; NULL: f16 */
    int prefault;            /* 0: weights are brought into memory in the
                                background, so that the first frame need not
                                wait for the disk; -1: when a frame asks for
                                them. Closing the model stops it */
    /* How far that is, in bytes; NULL: nobody asks. Called by moshi_model_open
     * with done == 0, then from a thread of the library's own, the last time
     * with done == total; not after moshi_model_close has returned; not at all
     * where nothing is brought into memory. It must not call the library. */
    void (*loading)(void *user, size_t done, size_t total);
    void *loading_user;
} moshi_model_params;

/* Errors: MOSHI_IO (a file is missing), MOSHI_FORMAT (damaged),
 * MOSHI_MISMATCH (parts do not fit; the message names both sides),
 * MOSHI_UNSUPPORTED, MOSHI_NO_MEMORY, MOSHI_ARGUMENT, MOSHI_LACKING (the
 * device). */
MOSHI_API moshi_status moshi_model_open(moshi_model **out,
                                        const moshi_model_params *params,
                                        moshi_error *error);

/* Wait until the background has brought all weights into memory: the first
 * frame then takes no longer than any other. Returns at once with prefault =
 * -1. For the thread that opened the model. */
MOSHI_API void moshi_model_wait(moshi_model *model);

/* Frees the model and sets *model to NULL. NULL is fine. */
MOSHI_API void moshi_model_close(moshi_model **model);

/* Facts about an open model. Strings live as long as the model. */
typedef struct moshi_model_info {
    const char *known_as;    /* published model with these shapes, or NULL */
    int sample_rate_hz;      /* of all PCM, in and out: 24000 */
    int frame_samples;       /* samples of one frame: 1920 (80 ms) */
    int codebooks_in;        /* codes heard in each frame */
    int codebooks_out;       /* codes spoken in each frame */
    int acoustic_delay;      /* in force, steps */
    int acoustic_delay_own;  /* the model's own */
    int text_tokens;         /* size of the text vocabulary */
    int has_tokenizer;       /* 0: text cannot be spelled out */
    int threads;             /* of the CPU; 0: it computes nothing */
    const char *device;      /* "cpu", or "vulkan: NAME" */
    const char *device_note; /* why "auto" took no GPU; "" if it did, or was
                                not asked for */
} moshi_model_info;

MOSHI_API void moshi_model_get_info(const moshi_model *model,
                                    moshi_model_info *info);

#ifdef __cplusplus
}
#endif
#endif
