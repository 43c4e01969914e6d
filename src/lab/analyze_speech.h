/* analyze_speech.h: does it move as speech does?
 *
 * Collects the envelope of the whole recording, 100 values a second, and the
 * pitch of every 40 ms; at the end they become the measures of syllables,
 * voice and the direction of time. */
#ifndef MOSHI_LAB_ANALYZE_SPEECH_H
#define MOSHI_LAB_ANALYZE_SPEECH_H

#include <stddef.h>

#include <moshi/error.h>

#define SPEECH_HOP       240 /* samples at 24 kHz: 10 ms */
#define SPEECH_PITCH_MAX 500 /* Hz */

typedef struct speech_meter {
    float *envelope; /* owned: RMS of each hop */
    size_t hops, room;
    size_t windows, voiced;             /* of 40 ms, with sound */
    size_t pitch[SPEECH_PITCH_MAX + 1]; /* how often each Hz */
} speech_meter;

/* NAN where there is too little to tell. */
typedef struct speech_measures {
    double modulation_4hz; /* share of 2 … 8 Hz in the envelope's 0.5 … 20 */
    double modulation_12hz; /* power at 12.5 Hz against its surroundings */
    double voiced_share, pitch_hz;
    double attack_decay; /* skewness of the level's steps */
} speech_measures;

/* n samples at 24 kHz, a multiple of SPEECH_HOP but for the last piece. */
moshi_status speech_meter_push(speech_meter *m, const float *pcm, size_t n,
                               moshi_error *err);
speech_measures speech_meter_read(const speech_meter *m);
void speech_meter_release(speech_meter *m);

#endif
