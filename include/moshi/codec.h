/* codec.h: the Mimi codec alone: sound to codes, codes to sound.
 *
 * A codec is an opened Mimi file. An encoder and a decoder are separate
 * streams over it; each remembers its own past. A code frame is 1,920 samples
 * (80 ms at 24 kHz) and `codebooks` codes, the semantic one first, each
 * 0 … 2047.
 *
 * Thread-safety: a codec may be used from any number of threads; an encoder or
 * a decoder by one thread at a time. Close a codec after its streams. */
#ifndef MOSHI_CODEC_H
#define MOSHI_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moshi_codec moshi_codec;
typedef struct moshi_encoder moshi_encoder;
typedef struct moshi_decoder moshi_decoder;

typedef struct moshi_codec_params {
    const char *path;        /* the codec's .safetensors file */
    const char *config_path; /* NULL for the published codec */
    int codebooks;           /* 0: all of the file (32) */
    int threads;             /* 0: one for each core that may be used */
    const char *device;      /* as in moshi_model_params */
    const char *weights;     /* as codec_weights there */
} moshi_codec_params;

/* Errors as moshi_model_open. */
MOSHI_API moshi_status moshi_codec_open(moshi_codec **out,
                                        const moshi_codec_params *params,
                                        moshi_error *error);
MOSHI_API void moshi_codec_close(moshi_codec **codec);

/* Where it computes, and why "auto" took no GPU (model.h, moshi_model_info).
 * The strings live as long as the codec. */
MOSHI_API const char *moshi_codec_device(const moshi_codec *codec);
MOSHI_API const char *moshi_codec_device_note(const moshi_codec *codec);

MOSHI_API int moshi_codec_sample_rate_hz(const moshi_codec *codec);
MOSHI_API int moshi_codec_frame_samples(const moshi_codec *codec);
MOSHI_API int moshi_codec_codebooks(const moshi_codec *codec);
/* Entries of a codebook: codes are 0 … bins - 1. */
MOSHI_API int moshi_codec_bins(const moshi_codec *codec);

MOSHI_API moshi_status moshi_encoder_open(moshi_encoder **out,
                                          moshi_codec *codec,
                                          moshi_error *error);
MOSHI_API void moshi_encoder_close(moshi_encoder **encoder);
MOSHI_API void moshi_encoder_reset(moshi_encoder *encoder);

/* Encode whole frames. pcm: n_frames * frame_samples samples, mono float32;
 * codes: n_frames rows of `codebooks` codes. Any cut into calls gives the same
 * codes. MOSHI_ARGUMENT for a sample that is not finite (nothing is encoded);
 * MOSHI_LACKING when the GPU was lost. */
MOSHI_API moshi_status moshi_encoder_encode(moshi_encoder *encoder,
                                            const float *pcm, size_t n_frames,
                                            int32_t *codes);

/* Encode a whole recording: the codes that a new encoder gives for its frames,
 * in less time, since several frames are computed at once by all threads.
 * progress (NULL: none) is told how many frames are done. Errors as
 * moshi_encoder_encode, and MOSHI_NO_MEMORY. */
MOSHI_API moshi_status moshi_codec_encode(moshi_codec *codec, const float *pcm,
                                          size_t n_frames, int32_t *codes,
                                          void (*progress)(void *user,
                                                           size_t done),
                                          void *user, moshi_error *error);

MOSHI_API moshi_status moshi_decoder_open(moshi_decoder **out,
                                          moshi_codec *codec,
                                          moshi_error *error);
MOSHI_API void moshi_decoder_close(moshi_decoder **decoder);
MOSHI_API void moshi_decoder_reset(moshi_decoder *decoder);

/* Decode whole frames. codes: n_frames rows of n_codes codes, n_codes from 1
 * to `codebooks`; pcm: n_frames * frame_samples samples, not clamped.
 * MOSHI_ARGUMENT for a code out of range: frames before it are decoded. */
MOSHI_API moshi_status moshi_decoder_decode(moshi_decoder *decoder,
                                            const int32_t *codes,
                                            size_t n_frames, int n_codes,
                                            float *pcm);

#ifdef __cplusplus
}
#endif
#endif
