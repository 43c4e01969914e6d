/* stream.h: one conversation: sound in, sound and text out.
 *
 *     moshi_stream *s;
 *     moshi_stream_open(&s, model, NULL, &error);
 *     while (there is sound) {
 *         moshi_stream_push(s, pcm, n, &used);       // may take less than n
 *         moshi_stream_pull_pcm(s, out, cap, &got);  // play out[0 … got)
 *         moshi_stream_pull_text(s, text, cap, &got);
 *     }
 *     moshi_stream_finish(s);
 *     // pull what is left, until MOSHI_FINISHED
 *     moshi_stream_close(&s);
 *
 * All PCM is mono float32, nominally -1 … 1, at the model's rate (24 kHz).
 * Work is done in whole frames (80 ms) inside push; how the samples are cut
 * into pushes never changes the result. Once a stream is open, nothing is
 * allocated.
 *
 * Thread-safety: a stream is used by one thread at a time. Streams of one
 * model may run in different threads. */
#ifndef MOSHI_STREAM_H
#define MOSHI_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>
#include <moshi/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moshi_stream moshi_stream;

/* {0}, or NULL in its place, is a good choice. */
typedef struct moshi_stream_params {
    int greedy;             /* non-zero: always the likeliest token */
    float temperature;      /* of audio tokens; 0: the model's, else 0.8 */
    float text_temperature; /* of text tokens; 0: the model's, else 0.8 */
    int top_k;              /* audio: among the k likeliest; 0: the model's,
                               else 250; -1: among all */
    int text_top_k;         /* text: likewise */
    uint64_t seed;          /* 0: 299792458 */
    float guidance;         /* classifier-free guidance; 0 or 1: none. Only
                               for models with conditions */
    const char *const *conditions; /* "name=value" strings */
    size_t n_conditions;
} moshi_stream_params;

/* Errors: MOSHI_ARGUMENT (a value out of range, a condition that the model
 * does not have), MOSHI_NO_MEMORY. */
MOSHI_API moshi_status moshi_stream_open(moshi_stream **out,
                                         moshi_model *model,
                                         const moshi_stream_params *params,
                                         moshi_error *error);

/* Frees the stream and sets *stream to NULL. NULL is fine. */
MOSHI_API void moshi_stream_close(moshi_stream **stream);

/* As just opened: same seed, same conditions, nothing heard. */
MOSHI_API void moshi_stream_reset(moshi_stream *stream);

/* Hear n samples. *used is how many were taken. Returns MOSHI_OK when all
 * were; MOSHI_FULL when output must be pulled first (push the rest again
 * then); MOSHI_FINISHED after moshi_stream_finish; MOSHI_ARGUMENT for a sample
 * that is not a finite number (it and those after it are not taken). */
MOSHI_API moshi_status moshi_stream_push(moshi_stream *stream,
                                         const float *pcm, size_t n,
                                         size_t *used);

/* No more sound will come: a frame that was begun is filled up with silence
 * and heard. Returns MOSHI_OK, or MOSHI_FULL when output must be pulled first. */
MOSHI_API moshi_status moshi_stream_finish(moshi_stream *stream);

/* Take up to cap samples of speech. Returns MOSHI_OK with *got > 0,
 * MOSHI_AGAIN when more must be pushed first, MOSHI_FINISHED after the end.
 * Speech starts acoustic_delay frames after the first frame was heard. */
MOSHI_API moshi_status moshi_stream_pull_pcm(moshi_stream *stream, float *out,
                                             size_t cap, size_t *got);

/* Take up to cap bytes of text, UTF-8, not 0-terminated; never a part of a
 * character unless cap is smaller than it. Same returns. Nothing ever comes
 * from a model without a tokenizer. */
MOSHI_API moshi_status moshi_stream_pull_text(moshi_stream *stream, char *out,
                                              size_t cap, size_t *got);

#ifdef __cplusplus
}
#endif
#endif
