/* replay.h: are recorded codes what they are taken for?
 *
 * The same codes are seen in other ways (replay_views.h), each view is sent
 * through the codec (echo.h), and the most consistent one is looked for. This
 * separates what a model said from how it was put together: a wrong delay or
 * order answers TIMELINE. Whether the difference is more than chance is asked
 * of the frames themselves (their spread); when it is not, and when the codec
 * does not even return its own codes, the answer is CANNOT TELL. */
#ifndef MOSHI_LAB_REPLAY_H
#define MOSHI_LAB_REPLAY_H

#include "lab/echo.h"
#include "lab/replay_views.h"
#include "lab/verdict.h"

/* Fewer frames have no spread worth the name. */
#define REPLAY_FRAMES_LEAST 16

typedef struct replay_params {
    bool delays, orders; /* which views */
    size_t frames_max;   /* of the table that are run */
    /* Called after each batch of decodes; may be NULL. */
    void (*progress)(void *user, size_t done, size_t total);
    void *user;
} replay_params;

typedef struct replay_row {
    replay_view view;
    echo_score score;
    float *frames;        /* owned: weighted share of each active frame */
    double gain, gain_se; /* above the recorded view, and its standard error */
} replay_row;

typedef struct replay {
    int K;
    size_t T;
    const int32_t *codes; /* borrowed, [T][K] */
    size_t first, n;      /* the frames that are run */
    size_t active;        /* of these, those that are scored: codes change */
    replay_row *rows;     /* owned */
    size_t n_rows, best;  /* best: index of the most consistent */
    replay_params params;
    /* The codec's own codes of a test sound, the control. */
    echo_score control;
    double control_se; /* standard error of its share */
    bool has_control;
    lab_class verdict;
    char line[512];       /* the verdict in one sentence */
    char advice[256];     /* what to do next */
} replay;

/* Chooses the frames and lists the views; runs nothing. codes must outlive the
 * replay. Errors: MOSHI_ARGUMENT (too few frames), MOSHI_NO_MEMORY. */
moshi_status replay_open(replay **out, const int32_t *codes, int K, size_t T,
                         const replay_params *params, moshi_error *err);
void replay_close(replay **r);

/* Run all views and reach a verdict. control: codes that the codec made of the
 * test sound, [control_frames][control_K], or NULL. Errors as the codec's,
 * except that a sound which is not finite is a verdict. */
moshi_status replay_run(replay *r, echo_codec codec, const int32_t *control,
                        int control_K, size_t control_frames,
                        moshi_error *err);

#endif
