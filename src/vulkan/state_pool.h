/* state_pool.h: what the streams of one plan remember, on the device.
 *
 * A shader works on all lanes of a run at once, so the state tensors of all
 * streams of a plan lie side by side: a region a tensor, a slot a stream. A
 * stream is a slot number; lanes are joined to slots by a small table, so that
 * streams come and go without recording anything anew. When all slots are
 * taken the regions grow and move, and `generation` tells who recorded their
 * places. Guarded by the context's lock. */
#ifndef MOSHI_VULKAN_STATE_POOL_H
#define MOSHI_VULKAN_STATE_POOL_H

#include "plan/plan.h"
#include "vulkan/memory.h"

typedef struct vk_region {
    size_t chunk;        /* which buffer */
    VkDeviceSize at;     /* of slot 0; a multiple of 256 */
    VkDeviceSize stride; /* from slot to slot; a multiple of 64 */
} vk_region;

typedef struct vk_pool {
    struct vk_pool *next;
    const plan *plan;
    const bool *mine;    /* borrowed: operations run here; NULL: all */
    int users;           /* states and runners */
    size_t slots;
    bool *taken;         /* owned, [slots] */
    vk_region *regions;  /* owned, [n_tensors]; stride 0: not a state here */
    vk_buffer *chunks;   /* owned */
    size_t n_chunks;
    unsigned generation;
} vk_pool;

typedef struct vk_pools {
    vk_pool *first;
} vk_pools;

/* The pool of a plan, opened when it is the first to ask. */
moshi_status vk_pool_use(vk_pools *all, const plan *p, const bool *mine,
                         vk_pool **out, moshi_error *err);
void vk_pool_drop(vk_context *ctx, vk_pools *all, vk_pool *pool);

/* A free slot, all zero. */
moshi_status vk_pool_take(vk_context *ctx, vk_transfer *t, vk_pool *pool,
                          size_t *slot, moshi_error *err);
void vk_pool_give(vk_pool *pool, size_t slot);

/* Zero a slot; without `all`, only what a reset clears. */
void vk_pool_clear(vk_context *ctx, vk_transfer *t, const vk_pool *pool,
                   size_t slot, bool all);

#endif
