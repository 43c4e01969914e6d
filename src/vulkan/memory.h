/* memory.h: buffers on the device, and the way in and out of them. */
#ifndef MOSHI_VULKAN_MEMORY_H
#define MOSHI_VULKAN_MEMORY_H

#include "vulkan/context.h"

typedef enum vk_memory {
    VK_MEMORY_DEVICE,  /* the GPU's own */
    VK_MEMORY_UPLOAD,  /* the host writes, the GPU reads */
    VK_MEMORY_READBACK /* the GPU writes, the host reads */
} vk_memory;

typedef struct vk_buffer {
    VkBuffer buffer;
    VkDeviceMemory memory;
    VkDeviceSize bytes;
    void *mapped; /* of the host's kinds */
} vk_buffer;

/* what: for the message ("the weights"). Errors: MOSHI_NO_MEMORY,
 * MOSHI_LACKING. */
moshi_status vk_buffer_open(vk_context *ctx, vk_buffer *out, vk_memory kind,
                            VkDeviceSize bytes, const char *what,
                            moshi_error *err);
void vk_buffer_close(vk_context *ctx, vk_buffer *b);

/* Commands for now: recorded, run and waited for. */
typedef struct vk_transfer {
    VkCommandPool pool;
    VkCommandBuffer commands;
    VkFence fence;
    vk_buffer upload, readback; /* owned: VK_TRANSFER_BYTES each */
} vk_transfer;
#define VK_TRANSFER_BYTES ((size_t)8 << 20)

moshi_status vk_transfer_open(vk_context *ctx, vk_transfer *t,
                              moshi_error *err);
void vk_transfer_close(vk_context *ctx, vk_transfer *t);

/* The caller holds the context's lock in the four below. After a failure of
 * the device they do nothing (and reads give zeros). */
void vk_write(vk_context *ctx, vk_transfer *t, const vk_buffer *to,
              VkDeviceSize at, const void *data, size_t bytes);
void vk_read(vk_context *ctx, vk_transfer *t, const vk_buffer *from,
             VkDeviceSize at, void *data, size_t bytes);
/* at and bytes: multiples of 4. */
void vk_zero(vk_context *ctx, vk_transfer *t, const vk_buffer *to,
             VkDeviceSize at, VkDeviceSize bytes);
void vk_copy(vk_context *ctx, vk_transfer *t, const vk_buffer *from,
             VkDeviceSize from_at, const vk_buffer *to, VkDeviceSize to_at,
             VkDeviceSize bytes);

/* Begin to record; then submit, and wait until it is done. */
bool vk_begin(vk_context *ctx, VkCommandBuffer commands, bool once);
void vk_submit_and_wait(vk_context *ctx, VkCommandBuffer commands,
                        VkFence fence, const char *what);
/* Submit under the lock, wait without it. */
bool vk_submit(vk_context *ctx, VkCommandBuffer commands, VkFence fence,
               const char *what);
bool vk_wait(vk_context *ctx, VkFence fence, const char *what);

#endif
