/* sample_ring.c: two counters that only grow; the room is a power of two. */
#include "audio/sample_ring.h"

#include <string.h>

#include "base/memory.h"

bool sample_ring_init(sample_ring *r, size_t n)
{
    r->room = 1;
    while (r->room < n)
        r->room *= 2;
    r->samples = memory_calloc(r->room, sizeof *r->samples);
    atomic_init(&r->written, 0);
    atomic_init(&r->read, 0);
    return r->samples != NULL;
}

void sample_ring_release(sample_ring *r)
{
    memory_free(r->samples);
    r->samples = NULL;
}

size_t sample_ring_count(const sample_ring *r)
{
    size_t read = atomic_load_explicit(&r->read, memory_order_acquire);
    return atomic_load_explicit(&r->written, memory_order_acquire) - read;
}

/* Samples from position `at` on that lie side by side, n at most. */
static size_t straight(const sample_ring *r, size_t at, size_t n)
{
    size_t left = r->room - (at & (r->room - 1));
    return left < n ? left : n;
}

size_t sample_ring_write(sample_ring *r, const float *samples, size_t n)
{
    size_t at = atomic_load_explicit(&r->written, memory_order_relaxed);
    size_t free = r->room - sample_ring_count(r);
    n = n < free ? n : free;
    for (size_t done = 0; done < n;) {
        size_t part = straight(r, at + done, n - done);
        float *to = r->samples + ((at + done) & (r->room - 1));
        if (samples)
            memcpy(to, samples + done, part * sizeof *to);
        else
            memset(to, 0, part * sizeof *to);
        done += part;
    }
    atomic_store_explicit(&r->written, at + n, memory_order_release);
    return n;
}

size_t sample_ring_read(sample_ring *r, float *samples, size_t n)
{
    size_t at = atomic_load_explicit(&r->read, memory_order_relaxed);
    size_t count = sample_ring_count(r);
    n = n < count ? n : count;
    for (size_t done = 0; samples && done < n;) {
        size_t part = straight(r, at + done, n - done);
        memcpy(samples + done, r->samples + ((at + done) & (r->room - 1)),
               part * sizeof *samples);
        done += part;
    }
    atomic_store_explicit(&r->read, at + n, memory_order_release);
    return n;
}
