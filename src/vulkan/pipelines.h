/* pipelines.h: compute pipelines, made when first asked for and kept; what the
 * driver compiled is kept on disk. */
#ifndef MOSHI_VULKAN_PIPELINES_H
#define MOSHI_VULKAN_PIPELINES_H

#include "vulkan/context.h"

#define VK_BINDINGS 5
#define VK_PUSH_WORDS 32

typedef struct vk_pipelines {
    VkDescriptorSetLayout set_layout; /* five storage buffers */
    VkPipelineLayout layout;          /* and 128 bytes of numbers */
    VkPipelineCache cache;
    struct vk_pipeline_entry *entries; /* owned */
    size_t n, room;
    size_t cache_bytes; /* as read from disk */
} vk_pipelines;

/* The caller holds the context's lock in all three. */
moshi_status vk_pipelines_open(vk_context *ctx, vk_pipelines *p,
                               moshi_error *err);
/* Saves the cache if it has grown. */
void vk_pipelines_close(vk_context *ctx, vk_pipelines *p);

/* constant: the value of specialisation constant 0, where the shader has one.
 * Errors: MOSHI_LACKING, MOSHI_NO_MEMORY. */
moshi_status vk_pipeline_get(vk_context *ctx, vk_pipelines *p,
                             const char *shader, uint32_t constant,
                             VkPipeline *out, moshi_error *err);

#endif
