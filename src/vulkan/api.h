/* api.h: the functions of Vulkan that are used, loaded at run time.
 *
 * The program links no Vulkan: the loader library is opened when a device is
 * asked for, so that the same binary runs where there is none. Every call goes
 * through one table, which also lets a test put in a driver that fails. */
#ifndef MOSHI_VULKAN_API_H
#define MOSHI_VULKAN_API_H

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

#include <stdbool.h>

#include <moshi/error.h>

/* Before there is an instance; of an instance; of a device. */
#define VK_API_GLOBAL(X) \
    X(EnumerateInstanceVersion) X(EnumerateInstanceExtensionProperties) \
    X(EnumerateInstanceLayerProperties) X(CreateInstance)
#define VK_API_INSTANCE(X) \
    X(DestroyInstance) X(EnumeratePhysicalDevices) \
    X(GetPhysicalDeviceProperties2) X(GetPhysicalDeviceFeatures2) \
    X(GetPhysicalDeviceMemoryProperties2) \
    X(GetPhysicalDeviceQueueFamilyProperties) \
    X(EnumerateDeviceExtensionProperties) X(CreateDevice) \
    X(GetDeviceProcAddr)
#define VK_API_DEVICE(X) \
    X(DestroyDevice) X(GetDeviceQueue) X(QueueSubmit) X(DeviceWaitIdle) \
    X(AllocateMemory) X(FreeMemory) X(MapMemory) \
    X(CreateBuffer) X(DestroyBuffer) X(GetBufferMemoryRequirements) \
    X(BindBufferMemory) \
    X(CreateFence) X(DestroyFence) X(WaitForFences) X(ResetFences) \
    X(CreateCommandPool) X(DestroyCommandPool) X(AllocateCommandBuffers) \
    X(FreeCommandBuffers) X(BeginCommandBuffer) X(EndCommandBuffer) \
    X(CmdBindPipeline) X(CmdBindDescriptorSets) X(CmdPushConstants) \
    X(CmdDispatch) X(CmdPipelineBarrier) X(CmdCopyBuffer) X(CmdFillBuffer) \
    X(CreateDescriptorSetLayout) X(DestroyDescriptorSetLayout) \
    X(CreatePipelineLayout) X(DestroyPipelineLayout) \
    X(CreateDescriptorPool) X(DestroyDescriptorPool) \
    X(AllocateDescriptorSets) X(UpdateDescriptorSets) \
    X(CreateShaderModule) X(DestroyShaderModule) \
    X(CreateComputePipelines) X(DestroyPipeline) \
    X(CreatePipelineCache) X(DestroyPipelineCache) X(GetPipelineCacheData)

typedef struct vk_api {
    void *library; /* owned: of dlopen */
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
#define VK_API_MEMBER(name) PFN_vk##name name;
    VK_API_GLOBAL(VK_API_MEMBER)
    VK_API_INSTANCE(VK_API_MEMBER)
    VK_API_DEVICE(VK_API_MEMBER)
#undef VK_API_MEMBER
    /* Only there with validation; else NULL. */
    PFN_vkCreateDebugUtilsMessengerEXT CreateDebugUtilsMessengerEXT;
    PFN_vkDestroyDebugUtilsMessengerEXT DestroyDebugUtilsMessengerEXT;
} vk_api;

/* Open the loader, libvulkan.so.1 or what MOSHI_VULKAN_LIBRARY names, and its
 * global functions. Errors: MOSHI_LACKING. */
moshi_status vk_api_open(vk_api *api, moshi_error *err);
/* False when the driver lacks one, which none should. */
bool vk_api_load_instance(vk_api *api, VkInstance instance);
bool vk_api_load_device(vk_api *api, VkDevice device);
void vk_api_close(vk_api *api);

/* "VK_ERROR_DEVICE_LOST"; static. */
const char *vk_result_name(VkResult result);

#endif
