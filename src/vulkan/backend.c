/* backend.c: the table; streams; devices for reports. */
#include "vulkan/backend.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "vulkan/layout.h"
#include "vulkan/probe.h"
#include "vulkan/runner.h"

/* --- streams --- */

static void state_close(plan_state **handle)
{
    plan_state *s = *handle;
    if (!s)
        return;
    vk_context *ctx = s->backend->ctx;
    vk_lock(ctx);
    vk_pool_give(s->pool, s->slot);
    vk_pool_drop(ctx, &s->backend->pools, s->pool);
    vk_unlock(ctx);
    memory_free(s);
    *handle = NULL;
}

static moshi_status part_state_open(backend *self, const plan *p,
                                    const bool *mine, plan_state **out,
                                    moshi_error *err)
{
    vk_backend *be = (vk_backend *)self;
    plan_state *s = memory_calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "the state of a stream");
    s->backend = be;
    vk_lock(be->ctx);
    moshi_status status = vk_pool_use(&be->pools, p, mine, &s->pool, err);
    if (status == MOSHI_OK) {
        status = vk_pool_take(be->ctx, &be->transfer, s->pool, &s->slot, err);
        if (status != MOSHI_OK)
            vk_pool_drop(be->ctx, &be->pools, s->pool);
    }
    if (status == MOSHI_OK && be->ctx->failure != VK_SUCCESS) {
        status = vk_failure(be->ctx, be->ctx->failure, be->ctx->failed_at,
                            err);
        vk_pool_give(s->pool, s->slot);
        vk_pool_drop(be->ctx, &be->pools, s->pool);
    }
    vk_unlock(be->ctx);
    if (status != MOSHI_OK) {
        memory_free(s);
        return status;
    }
    *out = s;
    return MOSHI_OK;
}

static moshi_status state_open(backend *self, const plan *p, plan_state **out,
                               moshi_error *err)
{
    return part_state_open(self, p, NULL, out, err);
}

static void state_reset(plan_state *s)
{
    vk_backend *be = s->backend;
    s->frame = 0;
    vk_lock(be->ctx);
    vk_pool_clear(be->ctx, &be->transfer, s->pool, s->slot, false);
    vk_unlock(be->ctx);
}

static void state_seek(plan_state *s, int64_t frame)
{
    s->frame = frame;
}

static void state_write(plan_state *s, tensor_id tensor, size_t at,
                        const void *data, size_t bytes)
{
    vk_backend *be = s->backend;
    const vk_region *g = &s->pool->regions[tensor];
    assert(at + bytes <= s->pool->plan->tensors[tensor].bytes);
    if (g->stride == 0) /* no operation here uses it */
        return;
    vk_lock(be->ctx);
    vk_write(be->ctx, &be->transfer, &s->pool->chunks[g->chunk],
             g->at + g->stride * s->slot + at, data, bytes);
    vk_unlock(be->ctx);
}

static void state_read(const plan_state *s, tensor_id tensor, size_t at,
                       void *data, size_t bytes)
{
    vk_backend *be = s->backend;
    const vk_region *g = &s->pool->regions[tensor];
    assert(at + bytes <= s->pool->plan->tensors[tensor].bytes);
    memset(data, 0, bytes);
    if (g->stride == 0)
        return;
    vk_lock(be->ctx);
    vk_read(be->ctx, &be->transfer, &s->pool->chunks[g->chunk],
            g->at + g->stride * s->slot + at, data, bytes);
    vk_unlock(be->ctx);
}

static moshi_status runner_open(backend *self, const plan *p, int lanes_max,
                                plan_runner **out, moshi_error *err)
{
    return vk_runner_open((vk_backend *)self, p, lanes_max, NULL, out, err);
}

static moshi_status part_open(backend *self, const plan *p, int lanes_max,
                              const bool *mine, plan_runner **out,
                              moshi_error *err)
{
    return vk_runner_open((vk_backend *)self, p, lanes_max, mine, out, err);
}

static moshi_status failure(const backend *self, moshi_error *err)
{
    const vk_context *ctx = ((const vk_backend *)self)->ctx;
    return ctx->failure == VK_SUCCESS
               ? MOSHI_OK
               : vk_failure(ctx, ctx->failure, ctx->failed_at, err);
}

/* --- the backend --- */

static void backend_close(backend **self)
{
    vk_backend *be = (vk_backend *)*self;
    if (!be)
        return;
    if (be->ctx) {
        vk_buffer_close(be->ctx, &be->ruler[0]);
        vk_buffer_close(be->ctx, &be->ruler[1]);
        vk_pipelines_close(be->ctx, &be->pipelines);
        vk_transfer_close(be->ctx, &be->transfer);
    }
    vk_context_close(&be->ctx);
    memory_free(be);
    *self = NULL;
}

moshi_status vulkan_backend_open(backend **out, int index, moshi_error *err)
{
    moshi_error ignored; /* a hint needs one (error.h) */
    err = err ? err : &ignored;
    static const backend table = {
        .name = "vulkan",
        .close = backend_close,
        .state_open = state_open,
        .state_close = state_close,
        .state_reset = state_reset,
        .state_seek = state_seek,
        .state_write = state_write,
        .state_read = state_read,
        .runner_open = runner_open,
        .runner_close = vk_runner_close,
        .run = vk_runner_run,
        .write = vk_runner_write,
        .read = vk_runner_read,
        .lanes = vk_runner_lanes,
        .failure = failure,
        .part_state_open = part_state_open,
        .part_open = part_open,
        .run_part = vk_runner_run_part,
    };
    vk_backend *be = memory_calloc(1, sizeof *be);
    if (!be)
        return error_no_memory(err, "the GPU backend");
    be->table = table;
    backend *handle = &be->table;
    moshi_status status = vk_probe(true, index, err);
    if (status == MOSHI_OK)
        status = vk_context_open(&be->ctx, index, err);
    if (status == MOSHI_OK)
        status = vk_transfer_open(be->ctx, &be->transfer, err);
    if (status == MOSHI_OK)
        status = vk_pipelines_open(be->ctx, &be->pipelines, err);
    if (status != MOSHI_OK) {
        backend_close(&handle);
        return status;
    }
    *out = handle;
    return MOSHI_OK;
}

bool vulkan_backend_is(const backend *self)
{
    return self->runner_close == vk_runner_close;
}

const char *vulkan_backend_device(const backend *self)
{
    return ((const vk_backend *)self)->ctx->info.name;
}

uint64_t vulkan_backend_free_bytes(const backend *self)
{
    return ((const vk_backend *)self)->ctx->info.free_bytes;
}

size_t vulkan_tensor_bytes(const plan_tensor *t)
{
    return t->space == PLAN_WEIGHT
               ? vk_layout_row_bytes(t->type, t->width) * t->rows : t->bytes;
}

/* More than any cache holds; little on a device that is the host's memory. */
#define RULER_BYTES ((VkDeviceSize)512 << 20)
#define RULER_SHARE 32
#define RULER_COPIES 4

double vulkan_backend_copy_rate(backend *self)
{
    vk_backend *be = (vk_backend *)self;
    vk_context *ctx = be->ctx;
    VkDeviceSize bytes = ctx->info.memory_bytes / RULER_SHARE;
    double rate = 0;
    bytes = (bytes < RULER_BYTES ? bytes : RULER_BYTES) / 4096 * 4096;
    vk_lock(ctx);
    for (int i = 0; i < 2; i++)
        if (!be->ruler[i].buffer)
            vk_buffer_open(ctx, &be->ruler[i], VK_MEMORY_DEVICE, bytes,
                           "a measurement", NULL);
    if (be->ruler[0].buffer && be->ruler[1].buffer &&
        vk_begin(ctx, be->transfer.commands, true)) {
        VkBufferCopy copy = {0, 0, bytes};
        VkMemoryBarrier wait = {
            .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
            .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
            .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT |
                             VK_ACCESS_TRANSFER_WRITE_BIT};
        for (int i = 0; i < RULER_COPIES; i++) {
            ctx->api.CmdCopyBuffer(be->transfer.commands,
                                   be->ruler[i % 2].buffer,
                                   be->ruler[!(i % 2)].buffer, 1, &copy);
            ctx->api.CmdPipelineBarrier(be->transfer.commands,
                                        VK_PIPELINE_STAGE_TRANSFER_BIT,
                                        VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1,
                                        &wait, 0, NULL, 0, NULL);
        }
        double start = clock_seconds();
        vk_submit_and_wait(ctx, be->transfer.commands, be->transfer.fence,
                           "measuring its memory");
        rate = 2.0 * RULER_COPIES * (double)bytes / (clock_seconds() - start);
    }
    vk_unlock(ctx);
    return rate;
}

int vulkan_backend_complaints(const backend *self, const char **first)
{
    const vk_complaints *c = &((const vk_backend *)self)->ctx->complaints;
    if (first)
        *first = c->first;
    return c->count;
}

/* --- devices --- */

static void describe(const vk_device_info *d, vulkan_device *out)
{
    const vk_features *f = &d->features;
    char group[32] = "no subgroups";
    memcpy(out->name, d->name, sizeof out->name);
    snprintf(out->type, sizeof out->type, "%s", vk_device_type_name(d->type));
    snprintf(out->driver, sizeof out->driver, "%s", d->driver);
    memcpy(out->lacks, d->lacks, sizeof out->lacks);
    out->version_major = (int)VK_API_VERSION_MAJOR(d->api_version);
    out->version_minor = (int)VK_API_VERSION_MINOR(d->api_version);
    out->memory_bytes = d->memory_bytes;
    out->free_bytes = d->free_bytes;
    if (f->subgroups)
        snprintf(group, sizeof group, "subgroups of %u", f->subgroup_size);
    snprintf(out->features, sizeof out->features, "%s%s%s%s", group,
             f->storage16 ? ", 16-bit storage" : "",
             f->storage8 ? ", 8-bit storage" : "",
             f->dot ? ", integer dot products" : "");
}

moshi_status vulkan_devices(vulkan_device **list, size_t *n, moshi_error *err)
{
    moshi_error ignored; /* a hint needs one (error.h) */
    err = err ? err : &ignored;
    vk_device_info *all = NULL;
    size_t count = 0;
    moshi_status status = vk_probe(false, -1, err);
    if (status == MOSHI_OK)
        status = vk_list_devices(&all, &count, err);
    if (status != MOSHI_OK)
        return status;
    vulkan_device *out = memory_calloc(count, sizeof *out);
    for (size_t i = 0; out && i < count; i++)
        describe(&all[i], &out[i]);
    memory_free(all);
    if (!out)
        return error_no_memory(err, "the list of GPUs");
    *list = out;
    *n = count;
    return MOSHI_OK;
}
