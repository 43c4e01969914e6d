/* run.h: what the operations of the Vulkan backend see of a run.
 *
 * Internal to src/vulkan. A program is the list of dispatches that one frame
 * of n lanes takes, written once by the operations below and recorded into
 * command buffers. All frame tensors lie in one buffer, as on the CPU: n
 * blocks of the tensor's bytes, side by side. */
#ifndef MOSHI_VULKAN_RUN_H
#define MOSHI_VULKAN_RUN_H

#include "base/limits.h"
#include "plan/backend.h"
#include "vulkan/memory.h"
#include "vulkan/pipelines.h"
#include "vulkan/state_pool.h"
#include "vulkan/weights.h"

typedef struct vk_backend {
    backend table; /* first: the handle that callers hold */
    vk_context *ctx;
    vk_transfer transfer;
    vk_pipelines pipelines;
    vk_weights weights;
    vk_pools pools;
    vk_buffer ruler[2]; /* owned, once asked for: copied to measure a rate */
} vk_backend;

struct plan_state {
    vk_backend *backend;
    vk_pool *pool;
    size_t slot;
    int64_t frame; /* frames run since the last reset */
};

enum { VK_READS = 1, VK_WRITES = 2 };

/* Bytes of a buffer that a dispatch touches. */
typedef struct vk_span {
    VkBuffer buffer;
    VkDeviceSize begin, end;
    bool writes;
} vk_span;

typedef struct vk_dispatch {
    size_t op; /* index in the plan */
    VkPipeline pipeline;
    VkDescriptorBufferInfo bind[VK_BINDINGS];
    VkDescriptorSet set;
    /* common.glsl: at[4], stride[4], slots, p[23] */
    uint32_t push[VK_PUSH_WORDS];
    uint32_t groups[3];
    vk_span spans[4];
    int n_spans;
} vk_dispatch;
#define VK_PUSH_AT     0
#define VK_PUSH_STRIDE 4
#define VK_PUSH_SLOTS  8
#define VK_PUSH_P      9

typedef struct vk_program {
    int lanes;
    unsigned generation; /* of the pool, when it was written */
    vk_dispatch *dispatches; /* owned */
    size_t n, room;
    VkDescriptorPool sets;
    VkCommandBuffer *commands; /* owned, one a segment; NULL: not recorded */
} vk_program;

/* Runs of neighbouring operations that are run here. */
typedef struct vk_range {
    size_t first, end;
} vk_range;

struct plan_runner {
    vk_backend *backend;
    const plan *plan;
    const bool *mine;     /* borrowed; NULL: all operations */
    vk_range *ranges;     /* owned: of `mine` */
    size_t n_ranges;
    int lanes_max;
    vk_pool *pool;
    vk_weight_use weights;
    vk_buffer scratch;    /* steps, then the frame tensors */
    vk_buffer partial;    /* sums of attention's chunks: ops_attention.c */
    vk_buffer inputs;     /* host: steps, then pinned tensors, as in scratch */
    vk_buffer outputs;    /* host: pinned tensors */
    VkDeviceSize *io;     /* owned: place of a pinned tensor in both */
    VkCommandPool commands;
    VkCommandBuffer once; /* for tracing */
    VkFence fence;
    vk_program *programs; /* owned, [lanes_max + 1]; lanes 0: not written */
    plan_state *const *states; /* of the run in progress */
    int n_lanes;
    bool in_run;
};

/* Room for a slot and a position for each lane, in front of the tensors. */
#define VK_STEPS_BYTES (LIMIT_LANES * 2 * sizeof(uint32_t))

/* Bytes from lane to lane of a frame tensor; its place in the scratch. */
size_t vk_lane_bytes(const plan_tensor *t);
VkDeviceSize vk_scratch_at(const plan_runner *r, const plan_tensor *t);

/* --- writing a program --- */

typedef struct vk_build {
    plan_runner *r;
    vk_program *program;
    const plan_op *op;
    size_t op_index;
    moshi_status status; /* the first failure; later calls do nothing */
    moshi_error *err;
} vk_build;

/* A new dispatch of a shader, its operands bound to nothing. constant: of the
 * shader, 0 if it has none. Never NULL. */
vk_dispatch *vk_emit(vk_build *b, uint32_t constant, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Operand 0 … 3 is that tensor (TENSOR_NONE: nothing). access: VK_READS,
 * VK_WRITES or both. */
void vk_bind(vk_build *b, vk_dispatch *d, int operand, tensor_id tensor,
             int access);
void vk_bind_extra(vk_build *b, vk_dispatch *d, int operand, vk_extra extra,
                   const void *key, size_t n);
/* That many bytes a lane of r->partial. */
void vk_bind_partial(vk_build *b, vk_dispatch *d, int operand, size_t bytes,
                     int access);
/* Lanes go along z. */
void vk_grid(vk_build *b, vk_dispatch *d, size_t x, size_t y);
/* The operation cannot be run on this device. */
void vk_refuse(vk_build *b, const char *reason);

static inline const plan_tensor *vk_tensor(const vk_build *b, tensor_id id)
{
    return &b->r->plan->tensors[id];
}

static inline uint32_t vk_bits(float f)
{
    union { float f; uint32_t u; } bits = {f};
    return bits.u;
}

/* "bf16": as in the names of the shaders; static. */
const char *vk_type_name(dtype type);

typedef void vk_operation(vk_build *b, const plan_op *op);
#define VK_OPERATION_DECLARE(kind) vk_operation vk_op_##kind;
OP_KINDS(VK_OPERATION_DECLARE)
#undef VK_OPERATION_DECLARE

/* What an operation needs of r->partial, a lane; 0 for most. */
size_t vk_attention_partial_bytes(const plan *p, const plan_op *op);

/* Write and record the program for n lanes, if it is not there yet or the
 * streams have moved. The caller holds the lock. */
moshi_status vk_program_ready(plan_runner *r, int lanes, moshi_error *err);
void vk_program_close(plan_runner *r, vk_program *program);
/* Record the dispatches of operations [first, end). prologue, epilogue: copy
 * inputs in, outputs out. */
void vk_program_record(plan_runner *r, const vk_program *program,
                       VkCommandBuffer commands, size_t first, size_t end,
                       bool prologue, bool epilogue);

#endif
