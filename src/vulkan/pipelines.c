/* pipelines.c: from SPIR-V to pipelines. */
#include "vulkan/pipelines.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "vulkan/cache_file.h"
#include "vulkan/shaders.h"

typedef struct vk_pipeline_entry {
    const vk_shader *shader;
    uint32_t constant;
    VkPipeline pipeline;
} vk_pipeline_entry;

moshi_status vk_pipelines_open(vk_context *ctx, vk_pipelines *p,
                               moshi_error *err)
{
    VkDescriptorSetLayoutBinding bindings[VK_BINDINGS];
    for (uint32_t i = 0; i < VK_BINDINGS; i++)
        bindings[i] = (VkDescriptorSetLayoutBinding){
            .binding = i,
            .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
            .descriptorCount = 1,
            .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    VkDescriptorSetLayoutCreateInfo set = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = VK_BINDINGS,
        .pBindings = bindings};
    VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0,
                                VK_PUSH_WORDS * sizeof(uint32_t)};
    VkPipelineLayoutCreateInfo layout = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
        .setLayoutCount = 1,
        .pSetLayouts = &p->set_layout,
        .pushConstantRangeCount = 1,
        .pPushConstantRanges = &push};
    void *bytes = NULL;
    *p = (vk_pipelines){0};
    VkResult r = ctx->api.CreateDescriptorSetLayout(ctx->device, &set, NULL,
                                                    &p->set_layout);
    if (r == VK_SUCCESS)
        r = ctx->api.CreatePipelineLayout(ctx->device, &layout, NULL,
                                          &p->layout);
    if (r == VK_SUCCESS)
        bytes = vk_cache_read(&ctx->info, &p->cache_bytes);
    VkPipelineCacheCreateInfo cache = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
        .initialDataSize = p->cache_bytes,
        .pInitialData = bytes};
    if (r == VK_SUCCESS)
        r = ctx->api.CreatePipelineCache(ctx->device, &cache, NULL, &p->cache);
    memory_free(bytes);
    return r == VK_SUCCESS ? MOSHI_OK
                           : vk_failure(ctx, r, "preparing shaders", err);
}

static void save(vk_context *ctx, const vk_pipelines *p)
{
    size_t n = 0;
    if (ctx->failure != VK_SUCCESS ||
        ctx->api.GetPipelineCacheData(ctx->device, p->cache, &n, NULL) !=
            VK_SUCCESS || n <= p->cache_bytes)
        return;
    void *bytes = memory_calloc(1, n);
    if (bytes && ctx->api.GetPipelineCacheData(ctx->device, p->cache, &n,
                                               bytes) == VK_SUCCESS)
        vk_cache_write(&ctx->info, bytes, n);
    memory_free(bytes);
}

void vk_pipelines_close(vk_context *ctx, vk_pipelines *p)
{
    for (size_t i = 0; i < p->n; i++)
        ctx->api.DestroyPipeline(ctx->device, p->entries[i].pipeline, NULL);
    memory_free(p->entries);
    if (p->cache) {
        save(ctx, p);
        ctx->api.DestroyPipelineCache(ctx->device, p->cache, NULL);
    }
    if (p->layout)
        ctx->api.DestroyPipelineLayout(ctx->device, p->layout, NULL);
    if (p->set_layout)
        ctx->api.DestroyDescriptorSetLayout(ctx->device, p->set_layout, NULL);
    *p = (vk_pipelines){0};
}

static const vk_shader *find_shader(const char *name)
{
    for (size_t i = 0; i < vk_shaders_count; i++)
        if (strcmp(vk_shaders[i].name, name) == 0)
            return &vk_shaders[i];
    return NULL;
}

static VkResult make(vk_context *ctx, vk_pipelines *p, vk_pipeline_entry *e)
{
    VkShaderModule module = VK_NULL_HANDLE;
    VkShaderModuleCreateInfo code = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
        .codeSize = e->shader->bytes,
        .pCode = e->shader->code};
    VkSpecializationMapEntry entry = {0, 0, sizeof e->constant};
    VkSpecializationInfo special = {1, &entry, sizeof e->constant,
                                    &e->constant};
    bool subgroups = strstr(e->shader->name, "_subgroup") != NULL;
    VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType =
                      VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .flags = subgroups
          ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT : 0,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .pName = "main",
                  .pSpecializationInfo = e->constant ? &special : NULL},
        .layout = p->layout};
    VkResult r = ctx->api.CreateShaderModule(ctx->device, &code, NULL,
                                             &module);
    if (r != VK_SUCCESS)
        return r;
    info.stage.module = module;
    r = ctx->api.CreateComputePipelines(ctx->device, p->cache, 1, &info, NULL,
                                        &e->pipeline);
    ctx->api.DestroyShaderModule(ctx->device, module, NULL);
    return r;
}

moshi_status vk_pipeline_get(vk_context *ctx, vk_pipelines *p,
                             const char *shader, uint32_t constant,
                             VkPipeline *out, moshi_error *err)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->entries[i].constant == constant &&
            strcmp(p->entries[i].shader->name, shader) == 0) {
            *out = p->entries[i].pipeline;
            return MOSHI_OK;
        }
    vk_pipeline_entry e = {find_shader(shader), constant, VK_NULL_HANDLE};
    assert(e.shader);
    if (!memory_grow((void **)&p->entries, &p->room, p->n + 1, sizeof e))
        return error_no_memory(err, "a shader");
    VkResult r = make(ctx, p, &e);
    if (r != VK_SUCCESS) {
        moshi_status status = vk_failure(ctx, r, "compiling a shader", err);
        error_context(err, "shader %s", shader);
        return status;
    }
    p->entries[p->n++] = e;
    *out = e.pipeline;
    return MOSHI_OK;
}
