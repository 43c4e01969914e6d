/* devices.h: instances and physical devices, and what they offer.
 *
 * Internal to src/vulkan; the list for users is vk_list_devices (context.h). */
#ifndef MOSHI_VULKAN_DEVICES_H
#define MOSHI_VULKAN_DEVICES_H

#include "vulkan/context.h"

/* With MOSHI_VULKAN_VALIDATE=1 the validation layers watch every call and
 * count what they complain of in *complaints, which must outlive
 * the instance; "try": if they are installed. *complaints is left alone when
 * they do not watch. Errors: MOSHI_LACKING. */
moshi_status devices_instance(vk_api *api, VkInstance *instance,
                              VkDebugUtilsMessengerEXT *messenger,
                              vk_complaints *complaints, moshi_error *err);
void devices_instance_close(vk_api *api, VkInstance instance,
                            VkDebugUtilsMessengerEXT messenger);

/* *list: owned by the caller. */
moshi_status devices_enumerate(const vk_api *api, VkInstance instance,
                               VkPhysicalDevice **list, uint32_t *n,
                               moshi_error *err);
void devices_describe(const vk_api *api, VkPhysicalDevice physical,
                      vk_device_info *out);
/* The queue family to use: the first that computes; UINT32_MAX: none. */
uint32_t devices_compute_family(const vk_api *api, VkPhysicalDevice physical);

/* The error of a machine without any. */
moshi_status devices_none(moshi_error *err);

#endif
