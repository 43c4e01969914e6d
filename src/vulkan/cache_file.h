/* cache_file.h: what a driver compiled, kept on disk between runs.
 *
 * $MOSHI_CACHE, else $XDG_CACHE_HOME/moshi, else ~/.cache/moshi: one file a
 * device and driver. It is a convenience: without it, or with a damaged one,
 * the driver compiles again. */
#ifndef MOSHI_VULKAN_CACHE_FILE_H
#define MOSHI_VULKAN_CACHE_FILE_H

#include "vulkan/context.h"

/* NULL: nothing usable. Owned by the caller (memory_free). */
void *vk_cache_read(const vk_device_info *info, size_t *bytes);
void vk_cache_write(const vk_device_info *info, const void *data,
                    size_t bytes);

#endif
