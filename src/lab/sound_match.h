/* sound_match.h: is a sound what its codes sound like, frame by frame?
 *
 * The codes are decoded here, and for each frame of the sound the decoded frame
 * that it is like is looked for nearby, forwards and backwards. What was done
 * to the frames after the decoder is seen so, whatever they say. */
#ifndef MOSHI_LAB_SOUND_MATCH_H
#define MOSHI_LAB_SOUND_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

#include "mimi/model.h"
#include "plan/backend.h"

/* Fewer frames that can be heard say nothing. */
#define SOUND_MATCH_LEAST 10
/* Share of the frames that can be heard, above which all is well. */
#define SOUND_MATCH_RIGHT 0.9

typedef enum sound_place {
    PLACE_QUIET,     /* below -60 dBFS: it could be anywhere */
    PLACE_RIGHT,
    PLACE_BACKWARDS, /* the samples of some frame in reverse */
    PLACE_MOVED,     /* another frame of these codes */
    PLACE_UNLIKE     /* no frame nearby */
} sound_place;

typedef struct sound_match {
    size_t frames, decoded; /* whole frames of the sound; frames of codes */
    size_t spoken;          /* of the decoded ones, those above -60 dBFS */
    long lag;               /* samples that the sound comes later */
    size_t loud;            /* frames of the sound above -60 dBFS; of these: */
    size_t right, backwards, moved, unlike;
    /* From one such frame to the next: */
    size_t lost, twice, back; /* left out; the same again; steps backwards */
    uint8_t *place; /* owned, [frames] of sound_place */
} sound_match;

/* Can a frame of so many samples be heard: is it above -60 dBFS? */
bool sound_match_is_loud(const float *pcm, size_t samples);

/* Hold n samples at the codec's rate against codes, [T][K], all within the
 * codec's range. A sound that begins up to two seconds later or earlier than
 * its codes is moved first. Errors: MOSHI_NO_MEMORY, MOSHI_ARGUMENT (a code out
 * of range). Runs on the backend; nothing of `out` is kept on errors. */
moshi_status sound_match_run(sound_match *out, const mimi_model *codec,
                             backend *be, const int32_t *codes, int K,
                             size_t T, const float *pcm, size_t n,
                             moshi_error *err);
void sound_match_release(sound_match *match);

#endif
