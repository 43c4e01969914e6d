/* fake_loader.c: a Vulkan that goes wrong, in front of the real one.
 *
 * MOSHI_VULKAN_LIBRARY names it; FAKE_VULKAN says what it does:
 *   crash      the process is killed when an instance is made
 *   hide       there is no device
 *   old        devices say that they are of Vulkan 1.0
 *   lost=N     the Nth submission and all after it find the device lost
 *   lost-when=FILE  the device is lost once that file is there
 *   memory=MB  no more than so much can be allocated
 *   full-when=FILE  nothing can be allocated as long as that file is there
 *   heap=MB    the device says that it has no more memory than that
 *   portability  it says that it is only a part of Vulkan, as MoltenVK does
 *   discrete   a software device says that it is a discrete GPU; may be put
 *              in front of one of the others with a '+'
 *
 * FAKE_VULKAN_MODULES names a folder: each shader that the program gives to the
 * driver is left there as a file. */
#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

static PFN_vkGetInstanceProcAddr real_instance;
static PFN_vkGetDeviceProcAddr real_device;
static PFN_vkQueueSubmit real_submit;
static PFN_vkAllocateMemory real_allocate;
static PFN_vkGetPhysicalDeviceProperties2 real_properties;
static PFN_vkGetPhysicalDeviceMemoryProperties2 real_memory;
static PFN_vkEnumerateDeviceExtensionProperties real_extensions;
static PFN_vkCreateDevice real_create;
static PFN_vkCreateShaderModule real_module;
static long submissions;
static VkDeviceSize allocated;

static const char *fault(void)
{
    const char *wish = getenv("FAKE_VULKAN");
    if (wish && strncmp(wish, "discrete+", 9) == 0)
        wish += 9;
    return wish ? wish : "";
}

static long number_of(const char *name)
{
    size_t n = strlen(name);
    return strncmp(fault(), name, n) == 0 ? atol(fault() + n) : -1;
}

/* Is the fault of that name, and is its file there? */
static bool happens(const char *name)
{
    size_t n = strlen(name);
    return strncmp(fault(), name, n) == 0 && access(fault() + n, F_OK) == 0;
}

static bool is_fault(const char *name)
{
    return strncmp(fault(), name, strlen(name)) == 0;
}

static VKAPI_ATTR VkResult VKAPI_CALL crash(const VkInstanceCreateInfo *info,
                                            const VkAllocationCallbacks *a,
                                            VkInstance *out)
{
    (void)info;
    (void)a;
    (void)out;
    raise(SIGSEGV);
    return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL hide(VkInstance instance, uint32_t *n,
                                           VkPhysicalDevice *out)
{
    (void)instance;
    (void)out;
    *n = 0;
    return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL
properties(VkPhysicalDevice device, VkPhysicalDeviceProperties2 *out)
{
    const char *wish = getenv("FAKE_VULKAN");
    real_properties(device, out);
    if (wish && strncmp(wish, "discrete", 8) == 0)
        out->properties.deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
    if (strcmp(fault(), "old") == 0)
        out->properties.apiVersion = VK_API_VERSION_1_0;
}

static VKAPI_ATTR void VKAPI_CALL
memory(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties2 *out)
{
    real_memory(device, out);
    if (number_of("heap=") < 0)
        return;
    out->memoryProperties.memoryHeaps[0].size =
        (VkDeviceSize)number_of("heap=") << 20;
    for (VkBaseOutStructure *s = out->pNext; s; s = s->pNext)
        if (s->sType ==
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT)
            ((VkPhysicalDeviceMemoryBudgetPropertiesEXT *)(void *)s)
                ->heapBudget[0] = 0;
}

static VKAPI_ATTR VkResult VKAPI_CALL submit(VkQueue queue, uint32_t n,
                                             const VkSubmitInfo *info,
                                             VkFence fence)
{
    long last = number_of("lost=");
    if (happens("lost-when=") || (last >= 0 && ++submissions >= last))
        return VK_ERROR_DEVICE_LOST;
    return real_submit(queue, n, info, fence);
}

static VKAPI_ATTR VkResult VKAPI_CALL allocate(VkDevice device,
                                               const VkMemoryAllocateInfo *i,
                                               const VkAllocationCallbacks *a,
                                               VkDeviceMemory *out)
{
    long room = number_of("memory=");
    allocated += i->allocationSize;
    if (happens("full-when=") ||
        (room >= 0 && allocated > (VkDeviceSize)room << 20))
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    return real_allocate(device, i, a, out);
}

/* --- a part of Vulkan --- */

#define PORTABILITY "VK_KHR_portability_subset"

static VKAPI_ATTR VkResult VKAPI_CALL extensions(VkPhysicalDevice device,
                                                 const char *layer,
                                                 uint32_t *n,
                                                 VkExtensionProperties *out)
{
    uint32_t room = *n;
    VkResult r = real_extensions(device, layer, n, out);
    if (r != VK_SUCCESS || (out && *n == room))
        return r;
    if (out) {
        memset(&out[*n], 0, sizeof out[*n]);
        memcpy(out[*n].extensionName, PORTABILITY, sizeof PORTABILITY);
    }
    ++*n;
    return r;
}

/* The real device does not know the extension: it is taken off the list; who
 * does not ask for it gets no device. */
static VKAPI_ATTR VkResult VKAPI_CALL create(VkPhysicalDevice device,
                                             const VkDeviceCreateInfo *info,
                                             const VkAllocationCallbacks *a,
                                             VkDevice *out)
{
    const char *names[64];
    VkDeviceCreateInfo less = *info;
    less.enabledExtensionCount = 0;
    less.ppEnabledExtensionNames = names;
    for (uint32_t i = 0; i < info->enabledExtensionCount && i < 64; i++)
        if (strcmp(info->ppEnabledExtensionNames[i], PORTABILITY) != 0)
            names[less.enabledExtensionCount++] =
                info->ppEnabledExtensionNames[i];
    if (less.enabledExtensionCount == info->enabledExtensionCount)
        return VK_ERROR_EXTENSION_NOT_PRESENT;
    return real_create(device, &less, a, out);
}

static VKAPI_ATTR VkResult VKAPI_CALL
module(VkDevice device, const VkShaderModuleCreateInfo *info,
       const VkAllocationCallbacks *a, VkShaderModule *out)
{
    static int number;
    char path[4096];
    snprintf(path, sizeof path, "%s/%04d.spv", getenv("FAKE_VULKAN_MODULES"),
             number++);
    FILE *f = fopen(path, "wb");
    if (!f)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    bool whole = fwrite(info->pCode, 1, info->codeSize, f) == info->codeSize;
    if (fclose(f) != 0 || !whole)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    return real_module(device, info, a, out);
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
device_function(VkDevice device, const char *name)
{
    PFN_vkVoidFunction f = real_device(device, name);
    if (strcmp(name, "vkQueueSubmit") == 0 && is_fault("lost")) {
        real_submit = (PFN_vkQueueSubmit)f;
        return (PFN_vkVoidFunction)submit;
    }
    if (strcmp(name, "vkAllocateMemory") == 0 &&
        (is_fault("memory") || is_fault("full"))) {
        real_allocate = (PFN_vkAllocateMemory)f;
        return (PFN_vkVoidFunction)allocate;
    }
    if (strcmp(name, "vkCreateShaderModule") == 0 &&
        getenv("FAKE_VULKAN_MODULES")) {
        real_module = (PFN_vkCreateShaderModule)f;
        return (PFN_vkVoidFunction)module;
    }
    return f;
}

__attribute__((visibility("default"))) VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
vkGetInstanceProcAddr(VkInstance instance, const char *name)
{
    if (!real_instance) {
        void *library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
        void *object = library ? dlsym(library, "vkGetInstanceProcAddr")
                               : NULL;
        memcpy(&real_instance, &object, sizeof object);
        if (!real_instance)
            return NULL;
    }
    PFN_vkVoidFunction f = real_instance(instance, name);
    if (strcmp(name, "vkCreateInstance") == 0 &&
        strcmp(fault(), "crash") == 0)
        return (PFN_vkVoidFunction)crash;
    if (strcmp(name, "vkEnumeratePhysicalDevices") == 0 &&
        strcmp(fault(), "hide") == 0)
        return (PFN_vkVoidFunction)hide;
    if (strcmp(name, "vkGetPhysicalDeviceProperties2") == 0) {
        real_properties = (PFN_vkGetPhysicalDeviceProperties2)f;
        return (PFN_vkVoidFunction)properties;
    }
    if (strcmp(name, "vkGetPhysicalDeviceMemoryProperties2") == 0) {
        real_memory = (PFN_vkGetPhysicalDeviceMemoryProperties2)f;
        return (PFN_vkVoidFunction)memory;
    }
    bool part = strcmp(fault(), "portability") == 0;
    if (strcmp(name, "vkEnumerateDeviceExtensionProperties") == 0 && part) {
        real_extensions = (PFN_vkEnumerateDeviceExtensionProperties)f;
        return (PFN_vkVoidFunction)extensions;
    }
    if (strcmp(name, "vkCreateDevice") == 0 && part) {
        real_create = (PFN_vkCreateDevice)f;
        return (PFN_vkVoidFunction)create;
    }
    if (strcmp(name, "vkGetDeviceProcAddr") == 0) {
        real_device = (PFN_vkGetDeviceProcAddr)f;
        return (PFN_vkVoidFunction)device_function;
    }
    return f;
}
