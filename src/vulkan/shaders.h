/* shaders.h: the compute shaders that are part of the program.
 *
 * The table is written at build time (tools/make-shaders.py) from
 * shaders/list.txt. */
#ifndef MOSHI_VULKAN_SHADERS_H
#define MOSHI_VULKAN_SHADERS_H

#include <stddef.h>
#include <stdint.h>

typedef struct vk_shader {
    const char *name;
    const uint32_t *code; /* SPIR-V */
    size_t bytes;
} vk_shader;

extern const vk_shader vk_shaders[];
extern const size_t vk_shaders_count;

#endif
