/* timeline.h: laying codes on the delayed grid, and taking them off again.
 *
 * Step s of the model reads the text token of step s-1 and, of codebook c
 * with delay d_c, the token of frame s-1-d_c (the initial token while
 * s <= d_c). It produces a text token and, for each own codebook c, the token
 * of frame s-d_c. A frame is complete when the slowest codebook has reached
 * it. Pure bookkeeping, no model: the table of docs/MODEL.md, delays, with one
 * delay per codebook, in memory of fixed size however long the talk. */
#ifndef MOSHI_LM_TIMELINE_H
#define MOSHI_LM_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

#define TIMELINE_ROWS (LIMIT_DELAY + 2)

typedef struct timeline {
    int own, user;                    /* codebooks of each side */
    int own_delay[LIMIT_CODEBOOKS];   /* steps */
    int user_delay[LIMIT_CODEBOOKS];
    int delay_max;                    /* of the own codebooks */
    int32_t text_start, audio_start;  /* initial tokens */
    int64_t step;                     /* next to run */
    int32_t text;                     /* produced by the last step */
    int32_t own_row[TIMELINE_ROWS][LIMIT_CODEBOOKS];  /* by producing step */
    int32_t user_row[TIMELINE_ROWS][LIMIT_CODEBOOKS]; /* by frame */
} timeline;

/* delays: [1 + own + user], text first (ignored), each 0 … LIMIT_DELAY. */
void timeline_init(timeline *t, int own, int user, const int *delays,
                   int32_t text_start, int32_t audio_start);
void timeline_reset(timeline *t);

/* Give the user's codes of the frame that belongs to the next step. */
void timeline_hear(timeline *t, const int32_t *user_codes);

/* The 1 + own + user tokens that the next step reads. */
void timeline_inputs(const timeline *t, int32_t *tokens);

/* Record what the step produced ([text, own…]) and go on to the next. */
void timeline_advance(timeline *t, const int32_t *tokens);

/* The own codes of the newest complete frame; false before there is one.
 * After n calls of advance that is frame n - 1 - delay_max. */
bool timeline_frame(const timeline *t, int32_t *own_codes);

#endif
