/* echo.h: token echo: decode codes, encode the sound, compare the codes.
 *
 * A codec that is given codes of a recording makes that sound again, and most
 * codes of its first codebooks come back. Codes that do not belong together
 * (delays left in, codebooks exchanged) make another sound, and fewer do. How
 * many is a matter of the codec, so shares are read against chance and against
 * each other, never alone. */
#ifndef MOSHI_LAB_ECHO_H
#define MOSHI_LAB_ECHO_H

#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

#include "mimi/model.h"
#include "plan/backend.h"

#define ECHO_LANES 8

/* A codec as the echo sees it: n ≤ ECHO_LANES tables of T frames of K codes
 * are decoded from an empty start and encoded again into back[i]. Errors:
 * MOSHI_MISMATCH when the decoded sound is not finite. */
typedef struct echo_codec {
    moshi_status (*run)(void *user, const int32_t *const *codes, int n, int K,
                        size_t T, int32_t *const *back, moshi_error *err);
    void *user;
} echo_codec;

/* The echo through a Mimi codec; several tables at once share its weights. */
typedef struct echo_mimi echo_mimi;
moshi_status echo_mimi_open(echo_mimi **out, const mimi_model *model,
                            backend *be, moshi_error *err);
void echo_mimi_close(echo_mimi **e);
echo_codec echo_mimi_codec(echo_mimi *e);

/* Codes, [T][codebooks], of T frames of sound from an empty start. */
void echo_mimi_encode(echo_mimi *e, const float *pcm, size_t T,
                      int32_t *codes);

/* Codes of the test sound, [T][codebooks], as this codec hears it. */
moshi_status echo_mimi_hear(echo_mimi *e, size_t T, int32_t *codes,
                            moshi_error *err);

/* What came back. The weighted shares give the semantic codebook a half, the
 * first acoustic one a quarter, and so on: a later codebook only refines what
 * those before it say, and in real codecs seldom comes back. */
typedef struct echo_score {
    double book[MIMI_CODEBOOKS_MAX];   /* 0 … 1, per codebook */
    double chance[MIMI_CODEBOOKS_MAX]; /* the same, against other frames */
    double share, by_chance;           /* weighted */
} echo_score;

double echo_weight(int k, int K);

/* codes, back: [T][K]. frames: T values, the weighted share of each frame. */
void echo_compare(const int32_t *codes, const int32_t *back, int K, size_t T,
                  echo_score *out, float *frames);

#endif
