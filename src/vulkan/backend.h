/* backend.h: the GPU backend: runs plans through Vulkan.
 *
 * A frame is written once as a list of dispatches (run.h), recorded into
 * command buffers and replayed; what changes from frame to frame - inputs,
 * positions, which stream is in which lane - lies in one small buffer that is
 * copied at the start. Nothing goes through the host inside a frame, except to
 * a hook. In a build without Vulkan vulkan_backend_open says so. */
#ifndef MOSHI_VULKAN_BACKEND_H
#define MOSHI_VULKAN_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/backend.h"

/* One device, for reports. */
typedef struct vulkan_device {
    char name[256], type[32], driver[512];
    char lacks[128];         /* why it cannot be used; "" if it can */
    char features[128];      /* "subgroups of 32, dot products, …" */
    int version_major, version_minor;
    uint64_t memory_bytes, free_bytes;
} vulkan_device;

/* *list: owned by the caller (memory_free). Errors: MOSHI_LACKING (this build
 * or machine has no Vulkan, or no device), MOSHI_NO_MEMORY. */
moshi_status vulkan_devices(vulkan_device **list, size_t *n,
                            moshi_error *err);

/* index: of the list; -1: the best. Close with (*out)->close(out), after
 * everything that was opened from it. Errors: MOSHI_LACKING,
 * MOSHI_NO_MEMORY. */
moshi_status vulkan_backend_open(backend **out, int index, moshi_error *err);

/* For reports, on a backend of this kind. The strings live as long as it. */
const char *vulkan_backend_device(const backend *self);
bool vulkan_backend_is(const backend *self);
/* Memory that was free when it was opened, and what a tensor takes of it. */
uint64_t vulkan_backend_free_bytes(const backend *self);
size_t vulkan_tensor_bytes(const plan_tensor *t);
/* Bytes a second, read and written, of a large copy in the device's memory;
 * 0 when there is no room for one. The first call makes that room. */
double vulkan_backend_copy_rate(backend *self);
/* Messages of the validation layers so far, and the first of them (may be
 * NULL); -1 when they do not watch
 * (MOSHI_VULKAN_VALIDATE=1, or =try: if they are installed). */
int vulkan_backend_complaints(const backend *self, const char **first);

#endif
