/* test_sound.h: a sound like a voice, for tests that bring no recording.
 *
 * A buzz of a gliding pitch through three moving resonances, in syllables with
 * short breaks between them and a little breath: no words, but what a speech
 * codec is made for. The same samples on every machine. */
#ifndef MOSHI_LAB_TEST_SOUND_H
#define MOSHI_LAB_TEST_SOUND_H

#include <stddef.h>

/* n samples at rate_hz, mono, peak about 0.5. */
void test_sound_fill(float *pcm, size_t n, int rate_hz);

#endif
