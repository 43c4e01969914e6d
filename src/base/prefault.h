/* prefault.h: bring mapped files into memory in the background.
 *
 * Opening a model maps its file and reads a header; without more, the first
 * frame would wait for every page of weights, from the disk or from the
 * system's cache. A thread of its own walks through the maps meanwhile. It
 * changes nothing that can be seen but time, and stops at once when told to. */
#ifndef MOSHI_BASE_PREFAULT_H
#define MOSHI_BASE_PREFAULT_H

#include <stdbool.h>
#include <stddef.h>

#include <moshi/error.h>

typedef struct prefault prefault;

/* A part of a map, read-only; or, with `make`, work that writes `bytes` bytes
 * somewhere: make(data) is called instead. */
typedef struct prefault_part {
    const void *data;
    size_t bytes;
    void (*make)(const void *data);
} prefault_part;

/* Called once by prefault_open with done == 0, then from the thread: bytes that
 * were walked over, of all; the last call has done == total, unless it was
 * stopped. */
typedef void prefault_progress(void *user, size_t done, size_t total);

/* parts are copied; what they point to must stay mapped until prefault_close.
 * progress may be NULL. Wait and close belong to one thread.
 * Errors: MOSHI_NO_MEMORY, MOSHI_LACKING (no thread can be had). */
moshi_status prefault_open(prefault **out, const prefault_part *parts,
                           size_t n_parts, prefault_progress *progress,
                           void *user, moshi_error *err);

/* Wait until everything was walked over; NULL is fine. */
void prefault_wait(prefault *p);

/* Stop where it is. NULL is fine. */
void prefault_close(prefault **p);

#endif
