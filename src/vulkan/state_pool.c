/* state_pool.c: slots for streams, and room for more of them. */
#include "vulkan/state_pool.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define CHUNK_BYTES ((VkDeviceSize)64 << 20) /* of one slot */
#define ALIGNMENT 256

/* Is a state tensor read or written by an operation that runs here? */
static bool is_used(const plan *p, const bool *mine, tensor_id tensor)
{
    for (size_t i = 0; i < p->n_ops; i++) {
        if (mine && !mine[i])
            continue;
        if (p->ops[i].out == tensor)
            return true;
        for (int k = 0; k < OP_INPUTS; k++)
            if (p->ops[i].in[k] == tensor)
                return true;
    }
    return false;
}

static VkDeviceSize region_bytes(const vk_region *r, size_t slots)
{
    return (r->stride * slots + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static bool lay_out(vk_pool *pool)
{
    const plan *p = pool->plan;
    VkDeviceSize filled = CHUNK_BYTES;
    pool->regions = memory_calloc(p->n_tensors + 1, sizeof *pool->regions);
    if (!pool->regions)
        return false;
    for (size_t i = 0; i < p->n_tensors; i++) {
        const plan_tensor *t = &p->tensors[i];
        vk_region *r = &pool->regions[i];
        if (t->space != PLAN_STATE ||
            !is_used(p, pool->mine, (tensor_id)i))
            continue;
        r->stride = size_round_up(t->bytes, 64);
        if (filled + r->stride > CHUNK_BYTES) {
            pool->n_chunks++;
            filled = 0;
        }
        filled += r->stride;
        r->chunk = pool->n_chunks - 1;
    }
    pool->chunks = memory_calloc(pool->n_chunks + 1, sizeof *pool->chunks);
    return pool->chunks != NULL;
}

static void pool_close(vk_context *ctx, vk_pool *pool)
{
    for (size_t i = 0; pool->chunks && i < pool->n_chunks; i++)
        vk_buffer_close(ctx, &pool->chunks[i]);
    memory_free(pool->chunks);
    memory_free(pool->regions);
    memory_free(pool->taken);
    memory_free(pool);
}

moshi_status vk_pool_use(vk_pools *all, const plan *p, const bool *mine,
                         vk_pool **out, moshi_error *err)
{
    vk_pool *pool = all->first;
    while (pool && (pool->plan != p || pool->mine != mine))
        pool = pool->next;
    if (!pool) {
        pool = memory_calloc(1, sizeof *pool);
        if (!pool)
            return error_no_memory(err, "the state of a stream");
        pool->plan = p;
        pool->mine = mine;
        if (!lay_out(pool)) {
            pool_close(NULL, pool);
            return error_no_memory(err, "the state of a stream");
        }
        pool->next = all->first;
        all->first = pool;
    }
    pool->users++;
    *out = pool;
    return MOSHI_OK;
}

void vk_pool_drop(vk_context *ctx, vk_pools *all, vk_pool *pool)
{
    if (--pool->users > 0)
        return;
    vk_pool **at = &all->first;
    while (*at != pool)
        at = &(*at)->next;
    *at = pool->next;
    pool_close(ctx, pool);
}

/* --- growing --- */

/* Where the regions of a chunk would lie with so many slots; its size. */
static VkDeviceSize place(const vk_pool *pool, size_t chunk, size_t slots,
                          VkDeviceSize *at)
{
    VkDeviceSize bytes = 0;
    for (size_t i = 0; i < pool->plan->n_tensors; i++) {
        const vk_region *r = &pool->regions[i];
        if (r->stride == 0 || r->chunk != chunk)
            continue;
        at[i] = bytes;
        bytes += region_bytes(r, slots);
    }
    return bytes;
}

/* One chunk moves at a time, so that little more than one is needed twice. */
static moshi_status grow_chunk(vk_context *ctx, vk_transfer *t, vk_pool *pool,
                               size_t chunk, size_t slots, VkDeviceSize *at,
                               moshi_error *err)
{
    vk_buffer larger;
    VkDeviceSize bytes = place(pool, chunk, slots, at);
    moshi_status status = vk_buffer_open(ctx, &larger, VK_MEMORY_DEVICE,
                                         bytes, "the state of the streams",
                                         err);
    if (status != MOSHI_OK)
        return status; /* the streams that are there can go on */
    pool->generation++;
    for (size_t i = 0; i < pool->plan->n_tensors; i++) {
        vk_region *r = &pool->regions[i];
        if (r->stride == 0 || r->chunk != chunk)
            continue;
        if (pool->slots > 0)
            vk_copy(ctx, t, &pool->chunks[chunk], r->at, &larger, at[i],
                    r->stride * pool->slots);
        r->at = at[i];
    }
    vk_buffer_close(ctx, &pool->chunks[chunk]);
    pool->chunks[chunk] = larger;
    return MOSHI_OK;
}

static moshi_status grow(vk_context *ctx, vk_transfer *t, vk_pool *pool,
                         moshi_error *err)
{
    size_t slots = pool->slots + (pool->slots < 2 ? 1 : pool->slots / 2);
    bool *taken = memory_calloc(slots, sizeof *taken);
    VkDeviceSize *at = memory_calloc(pool->plan->n_tensors + 1, sizeof *at);
    moshi_status status = taken && at
                              ? MOSHI_OK
                              : error_no_memory(err, "the state of a stream");
    for (size_t i = 0; i < pool->plan->n_tensors && status == MOSHI_OK; i++)
        if (region_bytes(&pool->regions[i], slots) >
            ctx->info.buffer_bytes_max)
            status = error_set(err, MOSHI_LACKING, "the GPU '%s' cannot see "
                               "the state of %zu streams at once",
                               ctx->info.name, slots);
    /* Another thread's frame may be using the old places. */
    if (status == MOSHI_OK)
        vk_failed(ctx, ctx->api.DeviceWaitIdle(ctx->device),
                  "waiting for a frame");
    for (size_t i = 0; i < pool->n_chunks && status == MOSHI_OK; i++)
        status = grow_chunk(ctx, t, pool, i, slots, at, err);
    memory_free(at);
    if (status != MOSHI_OK) {
        memory_free(taken);
        return status;
    }
    if (pool->slots)
        memcpy(taken, pool->taken, pool->slots * sizeof *taken);
    memory_free(pool->taken);
    pool->taken = taken;
    pool->slots = slots;
    return MOSHI_OK;
}

moshi_status vk_pool_take(vk_context *ctx, vk_transfer *t, vk_pool *pool,
                          size_t *slot, moshi_error *err)
{
    size_t i = 0;
    while (i < pool->slots && pool->taken[i])
        i++;
    if (i == pool->slots) {
        moshi_status status = grow(ctx, t, pool, err);
        if (status != MOSHI_OK)
            return status;
    }
    pool->taken[i] = true;
    vk_pool_clear(ctx, t, pool, i, true);
    *slot = i;
    return MOSHI_OK;
}

void vk_pool_give(vk_pool *pool, size_t slot)
{
    pool->taken[slot] = false;
}

void vk_pool_clear(vk_context *ctx, vk_transfer *t, const vk_pool *pool,
                   size_t slot, bool all)
{
    if (!vk_begin(ctx, t->commands, true))
        return;
    for (size_t i = 0; i < pool->plan->n_tensors; i++) {
        const vk_region *r = &pool->regions[i];
        if (r->stride > 0 && (all || !pool->plan->tensors[i].keep))
            ctx->api.CmdFillBuffer(t->commands, pool->chunks[r->chunk].buffer,
                                   r->at + slot * r->stride, r->stride, 0);
    }
    vk_submit_and_wait(ctx, t->commands, t->fence, "clearing a stream");
}
