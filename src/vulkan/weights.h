/* weights.h: the weights of plans, on the device.
 *
 * A set holds the weights of one plan that no set before it held; plans of one
 * model share what they have in common. Sets are counted: they go when the
 * last runner that uses them closes. */
#ifndef MOSHI_VULKAN_WEIGHTS_H
#define MOSHI_VULKAN_WEIGHTS_H

#include "plan/plan.h"
#include "vulkan/memory.h"

/* What an operation needs besides the tensors of the plan, made from it. */
typedef enum vk_extra {
    VK_EXTRA_NONE,
    VK_EXTRA_HALF_NORMS, /* NEAREST: pairs of floats, high and low */
    VK_EXTRA_PERIODS     /* SINUSOID: 10000^(i / (D/2 - 1)) */
} vk_extra;

typedef struct vk_weight {
    const void *data; /* key: of the plan's tensor, or of the extra */
    dtype type;
    size_t rows, width;
    vk_extra extra;
    bool panels;      /* data is (plan/panels.h); on the device it is not */
    const vk_buffer *buffer;
    VkDeviceSize at, bytes;
} vk_weight;

typedef struct vk_weight_set vk_weight_set;

/* All the sets there are; guarded by the context's lock. */
typedef struct vk_weights {
    vk_weight_set *first;
} vk_weights;

/* What one runner holds. */
typedef struct vk_weight_use {
    vk_weight_set **sets; /* owned array */
    size_t n, room;
} vk_weight_use;

/* Bring the weights of the operations `mine` (of plan->n_ops; NULL: all) to
 * the device. Errors: MOSHI_NO_MEMORY, MOSHI_LACKING. */
moshi_status vk_weights_use(vk_context *ctx, vk_weights *all, vk_transfer *t,
                            const plan *p, const bool *mine,
                            vk_weight_use *use, moshi_error *err);
void vk_weights_drop(vk_context *ctx, vk_weights *all, vk_weight_use *use);

/* NULL if it is not there. */
const vk_weight *vk_weights_find(const vk_weight_use *use,
                                 const plan_tensor *t);
const vk_weight *vk_weights_extra(const vk_weight_use *use, vk_extra extra,
                                  const void *key, size_t n);

#endif
