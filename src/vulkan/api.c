/* api.c: open the Vulkan loader and look its functions up. */
#include "vulkan/api.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const char *const libraries[] = {
#ifdef __APPLE__
    "libvulkan.1.dylib", "libMoltenVK.dylib",
#else
    "libvulkan.so.1", "libvulkan.so",
#endif
};

/* An object pointer as a function pointer: POSIX promises that this works. */
static void (*symbol_of(void *library, const char *name))(void)
{
    void (*function)(void) = NULL;
    void *object = dlsym(library, name);
    memcpy(&function, &object, sizeof function);
    return function;
}

moshi_status vk_api_open(vk_api *api, moshi_error *err)
{
    const char *named = getenv("MOSHI_VULKAN_LIBRARY");
    *api = (vk_api){0};
    if (named && *named)
        api->library = dlopen(named, RTLD_NOW | RTLD_LOCAL);
    else
        for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
            if (!api->library)
                api->library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
    if (!api->library) {
        error_set(err, MOSHI_LACKING, "there is no Vulkan here: %s cannot be "
                  "opened", named && *named ? named : libraries[0]);
        return error_hint(err, "install the driver of the GPU and the Vulkan "
                               "loader (Debian: libvulkan1), or use --device "
                               "cpu");
    }
    api->GetInstanceProcAddr = (PFN_vkGetInstanceProcAddr)
        symbol_of(api->library, "vkGetInstanceProcAddr");
    bool ok = api->GetInstanceProcAddr != NULL;
#define LOAD(name)                                                    \
    if (ok)                                                           \
        ok = (api->name = (PFN_vk##name)api->GetInstanceProcAddr(     \
                  NULL, "vk" #name)) != NULL;
    VK_API_GLOBAL(LOAD)
#undef LOAD
    if (ok)
        return MOSHI_OK;
    vk_api_close(api);
    error_set(err, MOSHI_LACKING, "the Vulkan loader is older than version "
                                  "1.1");
    return error_hint(err, "install a newer one, or use --device cpu");
}

bool vk_api_load_instance(vk_api *api, VkInstance instance)
{
    bool ok = true;
#define LOAD(name)                                                    \
    ok = (api->name = (PFN_vk##name)api->GetInstanceProcAddr(         \
              instance, "vk" #name)) != NULL && ok;
    VK_API_INSTANCE(LOAD)
#undef LOAD
    api->CreateDebugUtilsMessengerEXT = (PFN_vkCreateDebugUtilsMessengerEXT)
        api->GetInstanceProcAddr(instance, "vkCreateDebugUtilsMessengerEXT");
    api->DestroyDebugUtilsMessengerEXT = (PFN_vkDestroyDebugUtilsMessengerEXT)
        api->GetInstanceProcAddr(instance, "vkDestroyDebugUtilsMessengerEXT");
    return ok;
}

bool vk_api_load_device(vk_api *api, VkDevice device)
{
    bool ok = true;
#define LOAD(name)                                                    \
    ok = (api->name = (PFN_vk##name)api->GetDeviceProcAddr(           \
              device, "vk" #name)) != NULL && ok;
    VK_API_DEVICE(LOAD)
#undef LOAD
    return ok;
}

void vk_api_close(vk_api *api)
{
    if (api->library)
        dlclose(api->library);
    api->library = NULL;
}

const char *vk_result_name(VkResult result)
{
#define NAME(value) \
    case value:     \
        return #value;
    switch (result) {
    NAME(VK_SUCCESS)
    NAME(VK_NOT_READY)
    NAME(VK_TIMEOUT)
    NAME(VK_ERROR_OUT_OF_HOST_MEMORY)
    NAME(VK_ERROR_OUT_OF_DEVICE_MEMORY)
    NAME(VK_ERROR_INITIALIZATION_FAILED)
    NAME(VK_ERROR_DEVICE_LOST)
    NAME(VK_ERROR_MEMORY_MAP_FAILED)
    NAME(VK_ERROR_LAYER_NOT_PRESENT)
    NAME(VK_ERROR_EXTENSION_NOT_PRESENT)
    NAME(VK_ERROR_FEATURE_NOT_PRESENT)
    NAME(VK_ERROR_INCOMPATIBLE_DRIVER)
    NAME(VK_ERROR_TOO_MANY_OBJECTS)
    NAME(VK_ERROR_FRAGMENTED_POOL)
    NAME(VK_ERROR_OUT_OF_POOL_MEMORY)
    default:
        return "an unknown Vulkan error";
    }
#undef NAME
}
