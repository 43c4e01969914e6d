/* analyze_repeat.h: frames that come twice.
 *
 * A voice never says 80 ms twice alike. Sound that equals what came one or two
 * frames before, for nearly a frame, was put there twice. */
#ifndef MOSHI_LAB_ANALYZE_REPEAT_H
#define MOSHI_LAB_ANALYZE_REPEAT_H

#include <stddef.h>

typedef struct repeat {
    size_t at;     /* the first sample of the second time */
    size_t frames; /* how many frames' worth */
} repeat;

/* Find at most `room` repeats in n samples of 24 kHz; returns how many. */
size_t repeats_find(repeat *out, size_t room, const float *pcm, size_t n);

#endif
