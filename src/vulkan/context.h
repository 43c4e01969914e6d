/* context.h: one GPU in use: instance, device, queue, what it can do.
 *
 * A context is opened by a backend and shared by all its runners and streams.
 * Once the device is lost, or a call fails inside a frame, the context has
 * failed for good: nothing more is sent to the device, and every status
 * function answers why.
 *
 * Thread-safety: vk_lock / vk_unlock guard the queue, the transfers and all
 * lists of the backend; a failure may be noted and asked for without them; the
 * rest never changes after opening. */
#ifndef MOSHI_VULKAN_CONTEXT_H
#define MOSHI_VULKAN_CONTEXT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vulkan/api.h"

/* What a device has and the shaders use when it is there. Each has a fallback
 * that is tested: MOSHI_VULKAN_LACKS=subgroups,dot,storage16,storage8 takes
 * them away. */
typedef struct vk_features {
    bool subgroups;         /* subgroupAdd over full subgroups of 8 to 128 */
    uint32_t subgroup_size;
    bool dot;               /* packed 8-bit dot products, accelerated */
    bool storage16, storage8; /* halves, bytes loaded and stored as such */
    bool memory_budget;
} vk_features;

typedef struct vk_device_info {
    char name[VK_MAX_PHYSICAL_DEVICE_NAME_SIZE];
    char driver[VK_MAX_DRIVER_NAME_SIZE + VK_MAX_DRIVER_INFO_SIZE + 2];
    VkPhysicalDeviceType type;
    uint32_t api_version, vendor, device, driver_version;
    uint8_t uuid[VK_UUID_SIZE]; /* of its pipeline cache */
    uint64_t memory_bytes;      /* its own; of the host for one without */
    uint64_t free_bytes;        /* as the driver says; else all of them */
    uint64_t buffer_bytes_max;  /* that a shader can see at once */
    vk_features features;
    bool portability;           /* MoltenVK and the like */
    char lacks[128];            /* what is missing to run models; "" if fit */
} vk_device_info;

/* Of the validation layers. */
typedef struct vk_complaints {
    int count; /* -1: they do not watch */
    char first[1024];
} vk_complaints;

typedef struct vk_context {
    vk_api api;
    VkInstance instance;
    VkDebugUtilsMessengerEXT messenger;
    VkPhysicalDevice physical;
    VkDevice device;
    VkQueue queue;
    uint32_t family;
    vk_device_info info;
    uint32_t memory_device, memory_upload, memory_readback; /* types */
    VkDeviceSize bind_alignment; /* of a storage buffer's offset */
    pthread_mutex_t lock;
    bool has_lock;
    _Atomic(VkResult) failure; /* VK_SUCCESS while the device is well */
    const char *_Atomic failed_at; /* what was being done; static. Set first */
    vk_complaints complaints;
} vk_context;

/* All devices, in the driver's order, `list` is owned by the caller
 * (memory_free). Errors: MOSHI_LACKING (no Vulkan, no device),
 * MOSHI_NO_MEMORY. */
moshi_status vk_list_devices(vk_device_info **list, size_t *n,
                             moshi_error *err);

/* index: of vk_list_devices; -1 for the best: a discrete GPU before an
 * integrated one before a virtual one before a software device. */
moshi_status vk_context_open(vk_context **out, int index, moshi_error *err);
void vk_context_close(vk_context **ctx);

void vk_lock(vk_context *ctx);
void vk_unlock(vk_context *ctx);

/* Remember the first failure; returns true if `result` is one. `at`: what was
 * being done ("running a frame"), static. */
bool vk_failed(vk_context *ctx, VkResult result, const char *at);
/* The status and the sentence for it: MOSHI_NO_MEMORY or MOSHI_LACKING. */
moshi_status vk_failure(const vk_context *ctx, VkResult result,
                        const char *at, moshi_error *err);

/* "discrete GPU"; static. */
const char *vk_device_type_name(VkPhysicalDeviceType type);

#endif
