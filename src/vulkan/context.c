/* context.c: open and close the device; its failures in words. */
#include "vulkan/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "vulkan/devices.h"

void vk_lock(vk_context *ctx)
{
    pthread_mutex_lock(&ctx->lock);
}

void vk_unlock(vk_context *ctx)
{
    pthread_mutex_unlock(&ctx->lock);
}

bool vk_failed(vk_context *ctx, VkResult result, const char *at)
{
    if (result >= 0)
        return false;
    const char *nothing = NULL;
    if (atomic_compare_exchange_strong(&ctx->failed_at, &nothing, at))
        ctx->failure = result;
    return true;
}

moshi_status vk_failure(const vk_context *ctx, VkResult result,
                        const char *at, moshi_error *err)
{
    moshi_error ignored; /* a hint needs one (error.h) */
    err = err ? err : &ignored;
    switch (result) {
    case VK_ERROR_OUT_OF_HOST_MEMORY:
        return error_no_memory(err, at);
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
        error_set(err, MOSHI_NO_MEMORY, "the GPU '%s' has no memory left, "
                  "while %s", ctx->info.name, at);
        return error_hint(err, "keep layers on the CPU with --gpu-layers, "
                               "or use --device cpu");
    case VK_ERROR_DEVICE_LOST:
    case VK_TIMEOUT:
        error_set(err, MOSHI_LACKING, "the GPU '%s' was lost while %s (%s)",
                  ctx->info.name, at, vk_result_name(result));
        return error_hint(err, "start again; if it is lost again, look at the "
                               "system's log, or use --device cpu");
    default:
        error_set(err, MOSHI_LACKING, "the driver of the GPU '%s' failed "
                  "while %s (%s)", ctx->info.name, at,
                  vk_result_name(result));
        return error_hint(err, "use --device cpu");
    }
}

/* --- the device --- */

static void choose_memory(vk_context *ctx)
{
    VkPhysicalDeviceMemoryProperties2 p = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2};
    ctx->api.GetPhysicalDeviceMemoryProperties2(ctx->physical, &p);
    const VkMemoryPropertyFlags host = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                       VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    uint32_t local = UINT32_MAX, upload = UINT32_MAX, readback = UINT32_MAX;
    for (uint32_t i = 0; i < p.memoryProperties.memoryTypeCount; i++) {
        VkMemoryPropertyFlags f =
            p.memoryProperties.memoryTypes[i].propertyFlags;
        if (local == UINT32_MAX && f & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT)
            local = i;
        if ((f & host) != host)
            continue;
        if (upload == UINT32_MAX)
            upload = i;
        if (readback == UINT32_MAX && f & VK_MEMORY_PROPERTY_HOST_CACHED_BIT)
            readback = i;
    }
    /* The specification promises a type of each of the first two. */
    ctx->memory_device = local == UINT32_MAX ? upload : local;
    ctx->memory_upload = upload;
    ctx->memory_readback = readback == UINT32_MAX ? upload : readback;
}

static moshi_status make_device(vk_context *ctx, moshi_error *err)
{
    const vk_features *f = &ctx->info.features;
    float priority = 1;
    const char *extensions[8];
    uint32_t n = 0;
    VkDeviceQueueCreateInfo queue = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
        .queueFamilyIndex = ctx->family,
        .queueCount = 1,
        .pQueuePriorities = &priority};
    VkPhysicalDeviceSubgroupSizeControlFeatures subgroups = {
        .sType =
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,
        .computeFullSubgroups = VK_TRUE};
    VkPhysicalDeviceShaderIntegerDotProductFeatures dot = {
        .sType =
       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES,
        .shaderIntegerDotProduct = VK_TRUE};
    VkPhysicalDevice16BitStorageFeatures storage16 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES,
        .storageBuffer16BitAccess = VK_TRUE};
    VkPhysicalDevice8BitStorageFeatures storage8 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES,
        .storageBuffer8BitAccess = VK_TRUE};
    VkDeviceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
        .queueCreateInfoCount = 1,
        .pQueueCreateInfos = &queue,
        .ppEnabledExtensionNames = extensions};
    bool core = ctx->info.api_version >= VK_API_VERSION_1_3;
    if (f->subgroups) {
        subgroups.pNext = (void *)(uintptr_t)info.pNext;
        info.pNext = &subgroups;
        if (!core)
            extensions[n++] = VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME;
    }
    if (f->dot) {
        dot.pNext = (void *)(uintptr_t)info.pNext;
        info.pNext = &dot;
        if (!core)
            extensions[n++] =
                VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME;
    }
    if (f->storage16) { /* in Vulkan 1.1 as it is */
        storage16.pNext = (void *)(uintptr_t)info.pNext;
        info.pNext = &storage16;
    }
    if (f->storage8) {
        storage8.pNext = (void *)(uintptr_t)info.pNext;
        info.pNext = &storage8;
        if (!core)
            extensions[n++] = VK_KHR_8BIT_STORAGE_EXTENSION_NAME;
    }
    if (ctx->info.portability) /* must be asked for where it is offered */
        extensions[n++] = "VK_KHR_portability_subset";
    info.enabledExtensionCount = n;
    VkResult r = ctx->api.CreateDevice(ctx->physical, &info, NULL,
                                       &ctx->device);
    if (r != VK_SUCCESS)
        return vk_failure(ctx, r, "opening it", err);
    if (!vk_api_load_device(&ctx->api, ctx->device))
        return error_set(err, MOSHI_LACKING, "the driver of the GPU '%s' lacks "
                         "functions of Vulkan 1.1", ctx->info.name);
    ctx->api.GetDeviceQueue(ctx->device, ctx->family, 0, &ctx->queue);
    return MOSHI_OK;
}

static int rank(VkPhysicalDeviceType type)
{
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
        return 4;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
        return 3;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
        return 2;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
        return 0;
    default:
        return 1;
    }
}

static moshi_status choose(vk_context *ctx, const VkPhysicalDevice *all,
                           uint32_t n, int index, moshi_error *err)
{
    if (n == 0)
        return devices_none(err);
    if (index >= (int)n) {
        error_set(err, MOSHI_LACKING, "there is no device vulkan:%d; there "
                  "%s %u", index, n == 1 ? "is" : "are", n);
        return error_hint(err, "moshi devices lists them");
    }
    int best = -1;
    vk_device_info info;
    for (uint32_t i = 0; i < n && index < 0; i++) {
        devices_describe(&ctx->api, all[i], &info);
        if (!info.lacks[0] && rank(info.type) > best) {
            best = rank(info.type);
            ctx->physical = all[i];
        }
    }
    if (index >= 0 || best < 0)
        ctx->physical = all[index < 0 ? 0 : index];
    devices_describe(&ctx->api, ctx->physical, &ctx->info);
    if (!ctx->info.lacks[0])
        return MOSHI_OK;
    error_set(err, MOSHI_LACKING, "the GPU '%s' lacks %s", ctx->info.name,
              ctx->info.lacks);
    return error_hint(err, "choose another (moshi devices lists them), or use "
                           "--device cpu");
}

static void read_limits(vk_context *ctx)
{
    VkPhysicalDeviceProperties2 p = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
    ctx->api.GetPhysicalDeviceProperties2(ctx->physical, &p);
    ctx->bind_alignment =
        p.properties.limits.minStorageBufferOffsetAlignment;
    ctx->family = devices_compute_family(&ctx->api, ctx->physical);
}

moshi_status vk_context_open(vk_context **out, int index, moshi_error *err)
{
    moshi_error ignored; /* a hint needs one (error.h) */
    err = err ? err : &ignored;
    vk_context *ctx = memory_calloc(1, sizeof *ctx);
    VkPhysicalDevice *all = NULL;
    uint32_t n = 0;
    if (!ctx)
        return error_no_memory(err, "the GPU");
    ctx->complaints.count = -1;
    ctx->has_lock = pthread_mutex_init(&ctx->lock, NULL) == 0;
    moshi_status status = ctx->has_lock ? vk_api_open(&ctx->api, err)
                                        : error_no_memory(err, "the GPU");
    if (status == MOSHI_OK)
        status = devices_instance(&ctx->api, &ctx->instance, &ctx->messenger,
                                  &ctx->complaints, err);
    if (status == MOSHI_OK)
        status = devices_enumerate(&ctx->api, ctx->instance, &all, &n, err);
    if (status == MOSHI_OK)
        status = choose(ctx, all, n, index, err);
    if (status == MOSHI_OK) {
        read_limits(ctx);
        choose_memory(ctx);
        status = make_device(ctx, err);
    }
    memory_free(all);
    if (status != MOSHI_OK) {
        vk_context_close(&ctx);
        return status;
    }
    *out = ctx;
    return MOSHI_OK;
}

void vk_context_close(vk_context **handle)
{
    vk_context *ctx = *handle;
    if (!ctx)
        return;
    if (ctx->device && ctx->api.DestroyDevice)
        ctx->api.DestroyDevice(ctx->device, NULL);
    devices_instance_close(&ctx->api, ctx->instance, ctx->messenger);
    vk_api_close(&ctx->api);
    if (ctx->has_lock)
        pthread_mutex_destroy(&ctx->lock);
    memory_free(ctx);
    *handle = NULL;
}
