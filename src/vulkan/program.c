/* program.c: the dispatches of a frame: written, bound, recorded. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "vulkan/run.h"

static vk_operation *const operations[OP_KIND_COUNT] = {
#define OPERATION_ROW(kind) [OP_##kind] = vk_op_##kind,
    OP_KINDS(OPERATION_ROW)
#undef OPERATION_ROW
};

size_t vk_lane_bytes(const plan_tensor *t)
{
    return size_round_up(t->bytes, MEMORY_ALIGNMENT);
}

VkDeviceSize vk_scratch_at(const plan_runner *r, const plan_tensor *t)
{
    return VK_STEPS_BYTES + (VkDeviceSize)t->offset * (size_t)r->lanes_max;
}

const char *vk_type_name(dtype type)
{
    static const char *const names[] = {
        [DTYPE_F32] = "f32",   [DTYPE_F16] = "f16",   [DTYPE_BF16] = "bf16",
        [DTYPE_Q8_0] = "q8_0", [DTYPE_Q4_0] = "q4_0", [DTYPE_Q4_K] = "q4_k",
        [DTYPE_Q5_K] = "q5_k", [DTYPE_Q6_K] = "q6_k"};
    assert(dtype_is_weight(type));
    return names[type];
}

/* --- writing --- */

static void give_up(vk_build *b, moshi_status status)
{
    if (b->status == MOSHI_OK)
        b->status = status;
}

void vk_refuse(vk_build *b, const char *reason)
{
    if (b->status == MOSHI_OK)
        give_up(b, error_set(b->err, MOSHI_LACKING, "%s: the GPU backend "
                             "cannot run it: %s", b->op->name, reason));
}

vk_dispatch *vk_emit(vk_build *b, uint32_t constant, const char *format, ...)
{
    static vk_dispatch nowhere;
    vk_program *program = b->program;
    vk_backend *be = b->r->backend;
    char name[64];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    if (b->status == MOSHI_OK &&
        !memory_grow((void **)&program->dispatches, &program->room,
                     program->n + 1, sizeof *program->dispatches))
        give_up(b, error_no_memory(b->err, "the program of a frame"));
    VkPipeline pipeline = VK_NULL_HANDLE;
    if (b->status == MOSHI_OK)
        give_up(b, vk_pipeline_get(be->ctx, &be->pipelines, name, constant,
                                   &pipeline, b->err));
    if (b->status != MOSHI_OK)
        return &nowhere;
    vk_dispatch *d = &program->dispatches[program->n++];
    *d = (vk_dispatch){.op = b->op_index, .pipeline = pipeline,
                       .groups = {1, 1, (uint32_t)program->lanes}};
    /* Every binding must be of something. */
    for (int i = 0; i < VK_BINDINGS; i++)
        d->bind[i] = (VkDescriptorBufferInfo){b->r->scratch.buffer, 0,
                                              VK_STEPS_BYTES};
    return d;
}

static void add_span(vk_dispatch *d, VkBuffer buffer, VkDeviceSize begin,
                     VkDeviceSize bytes, int access)
{
    d->spans[d->n_spans++] = (vk_span){buffer, begin, begin + bytes,
                                       (access & VK_WRITES) != 0};
}

static void bind_frame(vk_build *b, vk_dispatch *d, int operand,
                       const plan_tensor *t, int access)
{
    const plan_runner *r = b->r;
    VkDeviceSize at = vk_scratch_at(r, t);
    size_t stride = vk_lane_bytes(t);
    d->bind[operand] = (VkDescriptorBufferInfo){r->scratch.buffer, 0,
                                                r->scratch.bytes};
    d->push[VK_PUSH_AT + operand] = (uint32_t)(at / 4);
    d->push[VK_PUSH_STRIDE + operand] = (uint32_t)(stride / 4);
    add_span(d, r->scratch.buffer, at,
             stride * (size_t)b->program->lanes, access);
}

static void bind_state(vk_build *b, vk_dispatch *d, int operand,
                       tensor_id tensor, int access)
{
    const vk_pool *pool = b->r->pool;
    const vk_region *region = &pool->regions[tensor];
    /* Before the first stream there is nothing to bind; then nothing runs. */
    if (pool->slots == 0)
        return;
    VkBuffer buffer = pool->chunks[region->chunk].buffer;
    VkDeviceSize bytes = region->stride * pool->slots;
    d->bind[operand] = (VkDescriptorBufferInfo){buffer, region->at, bytes};
    d->push[VK_PUSH_STRIDE + operand] = (uint32_t)(region->stride / 4);
    d->push[VK_PUSH_SLOTS] |= 1u << operand;
    add_span(d, buffer, region->at, bytes, access);
}

static void bind_weight(vk_dispatch *d, int operand, const vk_weight *w)
{
    assert(w);
    d->bind[operand] = (VkDescriptorBufferInfo){w->buffer->buffer, w->at,
                                                w->bytes};
}

void vk_bind(vk_build *b, vk_dispatch *d, int operand, tensor_id tensor,
             int access)
{
    if (b->status != MOSHI_OK || tensor == TENSOR_NONE)
        return;
    const plan_tensor *t = vk_tensor(b, tensor);
    switch (t->space) {
    case PLAN_WEIGHT:
        bind_weight(d, operand, vk_weights_find(&b->r->weights, t));
        break;
    case PLAN_STATE:
        bind_state(b, d, operand, tensor, access);
        break;
    default:
        bind_frame(b, d, operand, t, access);
    }
}

void vk_bind_extra(vk_build *b, vk_dispatch *d, int operand, vk_extra extra,
                   const void *key, size_t n)
{
    if (b->status == MOSHI_OK)
        bind_weight(d, operand,
                    vk_weights_extra(&b->r->weights, extra, key, n));
}

void vk_bind_partial(vk_build *b, vk_dispatch *d, int operand, size_t bytes,
                     int access)
{
    const vk_buffer *partial = &b->r->partial;
    if (b->status != MOSHI_OK)
        return;
    d->bind[operand] = (VkDescriptorBufferInfo){partial->buffer, 0,
                                                partial->bytes};
    d->push[VK_PUSH_STRIDE + operand] = (uint32_t)(bytes / 4);
    add_span(d, partial->buffer, 0, bytes * (size_t)b->program->lanes, access);
}

void vk_grid(vk_build *b, vk_dispatch *d, size_t x, size_t y)
{
    if (b->status != MOSHI_OK)
        return;
    if (x > 65535 || y > 65535) /* what every device can do */
        vk_refuse(b, "too many rows or elements");
    d->groups[0] = (uint32_t)x;
    d->groups[1] = (uint32_t)y;
}

/* --- descriptor sets --- */

static VkResult make_sets(vk_context *ctx, const vk_pipelines *p,
                          vk_program *program)
{
    uint32_t n = (uint32_t)program->n;
    VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                 VK_BINDINGS * n};
    VkDescriptorPoolCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
        .maxSets = n,
        .poolSizeCount = 1,
        .pPoolSizes = &size};
    if (n == 0)
        return VK_SUCCESS;
    VkResult r = ctx->api.CreateDescriptorPool(ctx->device, &info, NULL,
                                               &program->sets);
    for (uint32_t i = 0; i < n && r == VK_SUCCESS; i++) {
        vk_dispatch *d = &program->dispatches[i];
        VkDescriptorSetAllocateInfo one = {
            .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
            .descriptorPool = program->sets,
            .descriptorSetCount = 1,
            .pSetLayouts = &p->set_layout};
        r = ctx->api.AllocateDescriptorSets(ctx->device, &one, &d->set);
        if (r != VK_SUCCESS)
            break;
        VkWriteDescriptorSet write = {
            .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
            .dstSet = d->set,
            .descriptorCount = VK_BINDINGS,
            .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
            .pBufferInfo = d->bind};
        ctx->api.UpdateDescriptorSets(ctx->device, 1, &write, 0, NULL);
    }
    return r;
}

/* --- recording --- */

static void barrier(const vk_context *ctx, VkCommandBuffer commands,
                    VkPipelineStageFlags from, VkAccessFlags written,
                    VkPipelineStageFlags to, VkAccessFlags read)
{
    VkMemoryBarrier b = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                         .srcAccessMask = written,
                         .dstAccessMask = read};
    ctx->api.CmdPipelineBarrier(commands, from, to, 0, 1, &b, 0, NULL, 0,
                                NULL);
}

/* What has been touched since the last barrier. */
typedef struct touched {
    vk_span spans[64];
    int n;
} touched;

static bool must_wait(const touched *t, const vk_dispatch *d)
{
    if (t->n + d->n_spans > (int)(sizeof t->spans / sizeof *t->spans))
        return true;
    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < d->n_spans; k++) {
            const vk_span *a = &t->spans[i], *b = &d->spans[k];
            if ((a->writes || b->writes) && a->buffer == b->buffer &&
                a->begin < b->end && b->begin < a->end)
                return true;
        }
    return false;
}

static void record_dispatch(plan_runner *r, VkCommandBuffer commands,
                            touched *t, const vk_dispatch *d)
{
    const vk_context *ctx = r->backend->ctx;
    VkPipelineLayout layout = r->backend->pipelines.layout;
    if (must_wait(t, d)) {
        barrier(ctx, commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                VK_ACCESS_SHADER_WRITE_BIT,
                VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
        t->n = 0;
    }
    for (int i = 0; i < d->n_spans; i++)
        t->spans[t->n++] = d->spans[i];
    ctx->api.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                             d->pipeline);
    ctx->api.CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                                   layout, 0, 1, &d->set, 0, NULL);
    ctx->api.CmdPushConstants(commands, layout, VK_SHADER_STAGE_COMPUTE_BIT,
                              0, sizeof d->push, d->push);
    ctx->api.CmdDispatch(commands, d->groups[0], d->groups[1], d->groups[2]);
}

static void copy_inputs(plan_runner *r, const vk_program *program,
                        VkCommandBuffer commands)
{
    const vk_context *ctx = r->backend->ctx;
    VkBufferCopy steps = {0, 0, VK_STEPS_BYTES};
    ctx->api.CmdCopyBuffer(commands, r->inputs.buffer, r->scratch.buffer, 1,
                           &steps);
    for (size_t i = 0; i < r->plan->n_tensors; i++) {
        const plan_tensor *t = &r->plan->tensors[i];
        plan_value unused;
        if (!plan_value_of_input(r->plan, (tensor_id)i, &unused))
            continue;
        VkBufferCopy copy = {r->io[i], vk_scratch_at(r, t),
                             vk_lane_bytes(t) * (size_t)program->lanes};
        ctx->api.CmdCopyBuffer(commands, r->inputs.buffer, r->scratch.buffer,
                               1, &copy);
    }
    barrier(ctx, commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
            VK_ACCESS_TRANSFER_WRITE_BIT,
            VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
            VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
}

static void copy_outputs(plan_runner *r, const vk_program *program,
                         VkCommandBuffer commands)
{
    const vk_context *ctx = r->backend->ctx;
    barrier(ctx, commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
            VK_ACCESS_SHADER_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
            VK_ACCESS_TRANSFER_READ_BIT);
    for (size_t i = 0; i < r->plan->n_tensors; i++) {
        const plan_tensor *t = &r->plan->tensors[i];
        if (t->space != PLAN_FRAME || !t->pinned)
            continue;
        VkBufferCopy copy = {vk_scratch_at(r, t), r->io[i],
                             vk_lane_bytes(t) * (size_t)program->lanes};
        ctx->api.CmdCopyBuffer(commands, r->scratch.buffer, r->outputs.buffer,
                               1, &copy);
    }
    barrier(ctx, commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
            VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
            VK_ACCESS_HOST_READ_BIT);
}

void vk_program_record(plan_runner *r, const vk_program *program,
                       VkCommandBuffer commands, size_t first, size_t end,
                       bool prologue, bool epilogue)
{
    const vk_context *ctx = r->backend->ctx;
    touched t = {.n = 0};
    /* What earlier command buffers wrote is to be seen here. */
    barrier(ctx, commands,
            VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT |
                VK_PIPELINE_STAGE_TRANSFER_BIT,
            VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
            VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT |
                VK_PIPELINE_STAGE_TRANSFER_BIT,
            VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT |
                VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT);
    if (prologue)
        copy_inputs(r, program, commands);
    for (size_t i = 0; i < program->n; i++) {
        const vk_dispatch *d = &program->dispatches[i];
        if (d->op >= first && d->op < end)
            record_dispatch(r, commands, &t, d);
    }
    if (epilogue)
        copy_outputs(r, program, commands);
}

static VkResult record_all(plan_runner *r, vk_program *program)
{
    vk_context *ctx = r->backend->ctx;
    VkCommandBufferAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = r->commands,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = (uint32_t)r->n_ranges};
    program->commands = memory_calloc(r->n_ranges + 1,
                                      sizeof *program->commands);
    if (!program->commands)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    if (r->n_ranges == 0)
        return VK_SUCCESS;
    VkResult result = ctx->api.AllocateCommandBuffers(ctx->device, &info,
                                                      program->commands);
    for (size_t i = 0; i < r->n_ranges && result == VK_SUCCESS; i++) {
        if (!vk_begin(ctx, program->commands[i], false))
            return ctx->failure;
        vk_program_record(r, program, program->commands[i],
                          r->ranges[i].first, r->ranges[i].end, i == 0,
                          i + 1 == r->n_ranges);
        result = ctx->api.EndCommandBuffer(program->commands[i]);
    }
    return result;
}

void vk_program_close(plan_runner *r, vk_program *program)
{
    vk_context *ctx = r->backend->ctx;
    if (program->commands && r->n_ranges && program->commands[0])
        ctx->api.FreeCommandBuffers(ctx->device, r->commands,
                                    (uint32_t)r->n_ranges, program->commands);
    if (program->sets)
        ctx->api.DestroyDescriptorPool(ctx->device, program->sets, NULL);
    memory_free(program->commands);
    memory_free(program->dispatches);
    *program = (vk_program){0};
}

moshi_status vk_program_ready(plan_runner *r, int lanes, moshi_error *err)
{
    vk_program *program = &r->programs[lanes];
    vk_backend *be = r->backend;
    if (program->lanes == lanes && program->generation == r->pool->generation)
        return MOSHI_OK;
    vk_program_close(r, program);
    program->generation = r->pool->generation;
    program->lanes = lanes;
    vk_build b = {.r = r, .program = program, .err = err};
    for (size_t i = 0; i < r->plan->n_ops && b.status == MOSHI_OK; i++) {
        if (r->mine && !r->mine[i])
            continue;
        b.op = &r->plan->ops[i];
        b.op_index = i;
        operations[b.op->kind](&b, b.op);
    }
    if (b.status == MOSHI_OK) {
        VkResult result = make_sets(be->ctx, &be->pipelines, program);
        if (result == VK_SUCCESS)
            result = record_all(r, program);
        if (result != VK_SUCCESS)
            b.status = vk_failure(be->ctx, result, "recording a frame", err);
    }
    if (b.status != MOSHI_OK)
        vk_program_close(r, program);
    return b.status;
}
