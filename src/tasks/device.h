/* device.h: from the name of a device to the backend that runs there. */
#ifndef MOSHI_TASKS_DEVICE_H
#define MOSHI_TASKS_DEVICE_H

#include <stdbool.h>

#include <moshi/error.h>

#include "base/cpu_flags.h"
#include "plan/backend.h"

/* What was chosen, for reports. */
typedef struct device_note {
    char name[320]; /* "cpu", or "vulkan: NVIDIA H200" */
    char note[512]; /* why `auto` did not take a GPU; "": it did, or was not
                       asked */
} device_note;

/* name: "cpu", "vulkan" (the best GPU), "vulkan:N" (of moshi devices), "auto"
 * (a GPU if there is one, else the CPU), NULL for "cpu". threads and level: of
 * the CPU (cpu/backend.h). note may be NULL. Errors: MOSHI_LACKING (no such
 * device, or no name of one), MOSHI_NO_MEMORY. */
moshi_status device_open(backend **out, const char *name, int threads,
                         cpu_level level, device_note *note,
                         moshi_error *err);

/* How many layers of the temporal transformer run on the GPU; the others stay
 * on the CPU. */
#define DEVICE_LAYERS_AUTO 0  /* as many as fit */
#define DEVICE_LAYERS_NONE -1

/* With the plans that will be run on it (the language model's first): keep on
 * the CPU what the GPU has no room for, or is not wanted there. Says so in
 * note->name. With device "auto" a GPU that cannot even hold the rest is given
 * up for the CPU, and note->note says why. *be is replaced and closed as
 * needed; a backend that is no GPU is left as it is. Errors: MOSHI_LACKING,
 * MOSHI_NO_MEMORY. */
moshi_status device_place(backend **be, const char *name,
                          const plan *const *plans, size_t n, int gpu_layers,
                          int threads, cpu_level level, device_note *note,
                          moshi_error *err);

/* Is it a name that device_open knows? MOSHI_LACKING if not. */
moshi_status device_name_check(const char *name, moshi_error *err);

#endif
