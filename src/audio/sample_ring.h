/* sample_ring.h: samples from one thread to another, without a lock.
 *
 * One thread writes, one reads; a sound card's callback may be either, since
 * nothing here waits or allocates.
 *
 * Thread-safety: one writer and one reader at a time. */
#ifndef MOSHI_AUDIO_SAMPLE_RING_H
#define MOSHI_AUDIO_SAMPLE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct sample_ring {
    float *samples; /* owned */
    size_t room;    /* a power of two */
    atomic_size_t written, read; /* since the start */
} sample_ring;

/* Room for at least n samples; false without memory. */
bool sample_ring_init(sample_ring *r, size_t n);
void sample_ring_release(sample_ring *r);

/* Samples that wait to be read, seen from either side. */
size_t sample_ring_count(const sample_ring *r);
/* As many of the n as there is room for, or as there are; returns them.
 * A NULL in the place of samples writes silence, or throws away. */
size_t sample_ring_write(sample_ring *r, const float *samples, size_t n);
size_t sample_ring_read(sample_ring *r, float *samples, size_t n);

#endif
