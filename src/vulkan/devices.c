/* devices.c: ask the driver what there is. */
#include "vulkan/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define VALIDATION "VK_LAYER_KHRONOS_validation"

moshi_status devices_none(moshi_error *err)
{
    error_set(err, MOSHI_LACKING, "Vulkan is here, but no device that it can "
                                  "use");
    return error_hint(err, "install the driver of the GPU, or use --device "
                           "cpu");
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value && strcmp(value, "0") != 0;
}

/* --- instances --- */

static VKAPI_ATTR VkBool32 VKAPI_CALL
complain(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
         VkDebugUtilsMessageTypeFlagsEXT types,
         const VkDebugUtilsMessengerCallbackDataEXT *data, void *user)
{
    (void)severity;
    (void)types;
    vk_complaints *c = user;
    if (c->count++ == 0)
        snprintf(c->first, sizeof c->first, "%s", data->pMessage);
    return VK_FALSE;
}

static bool has_instance_extension(const vk_api *api, const char *layer,
                                   const char *name)
{
    VkExtensionProperties all[128];
    uint32_t n = sizeof all / sizeof *all;
    if (api->EnumerateInstanceExtensionProperties(layer, &n, all) < 0)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(all[i].extensionName, name) == 0)
            return true;
    return false;
}

static bool has_validation(const vk_api *api)
{
    VkLayerProperties all[64];
    uint32_t n = sizeof all / sizeof *all;
    if (api->EnumerateInstanceLayerProperties(&n, all) < 0)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(all[i].layerName, VALIDATION) == 0)
            return true;
    return false;
}

moshi_status devices_instance(vk_api *api, VkInstance *instance,
                              VkDebugUtilsMessengerEXT *messenger,
                              vk_complaints *complaints, moshi_error *err)
{
    static const char *const layers[] = {VALIDATION};
    const char *extensions[4];
    uint32_t n = 0, version = VK_API_VERSION_1_1;
    const char *wish = getenv("MOSHI_VULKAN_VALIDATE");
    bool validate = is_set("MOSHI_VULKAN_VALIDATE");
    api->EnumerateInstanceVersion(&version);
    VkApplicationInfo app = {
        .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
        .pApplicationName = "moshi",
        .apiVersion = version < VK_API_VERSION_1_3 ? version
                                                   : VK_API_VERSION_1_3};
    VkDebugUtilsMessengerCreateInfoEXT listener = {
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
        .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                           VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
        .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
                       VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
        .pfnUserCallback = complain,
        .pUserData = complaints};
    VkInstanceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pApplicationInfo = &app,
        .ppEnabledExtensionNames = extensions};
    /* Else MoltenVK's devices are not listed. */
    if (has_instance_extension(api, NULL,
                               "VK_KHR_portability_enumeration")) {
        extensions[n++] = "VK_KHR_portability_enumeration";
        info.flags = 1; /* VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR */
    }
    if (validate) {
        if (!has_validation(api) && strcmp(wish, "try") == 0)
            validate = false;
        else if (!has_validation(api))
            return error_set(err, MOSHI_LACKING, "the Vulkan validation "
                             "layers are asked for but not installed");
    }
    if (validate) {
        complaints->count = 0;
        extensions[n++] = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
        info.enabledLayerCount = 1;
        info.ppEnabledLayerNames = layers;
        info.pNext = &listener;
    }
    info.enabledExtensionCount = n;
    VkResult r = api->CreateInstance(&info, NULL, instance);
    if (r == VK_ERROR_INCOMPATIBLE_DRIVER)
        return devices_none(err);
    if (r != VK_SUCCESS) {
        error_set(err, MOSHI_LACKING, "Vulkan does not start (%s)",
                  vk_result_name(r));
        return error_hint(err, "use --device cpu");
    }
    if (!vk_api_load_instance(api, *instance))
        return error_set(err, MOSHI_LACKING, "the Vulkan loader lacks "
                         "functions of version 1.1");
    if (validate && api->CreateDebugUtilsMessengerEXT)
        api->CreateDebugUtilsMessengerEXT(*instance, &listener, NULL,
                                          messenger);
    return MOSHI_OK;
}

void devices_instance_close(vk_api *api, VkInstance instance,
                            VkDebugUtilsMessengerEXT messenger)
{
    if (instance && messenger && api->DestroyDebugUtilsMessengerEXT)
        api->DestroyDebugUtilsMessengerEXT(instance, messenger, NULL);
    if (instance && api->DestroyInstance)
        api->DestroyInstance(instance, NULL);
}

/* --- devices --- */

moshi_status devices_enumerate(const vk_api *api, VkInstance instance,
                               VkPhysicalDevice **list, uint32_t *n,
                               moshi_error *err)
{
    VkResult r = api->EnumeratePhysicalDevices(instance, n, NULL);
    if (r != VK_SUCCESS || *n == 0)
        return devices_none(err);
    *list = memory_calloc(*n, sizeof **list);
    if (!*list)
        return error_no_memory(err, "the list of GPUs");
    r = api->EnumeratePhysicalDevices(instance, n, *list);
    return r < 0 || *n == 0 ? devices_none(err) : MOSHI_OK;
}

uint32_t devices_compute_family(const vk_api *api, VkPhysicalDevice physical)
{
    VkQueueFamilyProperties all[32];
    uint32_t n = sizeof all / sizeof *all;
    api->GetPhysicalDeviceQueueFamilyProperties(physical, &n, all);
    for (uint32_t i = 0; i < n; i++)
        if (all[i].queueFlags & VK_QUEUE_COMPUTE_BIT)
            return i;
    return UINT32_MAX;
}

typedef struct extension_set {
    VkExtensionProperties all[512];
    uint32_t n;
} extension_set;

static bool has(const extension_set *e, const char *name)
{
    for (uint32_t i = 0; i < e->n; i++)
        if (strcmp(e->all[i].extensionName, name) == 0)
            return true;
    return false;
}

/* "subgroups,dot": is `name` one of the words of MOSHI_VULKAN_LACKS? */
static bool taken_away(const char *name)
{
    const char *list = getenv("MOSHI_VULKAN_LACKS");
    size_t length = strlen(name);
    for (const char *at = list; at && *at;) {
        size_t word = strcspn(at, ",");
        if (word == length && strncmp(at, name, length) == 0)
            return true;
        at += word;
        at += *at == ',';
    }
    return false;
}

static void describe_memory(const vk_api *api, VkPhysicalDevice physical,
                            bool budget, vk_device_info *out)
{
    VkPhysicalDeviceMemoryBudgetPropertiesEXT left = {
        .sType =
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
    VkPhysicalDeviceMemoryProperties2 p = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
        .pNext = budget ? &left : NULL};
    api->GetPhysicalDeviceMemoryProperties2(physical, &p);
    for (uint32_t i = 0; i < p.memoryProperties.memoryHeapCount; i++) {
        const VkMemoryHeap *h = &p.memoryProperties.memoryHeaps[i];
        if (!(h->flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) ||
            h->size <= out->memory_bytes)
            continue;
        out->memory_bytes = h->size;
        out->free_bytes = h->size;
        if (budget && left.heapBudget[i] > 0)
            out->free_bytes = left.heapBudget[i] > left.heapUsage[i]
                                  ? left.heapBudget[i] - left.heapUsage[i]
                                  : 0;
    }
}

static void describe_features(const vk_api *api, VkPhysicalDevice physical,
                              const extension_set *e, vk_device_info *out)
{
    bool core = out->api_version >= VK_API_VERSION_1_3;
    bool size_control =
        core || has(e, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
    bool dot_there =
        core || has(e, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME);
    bool has8 = core || has(e, VK_KHR_8BIT_STORAGE_EXTENSION_NAME);
    VkPhysicalDeviceSubgroupSizeControlFeatures control = {
        .sType =
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES};
    VkPhysicalDeviceShaderIntegerDotProductFeatures dot = {
        .sType =
       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES};
    VkPhysicalDevice8BitStorageFeatures s8 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES};
    VkPhysicalDevice16BitStorageFeatures s16 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES};
    VkPhysicalDeviceFeatures2 f = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &s16};
    void **tail = &s16.pNext;
    if (size_control) {
        *tail = &control;
        tail = &control.pNext;
    }
    if (dot_there) {
        *tail = &dot;
        tail = &dot.pNext;
    }
    if (has8)
        *tail = &s8;
    api->GetPhysicalDeviceFeatures2(physical, &f);

    VkPhysicalDeviceSubgroupProperties group = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
    VkPhysicalDeviceShaderIntegerDotProductProperties fast = {
        .sType =
     VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES};
    VkPhysicalDeviceProperties2 p = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
        .pNext = &group};
    if (dot_there)
        group.pNext = &fast;
    api->GetPhysicalDeviceProperties2(physical, &p);
    const VkSubgroupFeatureFlags wanted = VK_SUBGROUP_FEATURE_BASIC_BIT |
                                          VK_SUBGROUP_FEATURE_ARITHMETIC_BIT;
    vk_features *o = &out->features;
    o->subgroup_size = group.subgroupSize;
    o->subgroups = control.computeFullSubgroups &&
                   (group.supportedOperations & wanted) == wanted &&
                   (group.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) &&
                   group.subgroupSize >= 8 && group.subgroupSize <= 128 &&
                   !taken_away("subgroups");
    /* A software device computes them one by one: slower, but right. */
    o->dot = dot.shaderIntegerDotProduct &&
             (fast.integerDotProduct4x8BitPackedSignedAccelerated ||
              out->type == VK_PHYSICAL_DEVICE_TYPE_CPU) &&
             !out->portability && !taken_away("dot");
    o->storage16 = s16.storageBuffer16BitAccess && !taken_away("storage16");
    o->storage8 = s8.storageBuffer8BitAccess && !taken_away("storage8");
}

void devices_describe(const vk_api *api, VkPhysicalDevice physical,
                      vk_device_info *out)
{
    VkPhysicalDeviceDriverProperties driver = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
    VkPhysicalDeviceProperties2 p = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
    extension_set *e = memory_calloc(1, sizeof *e);
    *out = (vk_device_info){0};
    if (e) {
        e->n = sizeof e->all / sizeof *e->all;
        if (api->EnumerateDeviceExtensionProperties(physical, NULL, &e->n,
                                                    e->all) < 0)
            e->n = 0;
    }
    api->GetPhysicalDeviceProperties2(physical, &p);
    const VkPhysicalDeviceProperties *q = &p.properties;
    out->api_version = q->apiVersion;
    if (e && (q->apiVersion >= VK_API_VERSION_1_2 ||
              has(e, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME))) {
        p.pNext = &driver;
        api->GetPhysicalDeviceProperties2(physical, &p);
        snprintf(out->driver, sizeof out->driver, "%s%s%s", driver.driverName,
                 driver.driverInfo[0] ? " " : "", driver.driverInfo);
    }
    memcpy(out->name, q->deviceName, sizeof out->name);
    memcpy(out->uuid, q->pipelineCacheUUID, sizeof out->uuid);
    out->type = q->deviceType;
    out->vendor = q->vendorID;
    out->device = q->deviceID;
    out->driver_version = q->driverVersion;
    out->buffer_bytes_max = q->limits.maxStorageBufferRange;
    if (e) {
        out->portability = has(e, "VK_KHR_portability_subset");
        out->features.memory_budget =
            has(e, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
    }
    describe_memory(api, physical, out->features.memory_budget, out);
    if (q->apiVersion < VK_API_VERSION_1_1)
        snprintf(out->lacks, sizeof out->lacks, "Vulkan 1.1 (it has %u.%u)",
                 VK_API_VERSION_MAJOR(q->apiVersion),
                 VK_API_VERSION_MINOR(q->apiVersion));
    else if (devices_compute_family(api, physical) == UINT32_MAX)
        snprintf(out->lacks, sizeof out->lacks, "a queue that computes");
    else if (taken_away("everything"))
        snprintf(out->lacks, sizeof out->lacks, "everything, as asked for");
    else if (e)
        describe_features(api, physical, e, out);
    memory_free(e);
}

moshi_status vk_list_devices(vk_device_info **list, size_t *n,
                             moshi_error *err)
{
    moshi_error ignored; /* a hint needs one (error.h) */
    err = err ? err : &ignored;
    vk_api api;
    VkInstance instance = VK_NULL_HANDLE;
    VkDebugUtilsMessengerEXT messenger = VK_NULL_HANDLE;
    VkPhysicalDevice *all = NULL;
    uint32_t count = 0;
    vk_complaints complaints = {.count = -1};
    moshi_status status = vk_api_open(&api, err);
    if (status != MOSHI_OK)
        return status;
    status = devices_instance(&api, &instance, &messenger, &complaints, err);
    if (status == MOSHI_OK)
        status = devices_enumerate(&api, instance, &all, &count, err);
    if (status == MOSHI_OK) {
        vk_device_info *out = memory_calloc(count, sizeof *out);
        for (uint32_t i = 0; out && i < count; i++)
            devices_describe(&api, all[i], &out[i]);
        *list = out;
        *n = count;
        if (!out)
            status = error_no_memory(err, "the list of GPUs");
    }
    memory_free(all);
    devices_instance_close(&api, instance, messenger);
    vk_api_close(&api);
    return status;
}

const char *vk_device_type_name(VkPhysicalDeviceType type)
{
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
        return "discrete GPU";
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
        return "integrated GPU";
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
        return "virtual GPU";
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
        return "software";
    default:
        return "other";
    }
}
