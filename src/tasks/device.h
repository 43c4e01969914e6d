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

/* Is it a name that device_open knows? MOSHI_LACKING if not. */
moshi_status device_name_check(const char *name, moshi_error *err);

#endif
