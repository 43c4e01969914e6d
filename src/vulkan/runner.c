/* runner.c: open runners; one frame. */
#include "vulkan/runner.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "vulkan/layout.h"

/* --- opening --- */

static bool is_pinned(const plan_tensor *t)
{
    return t->space == PLAN_FRAME && t->pinned;
}

/* A run of neighbouring operations ends where others are left to another
 * backend, and after the text token is chosen: clocks look there, and what
 * they look at must not keep the rest from being replayed. */
static bool ends_range(const plan_runner *r, size_t i)
{
    const plan_op *op = &r->plan->ops[i];
    return i + 1 == r->plan->n_ops || (r->mine && !r->mine[i + 1]) ||
           (op->kind == OP_SAMPLE && op->p.sample.text);
}

static bool find_ranges(plan_runner *r)
{
    size_t room = 0, first = 0;
    for (size_t i = 0; i < r->plan->n_ops; i++) {
        if (r->mine && !r->mine[i]) {
            first = i + 1;
            continue;
        }
        if (!ends_range(r, i))
            continue;
        if (!memory_grow((void **)&r->ranges, &room, r->n_ranges + 1,
                         sizeof *r->ranges))
            return false;
        r->ranges[r->n_ranges++] = (vk_range){first, i + 1};
        first = i + 1;
    }
    return true;
}

/* Places of the pinned tensors in the host's buffers; their size. */
static VkDeviceSize place_io(plan_runner *r)
{
    VkDeviceSize bytes = VK_STEPS_BYTES;
    for (size_t i = 0; i < r->plan->n_tensors; i++) {
        const plan_tensor *t = &r->plan->tensors[i];
        if (!is_pinned(t))
            continue;
        r->io[i] = bytes;
        bytes += vk_lane_bytes(t) * (size_t)r->lanes_max;
    }
    return bytes;
}

/* Of attention's chunks, of all lanes: one operation after the other has it. */
static VkDeviceSize partial_bytes(const plan_runner *r)
{
    size_t most = 0;
    for (size_t i = 0; i < r->plan->n_ops; i++) {
        size_t n = vk_attention_partial_bytes(r->plan, &r->plan->ops[i]);
        if ((!r->mine || r->mine[i]) && n > most)
            most = n;
    }
    return (VkDeviceSize)most * (size_t)r->lanes_max;
}

static moshi_status open_buffers(plan_runner *r, moshi_error *err)
{
    vk_context *ctx = r->backend->ctx;
    VkDeviceSize partial = partial_bytes(r);
    VkDeviceSize io = place_io(r), scratch =
        VK_STEPS_BYTES +
        (VkDeviceSize)r->plan->frame_bytes * (size_t)r->lanes_max;
    if (scratch > ctx->info.buffer_bytes_max ||
        partial > ctx->info.buffer_bytes_max)
        return error_set(err, MOSHI_LACKING, "the GPU '%s' cannot see the "
                         "%.1f MB of a frame of %d lanes at once",
                         ctx->info.name,
                         (double)(scratch > partial ? scratch : partial) * 1e-6,
                         r->lanes_max);
    moshi_status status = vk_buffer_open(ctx, &r->scratch, VK_MEMORY_DEVICE,
                                         scratch, "a frame", err);
    if (status == MOSHI_OK && partial > 0)
        status = vk_buffer_open(ctx, &r->partial, VK_MEMORY_DEVICE, partial,
                                "a frame", err);
    if (status == MOSHI_OK)
        status = vk_buffer_open(ctx, &r->inputs, VK_MEMORY_UPLOAD, io,
                                "a frame's inputs", err);
    if (status == MOSHI_OK)
        status = vk_buffer_open(ctx, &r->outputs, VK_MEMORY_READBACK, io,
                                "a frame's outputs", err);
    if (status == MOSHI_OK) {
        memset(r->inputs.mapped, 0, io);
        memset(r->outputs.mapped, 0, io);
        vk_zero(ctx, &r->backend->transfer, &r->scratch, 0,
                r->scratch.bytes / 4 * 4);
    }
    return status;
}

static moshi_status open_commands(plan_runner *r, moshi_error *err)
{
    vk_context *ctx = r->backend->ctx;
    VkCommandPoolCreateInfo pool = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
        .queueFamilyIndex = ctx->family};
    VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkResult result = ctx->api.CreateCommandPool(ctx->device, &pool, NULL,
                                                 &r->commands);
    VkCommandBufferAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = r->commands,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = 1};
    if (result == VK_SUCCESS)
        result = ctx->api.AllocateCommandBuffers(ctx->device, &info, &r->once);
    if (result == VK_SUCCESS)
        result = ctx->api.CreateFence(ctx->device, &fence, NULL, &r->fence);
    return result == VK_SUCCESS
               ? MOSHI_OK
               : vk_failure(ctx, result, "preparing a frame", err);
}

void vk_runner_close(plan_runner **handle)
{
    plan_runner *r = *handle;
    if (!r)
        return;
    vk_backend *be = r->backend;
    vk_context *ctx = be->ctx;
    vk_lock(ctx);
    for (int i = 0; r->programs && i <= r->lanes_max; i++)
        vk_program_close(r, &r->programs[i]);
    if (r->fence)
        ctx->api.DestroyFence(ctx->device, r->fence, NULL);
    if (r->commands)
        ctx->api.DestroyCommandPool(ctx->device, r->commands, NULL);
    vk_buffer_close(ctx, &r->scratch);
    vk_buffer_close(ctx, &r->partial);
    vk_buffer_close(ctx, &r->inputs);
    vk_buffer_close(ctx, &r->outputs);
    vk_weights_drop(ctx, &be->weights, &r->weights);
    if (r->pool)
        vk_pool_drop(ctx, &be->pools, r->pool);
    vk_unlock(ctx);
    memory_free(r->programs);
    memory_free(r->ranges);
    memory_free(r->io);
    memory_free(r);
    *handle = NULL;
}

/* What cannot be run is found now, and all shaders are compiled: no frame is
 * to wait for that. Products of few columns have their own (ops_linear.c), so
 * programs of few lanes are written too; any other takes no shader that these
 * do not take. */
static moshi_status open_programs(plan_runner *r, moshi_error *err)
{
    static const int few[] = {1, 2, 3, 5};
    moshi_status status = vk_program_ready(r, r->lanes_max, err);
    for (size_t i = 0; i < sizeof few / sizeof *few; i++)
        if (status == MOSHI_OK && few[i] < r->lanes_max)
            status = vk_program_ready(r, few[i], err);
    return status;
}

static moshi_status open_locked(plan_runner *r, moshi_error *err)
{
    vk_backend *be = r->backend;
    moshi_status status = vk_weights_use(be->ctx, &be->weights, &be->transfer,
                                         r->plan, r->mine, &r->weights, err);
    if (status == MOSHI_OK)
        status = vk_pool_use(&be->pools, r->plan, r->mine, &r->pool, err);
    if (status == MOSHI_OK)
        status = open_buffers(r, err);
    if (status == MOSHI_OK)
        status = open_commands(r, err);
    if (status == MOSHI_OK)
        status = open_programs(r, err);
    if (status == MOSHI_OK && be->ctx->failure != VK_SUCCESS)
        status = vk_failure(be->ctx, be->ctx->failure, be->ctx->failed_at,
                            err);
    return status;
}

moshi_status vk_runner_open(vk_backend *be, const plan *p, int lanes_max,
                            const bool *mine, plan_runner **out,
                            moshi_error *err)
{
    moshi_error ignored; /* a hint needs one (error.h) */
    err = err ? err : &ignored;
    if (lanes_max < 1 || lanes_max > LIMIT_LANES)
        return error_set(err, MOSHI_ARGUMENT,
                         "%d lanes asked for; between 1 and %d are possible",
                         lanes_max, LIMIT_LANES);
    plan_runner *r = memory_calloc(1, sizeof *r);
    if (!r)
        return error_no_memory(err, "a runner");
    r->backend = be;
    r->plan = p;
    r->mine = mine;
    r->lanes_max = lanes_max;
    r->programs = memory_calloc((size_t)lanes_max + 1, sizeof *r->programs);
    r->io = memory_calloc(p->n_tensors + 1, sizeof *r->io);
    moshi_status status = r->programs && r->io && find_ranges(r)
                              ? MOSHI_OK : error_no_memory(err, "a runner");
    if (status == MOSHI_OK) {
        vk_lock(be->ctx);
        status = open_locked(r, err);
        vk_unlock(be->ctx);
    }
    if (status != MOSHI_OK) {
        vk_runner_close(&r);
        return status;
    }
    *out = r;
    return MOSHI_OK;
}

/* --- running --- */

static void write_steps(plan_runner *r)
{
    uint32_t *steps = r->inputs.mapped;
    for (int lane = 0; lane < r->n_lanes; lane++) {
        steps[2 * lane] = (uint32_t)r->states[lane]->slot;
        steps[2 * lane + 1] = (uint32_t)(r->states[lane]->frame *
                                         r->plan->steps);
    }
}

static void submit(plan_runner *r, VkCommandBuffer commands)
{
    vk_context *ctx = r->backend->ctx;
    vk_lock(ctx);
    bool sent = vk_submit(ctx, commands, r->fence, "running a frame");
    vk_unlock(ctx);
    if (sent)
        vk_wait(ctx, r->fence, "running a frame");
}

/* Operations [first, end) on their own. */
static void run_once(plan_runner *r, size_t first, size_t end, bool prologue,
                     bool epilogue)
{
    vk_context *ctx = r->backend->ctx;
    if (!vk_begin(ctx, r->once, true))
        return;
    vk_program_record(r, &r->programs[r->n_lanes], r->once, first, end,
                      prologue, epilogue);
    if (!vk_failed(ctx, ctx->api.EndCommandBuffer(r->once), "recording"))
        submit(r, r->once);
}

/* The program must be the one for the places that the streams have now: from
 * here to the submission the lock is held. */
static bool make_ready(plan_runner *r)
{
    vk_context *ctx = r->backend->ctx;
    moshi_error ignored;
    if (ctx->failure != VK_SUCCESS)
        return false;
    if (vk_program_ready(r, r->n_lanes, &ignored) == MOSHI_OK)
        return true;
    vk_failed(ctx, VK_ERROR_OUT_OF_HOST_MEMORY, "preparing a frame");
    return false;
}

static void begin(plan_runner *r, plan_state *const *states, int n)
{
    assert(n > 0 && n <= r->lanes_max);
    r->states = states;
    r->n_lanes = n;
    write_steps(r);
}

/* Is the hook about an operation inside the range, before its last? */
static bool wants_inside(const plan_runner *r, vk_range ops,
                         const plan_hook *hook)
{
    for (size_t i = ops.first; i + 1 < ops.end; i++)
        if (plan_hook_wants(hook, &r->plan->ops[i]))
            return true;
    return false;
}

/* As it was recorded. */
static void replay(plan_runner *r, size_t range)
{
    vk_context *ctx = r->backend->ctx;
    vk_lock(ctx);
    bool sent = make_ready(r) &&
                vk_submit(ctx, r->programs[r->n_lanes].commands[range],
                          r->fence, "running a frame");
    vk_unlock(ctx);
    if (sent)
        vk_wait(ctx, r->fence, "running a frame");
}

/* From one operation that the hook is about to the next. */
static void run_with_stops(plan_runner *r, size_t range,
                           const plan_hook *hook)
{
    vk_context *ctx = r->backend->ctx;
    vk_range ops = r->ranges[range];
    vk_lock(ctx);
    bool ready = make_ready(r);
    vk_unlock(ctx);
    if (range == 0 && ready)
        run_once(r, 0, 0, true, false);
    size_t done = ops.first;
    for (size_t i = ops.first; i < ops.end; i++) {
        bool wanted = plan_hook_wants(hook, &r->plan->ops[i]);
        if (!wanted && i + 1 < ops.end)
            continue;
        if (ready)
            run_once(r, done, i + 1, false, false);
        done = i + 1;
        if (wanted)
            hook->after(hook->user, r, &r->plan->ops[i]);
    }
    if (range + 1 == r->n_ranges && ready)
        run_once(r, 0, 0, false, true);
}

void vk_runner_run_range(plan_runner *r, plan_state *const *states, int n,
                         size_t range, const plan_hook *hook)
{
    vk_range ops = r->ranges[range];
    begin(r, states, n);
    r->in_run = true;
    if (hook && wants_inside(r, ops, hook)) {
        run_with_stops(r, range, hook);
    } else {
        replay(r, range);
        if (hook && plan_hook_wants(hook, &r->plan->ops[ops.end - 1]))
            hook->after(hook->user, r, &r->plan->ops[ops.end - 1]);
    }
    /* Between the parts of a split frame tensors are read where they are. */
    r->in_run = r->mine && range + 1 < r->n_ranges;
}

void vk_runner_run_part(plan_runner *r, plan_state *const *states, int n,
                        size_t first, size_t end, const plan_hook *hook)
{
    for (size_t i = 0; i < r->n_ranges; i++)
        if (r->ranges[i].first >= first && r->ranges[i].end <= end)
            vk_runner_run_range(r, states, n, i, hook);
}

void vk_runner_run(plan_runner *r, plan_state *const *states, int n,
                   const plan_hook *hook)
{
    if (n == 0)
        return;
    for (size_t i = 0; i < r->n_ranges; i++)
        vk_runner_run_range(r, states, n, i, hook);
    for (int lane = 0; lane < n; lane++)
        states[lane]->frame++;
}

/* --- tensors --- */

static VkDeviceSize lane_at(const plan_runner *r, const plan_tensor *t,
                            int lane)
{
    return vk_scratch_at(r, t) + vk_lane_bytes(t) * (size_t)lane;
}

static bool is_input(const plan_runner *r, tensor_id tensor)
{
    plan_value unused;
    return plan_value_of_input(r->plan, tensor, &unused);
}

static size_t q8_0_blocks(const plan_tensor *t)
{
    return t->rows * t->width / 32;
}

static void write_device(plan_runner *r, tensor_id tensor, int lane,
                         const void *data)
{
    vk_backend *be = r->backend;
    const plan_tensor *t = &r->plan->tensors[tensor];
    void *turned = NULL;
    if (t->type == DTYPE_Q8_0) {
        turned = memory_calloc(1, t->bytes);
        if (!turned) {
            vk_failed(be->ctx, VK_ERROR_OUT_OF_HOST_MEMORY, "writing");
            return;
        }
        vk_layout_q8_0_in(q8_0_blocks(t), data, turned);
    }
    vk_lock(be->ctx);
    if (t->space == PLAN_STATE) {
        const vk_region *g = &r->pool->regions[tensor];
        vk_write(be->ctx, &be->transfer, &r->pool->chunks[g->chunk],
                 g->at + g->stride * r->states[lane]->slot, data, t->bytes);
    } else {
        vk_write(be->ctx, &be->transfer, &r->scratch, lane_at(r, t, lane),
                 turned ? turned : data, t->bytes);
    }
    vk_unlock(be->ctx);
    memory_free(turned);
}

void vk_runner_write(plan_runner *r, tensor_id tensor, int lane,
                     const void *data)
{
    const plan_tensor *t = &r->plan->tensors[tensor];
    if (is_input(r, tensor) && t->type != DTYPE_Q8_0)
        memcpy((char *)r->inputs.mapped + r->io[tensor] +
                   vk_lane_bytes(t) * (size_t)lane, data, t->bytes);
    if (r->in_run || !is_input(r, tensor))
        write_device(r, tensor, lane, data);
}

void vk_runner_read(const plan_runner *r, tensor_id tensor, int lane,
                    void *data)
{
    vk_backend *be = r->backend;
    const plan_tensor *t = &r->plan->tensors[tensor];
    if (t->space == PLAN_WEIGHT) {
        memcpy(data, t->data, t->bytes);
        return;
    }
    if (!r->in_run && is_pinned(t) && t->type != DTYPE_Q8_0) {
        memcpy(data, (const char *)r->outputs.mapped + r->io[tensor] +
                         vk_lane_bytes(t) * (size_t)lane, t->bytes);
        return;
    }
    vk_lock(be->ctx);
    if (t->space == PLAN_STATE) {
        const vk_region *g = &r->pool->regions[tensor];
        vk_read(be->ctx, &be->transfer, &r->pool->chunks[g->chunk],
                g->at + g->stride * r->states[lane]->slot, data, t->bytes);
    } else {
        vk_read(be->ctx, &be->transfer, &r->scratch, lane_at(r, t, lane),
                data, t->bytes);
    }
    vk_unlock(be->ctx);
    if (t->type == DTYPE_Q8_0 && t->space == PLAN_FRAME) {
        void *turned = memory_calloc(1, t->bytes);
        if (turned) {
            vk_layout_q8_0_out(q8_0_blocks(t), data, turned);
            memcpy(data, turned, t->bytes);
        } else {
            memset(data, 0, t->bytes);
        }
        memory_free(turned);
    }
}

int vk_runner_lanes(const plan_runner *r)
{
    return r->n_lanes;
}
