/* sound_card.h: microphone and loudspeaker, by PortAudio.
 *
 * Mono, in whatever blocks the system likes. Three rings stand between its
 * callbacks and the program: what was recorded, what was played at the same
 * time (for echo cancellation), and what is to be played.
 *
 * One file stands behind this header; built without PortAudio, opening answers
 * MOSHI_LACKING. Thread-safety: one thread beside the callbacks. */
#ifndef MOSHI_AUDIO_SOUND_CARD_H
#define MOSHI_AUDIO_SOUND_CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

typedef struct sound_device {
    int number;
    char name[128], system[64]; /* "USB Audio: - (hw:1,0)", "ALSA" */
    int inputs, outputs;        /* channels */
    double rate_hz;             /* its own */
    bool default_input, default_output;
} sound_device;

/* All devices; *out is allocated (memory_free). MOSHI_LACKING when there is
 * no sound system, MOSHI_OK with *n = 0 when it has no device. */
moshi_status sound_card_list(sound_device **out, size_t *n, moshi_error *err);

typedef struct sound_card sound_card;

typedef struct sound_card_params {
    const char *input, *output; /* number, or a part of the name; NULL: the
                                   system's default */
    bool no_input, no_output;   /* do without */
    int rate_hz;                /* wished; a device that cannot runs at its
                                   own rate */
} sound_card_params;

/* MOSHI_LACKING: no such device, or it cannot be opened. */
moshi_status sound_card_open(sound_card **out,
                             const sound_card_params *params,
                             moshi_error *err);
void sound_card_close(sound_card **card);

int sound_card_rate_hz(const sound_card *card);
/* From the air to the program and back, without our own rings, seconds. */
double sound_card_latency(const sound_card *card);

/* False when the system has given it up, as when it was pulled out. */
bool sound_card_alive(const sound_card *card);

/* Up to n recorded samples and, beside them, what was played then. */
size_t sound_card_read(sound_card *card, float *recorded, float *played,
                       size_t n);
size_t sound_card_queued(const sound_card *card); /* samples to be played */
size_t sound_card_write(sound_card *card, const float *samples, size_t n);

typedef struct sound_card_counts {
    uint64_t overruns;  /* times that recorded samples were lost */
    uint64_t underruns; /* times that the queue ran dry while speaking */
} sound_card_counts;

sound_card_counts sound_card_count(const sound_card *card);

#endif
