/* memory.c: allocate, copy in and out. */
#include "vulkan/memory.h"

#include <string.h>

#include "base/error.h"

/* Longer than any frame, on a software device too; then the device is taken
 * for lost. */
#define WAIT_NS ((uint64_t)120 * 1000000000u)

void vk_buffer_close(vk_context *ctx, vk_buffer *b)
{
    if (b->buffer)
        ctx->api.DestroyBuffer(ctx->device, b->buffer, NULL);
    if (b->memory)
        ctx->api.FreeMemory(ctx->device, b->memory, NULL);
    *b = (vk_buffer){0};
}

static moshi_status no_room(const vk_context *ctx, VkDeviceSize bytes,
                            const char *what, moshi_error *err)
{
    error_set(err, MOSHI_NO_MEMORY, "the GPU '%s' has no room for %s: %.1f MB "
              "more are needed, it has %.1f MB in all", ctx->info.name, what,
              (double)bytes * 1e-6, (double)ctx->info.memory_bytes * 1e-6);
    return error_hint(err, "keep layers on the CPU with --gpu-layers, or use "
                           "--device cpu");
}

moshi_status vk_buffer_open(vk_context *ctx, vk_buffer *out, vk_memory kind,
                            VkDeviceSize bytes, const char *what,
                            moshi_error *err)
{
    moshi_error ignored; /* a hint needs one (error.h) */
    err = err ? err : &ignored;
    VkMemoryRequirements need;
    vk_buffer b = {.bytes = bytes < 256 ? 256 : bytes};
    VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = b.bytes,
        .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                 VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                 VK_BUFFER_USAGE_TRANSFER_DST_BIT,
        .sharingMode = VK_SHARING_MODE_EXCLUSIVE};
    VkResult r = ctx->api.CreateBuffer(ctx->device, &info, NULL, &b.buffer);
    if (r == VK_SUCCESS) {
        ctx->api.GetBufferMemoryRequirements(ctx->device, b.buffer, &need);
        VkMemoryAllocateInfo memory = {
            .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
            .allocationSize = need.size,
            .memoryTypeIndex = kind == VK_MEMORY_DEVICE ? ctx->memory_device
                               : kind == VK_MEMORY_UPLOAD
                                   ? ctx->memory_upload
                                   : ctx->memory_readback};
        r = ctx->api.AllocateMemory(ctx->device, &memory, NULL, &b.memory);
    }
    if (r == VK_SUCCESS)
        r = ctx->api.BindBufferMemory(ctx->device, b.buffer, b.memory, 0);
    if (r == VK_SUCCESS && kind != VK_MEMORY_DEVICE)
        r = ctx->api.MapMemory(ctx->device, b.memory, 0, VK_WHOLE_SIZE, 0,
                               &b.mapped);
    if (r != VK_SUCCESS) {
        vk_buffer_close(ctx, &b);
        return r == VK_ERROR_OUT_OF_DEVICE_MEMORY
                   ? no_room(ctx, bytes, what, err)
                   : vk_failure(ctx, r, what, err);
    }
    *out = b;
    return MOSHI_OK;
}

/* --- commands --- */

bool vk_begin(vk_context *ctx, VkCommandBuffer commands, bool once)
{
    VkCommandBufferBeginInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
        .flags = once ? VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT : 0};
    return ctx->failure == VK_SUCCESS &&
           !vk_failed(ctx, ctx->api.BeginCommandBuffer(commands, &info),
                      "recording commands");
}

bool vk_submit(vk_context *ctx, VkCommandBuffer commands, VkFence fence,
               const char *what)
{
    VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                         .commandBufferCount = 1,
                         .pCommandBuffers = &commands};
    return ctx->failure == VK_SUCCESS &&
           !vk_failed(ctx, ctx->api.ResetFences(ctx->device, 1, &fence),
                      what) &&
           !vk_failed(ctx, ctx->api.QueueSubmit(ctx->queue, 1, &info, fence),
                      what);
}

bool vk_wait(vk_context *ctx, VkFence fence, const char *what)
{
    VkResult r = ctx->api.WaitForFences(ctx->device, 1, &fence, VK_TRUE,
                                        WAIT_NS);
    return !vk_failed(ctx, r == VK_TIMEOUT ? VK_ERROR_DEVICE_LOST : r, what);
}

void vk_submit_and_wait(vk_context *ctx, VkCommandBuffer commands,
                        VkFence fence, const char *what)
{
    if (!vk_failed(ctx, ctx->api.EndCommandBuffer(commands), what) &&
        vk_submit(ctx, commands, fence, what))
        vk_wait(ctx, fence, what);
}

moshi_status vk_transfer_open(vk_context *ctx, vk_transfer *t,
                              moshi_error *err)
{
    *t = (vk_transfer){0};
    VkCommandPoolCreateInfo pool = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
        .queueFamilyIndex = ctx->family};
    VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkResult r = ctx->api.CreateCommandPool(ctx->device, &pool, NULL,
                                            &t->pool);
    VkCommandBufferAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = t->pool,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = 1};
    if (r == VK_SUCCESS)
        r = ctx->api.AllocateCommandBuffers(ctx->device, &info, &t->commands);
    if (r == VK_SUCCESS)
        r = ctx->api.CreateFence(ctx->device, &fence, NULL, &t->fence);
    if (r != VK_SUCCESS)
        return vk_failure(ctx, r, "preparing transfers", err);
    moshi_status status = vk_buffer_open(ctx, &t->upload, VK_MEMORY_UPLOAD,
                                         VK_TRANSFER_BYTES, "transfers", err);
    if (status == MOSHI_OK)
        status = vk_buffer_open(ctx, &t->readback, VK_MEMORY_READBACK,
                                VK_TRANSFER_BYTES, "transfers", err);
    return status;
}

void vk_transfer_close(vk_context *ctx, vk_transfer *t)
{
    vk_buffer_close(ctx, &t->upload);
    vk_buffer_close(ctx, &t->readback);
    if (t->fence)
        ctx->api.DestroyFence(ctx->device, t->fence, NULL);
    if (t->pool)
        ctx->api.DestroyCommandPool(ctx->device, t->pool, NULL);
    *t = (vk_transfer){0};
}

static size_t piece_of(size_t bytes)
{
    return bytes < VK_TRANSFER_BYTES ? bytes : VK_TRANSFER_BYTES;
}

void vk_copy(vk_context *ctx, vk_transfer *t, const vk_buffer *from,
             VkDeviceSize from_at, const vk_buffer *to, VkDeviceSize to_at,
             VkDeviceSize bytes)
{
    VkBufferCopy copy = {from_at, to_at, bytes};
    if (!vk_begin(ctx, t->commands, true))
        return;
    ctx->api.CmdCopyBuffer(t->commands, from->buffer, to->buffer, 1, &copy);
    vk_submit_and_wait(ctx, t->commands, t->fence, "copying data");
}

void vk_write(vk_context *ctx, vk_transfer *t, const vk_buffer *to,
              VkDeviceSize at, const void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        size_t n = piece_of(bytes - done);
        memcpy(t->upload.mapped, (const char *)data + done, n);
        vk_copy(ctx, t, &t->upload, 0, to, at + done, n);
        done += n;
    }
}

void vk_read(vk_context *ctx, vk_transfer *t, const vk_buffer *from,
             VkDeviceSize at, void *data, size_t bytes)
{
    memset(data, 0, bytes);
    for (size_t done = 0; done < bytes && ctx->failure == VK_SUCCESS;) {
        size_t n = piece_of(bytes - done);
        vk_copy(ctx, t, from, at + done, &t->readback, 0, n);
        if (ctx->failure == VK_SUCCESS)
            memcpy((char *)data + done, t->readback.mapped, n);
        done += n;
    }
}

void vk_zero(vk_context *ctx, vk_transfer *t, const vk_buffer *to,
             VkDeviceSize at, VkDeviceSize bytes)
{
    if (bytes == 0 || !vk_begin(ctx, t->commands, true))
        return;
    ctx->api.CmdFillBuffer(t->commands, to->buffer, at, bytes, 0);
    vk_submit_and_wait(ctx, t->commands, t->fence, "clearing memory");
}
