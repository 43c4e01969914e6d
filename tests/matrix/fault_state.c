/* fault_state.c: faults of what a stream remembers, and of the walk over a
 * plan: the backend's table with some of its functions exchanged. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cpu/backend.h"
#include "cpu/run.h"
#include "faults.h"
#include "plan/hooks.h"

#define SLEEP_US 200000
#define START_POSITION 8
#define BLOCKS_MAX 64

static backend real; /* the functions of the CPU backend */

static bool is_plan(const plan *p, const char *name)
{
    return strcmp(p->name, name) == 0;
}

/* --- one block of bytes for several states --- */

/* Blocks are given back with their last user. */
static struct block {
    const plan *plan; /* of the state it was made for */
    char *bytes;
    int users;
} blocks[BLOCKS_MAX];

static struct block *block_of(const char *bytes)
{
    for (int i = 0; i < BLOCKS_MAX; i++)
        if (blocks[i].users && blocks[i].bytes == bytes)
            return &blocks[i];
    return NULL;
}

/* The block made last for a plan of that name. */
static struct block *block_for(const char *name)
{
    for (int i = BLOCKS_MAX; i-- > 0;)
        if (blocks[i].users && is_plan(blocks[i].plan, name))
            return &blocks[i];
    return NULL;
}

static void found_block(plan_state *s, size_t bytes)
{
    int i = BLOCKS_MAX - 1;
    while (i > 0 && !blocks[i - 1].users)
        i--;
    if (blocks[i].users)
        return;
    memory_aligned_free(s->bytes);
    s->bytes = memory_aligned_calloc(bytes);
    blocks[i] = (struct block){s->plan, s->bytes, 1};
}

static void join_block(plan_state *s, struct block *b)
{
    memory_aligned_free(s->bytes);
    s->bytes = b->bytes;
    b->users++;
}

static void leave_block(plan_state *s)
{
    struct block *b = block_of(s->bytes);
    if (b && --b->users > 0)
        s->bytes = NULL;
}

/* --- states --- */

static void fill_caches(plan_state *s)
{
    for (size_t i = 0; i < s->plan->n_ops; i++) {
        const plan_op *op = &s->plan->ops[i];
        if (op->kind != OP_KV_APPEND ||
            s->plan->tensors[op->out].space != PLAN_STATE)
            continue;
        const plan_tensor *t = &s->plan->tensors[op->out];
        float *x = (float *)(void *)(s->bytes + t->offset);
        for (size_t j = 0; j < t->bytes / sizeof *x; j++)
            x[j] = sinf((float)(j % 1000));
    }
    s->frame = START_POSITION;
}

static moshi_status state_open(backend *self, const plan *p, plan_state **out,
                               moshi_error *err)
{
    moshi_status status = real.state_open(self, p, out, err);
    if (status != MOSHI_OK)
        return status;
    if (fault_is(FAULT_CACHE_NOT_EMPTY) && is_plan(p, "lm"))
        fill_caches(*out);
    if (fault_is(FAULT_CACHE_SHARED) && is_plan(p, "lm")) {
        struct block *b = block_for("lm");
        if (b)
            join_block(*out, b);
        else
            found_block(*out, p->state_bytes);
    }
    if (fault_is(FAULT_ENCODER_STREAM)) {
        struct block *b = block_for("mimi.encoder");
        if (is_plan(p, "mimi.encoder")) /* room for either side */
            found_block(*out, p->state_bytes + ((size_t)16 << 20));
        else if (is_plan(p, "mimi.decoder") && b)
            join_block(*out, b);
    }
    return status;
}

static void state_close(plan_state **s)
{
    if (*s)
        leave_block(*s);
    real.state_close(s);
}

static void state_reset(plan_state *s)
{
    if (fault_is(FAULT_NO_RESET) && is_plan(s->plan, "lm"))
        return;
    real.state_reset(s);
}

/* --- runs --- */

static void gelu_by_tanh(void *user, plan_runner *r, const plan_op *op)
{
    (void)user;
    if (op->kind != OP_GELU)
        return;
    for (int lane = 0; lane < r->n_lanes; lane++) {
        const float *x = cpu_floats(r, op->in[0], lane);
        float *y = cpu_floats(r, op->out, lane);
        size_t n = cpu_tensor(r, op->out)->bytes / sizeof *y;
        for (size_t i = 0; i < n; i++)
            y[i] = 0.5f * x[i] *
                   (1 + tanhf(0.7978845608f *
                              (x[i] + 0.044715f * x[i] * x[i] * x[i])));
    }
}

static void run(plan_runner *r, plan_state *const *states, int n,
                const plan_hook *hook)
{
    bool codec = !is_plan(r->plan, "lm");
    const plan_hook wrong = {gelu_by_tanh, NULL, NULL};
    plan_hook_pair pair = {&wrong, hook};
    plan_hook both = plan_hook_both(&pair);
    for (int i = 0; i < n; i++)
        if (fault_is(codec ? FAULT_CODEC_RESET_EVERY_FRAME
                           : FAULT_RESET_EVERY_FRAME))
            real.state_reset(states[i]);
    if (fault_is(FAULT_SLOW) && is_plan(r->plan, "mimi.decoder"))
        usleep(SLEEP_US);
    real.run(r, states, n, fault_is(FAULT_GELU_TANH) ? &both : hook);
}

moshi_status __real_cpu_backend_open(backend **out, int threads,
                                     cpu_level level, moshi_error *err);
moshi_status __wrap_cpu_backend_open(backend **out, int threads,
                                     cpu_level level, moshi_error *err);

moshi_status __wrap_cpu_backend_open(backend **out, int threads,
                                     cpu_level level, moshi_error *err)
{
    moshi_status status = __real_cpu_backend_open(out, threads, level, err);
    if (status != MOSHI_OK)
        return status;
    real = **out;
    (*out)->state_open = state_open;
    (*out)->state_close = state_close;
    (*out)->state_reset = state_reset;
    (*out)->run = run;
    return status;
}
