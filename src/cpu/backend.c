/* backend.c: runners, and the walk over the plan (stream states: state.c).
 *
 * The walk is the whole executor: each operation cuts its own work into tasks
 * for the pool, or does it in the calling thread when it is small. */
#include "cpu/backend.h"

#include <assert.h>
#include <string.h>

#include "base/denormals.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/memory.h"
#include "cpu/run.h"

typedef struct cpu_backend {
    backend table; /* first: the handle that callers hold */
    pool *pool;
    const kernel_table *kernels;
} cpu_backend;

static cpu_operation *const operations[OP_KIND_COUNT] = {
#define OPERATION_ROW(kind) [OP_##kind] = cpu_op_##kind,
    OP_KINDS(OPERATION_ROW)
#undef OPERATION_ROW
};

/* --- runners --- */

static void runner_close(plan_runner **handle)
{
    if (!*handle)
        return;
    memory_aligned_free((*handle)->scratch);
    memory_aligned_free((*handle)->worker_scratch);
    memory_aligned_free((*handle)->columns);
    memory_free(*handle);
    *handle = NULL;
}

/* The most floats that an operation asks of a worker: scores of an attention
 * head, or the probabilities of a sampled vocabulary. */
static size_t worker_floats(const plan *p)
{
    size_t most = p->attention_keys_max;
    for (size_t i = 0; i < p->n_ops; i++)
        if (p->ops[i].kind == OP_SAMPLE) {
            size_t n = p->tensors[p->ops[i].in[0]].width;
            most = n > most ? n : most;
        }
    return size_round_up(most, MEMORY_ALIGNMENT / sizeof(float));
}

/* The most bytes of 8-bit activations that an operation asks of a lane. */
static size_t column_bytes(const plan *p)
{
    size_t most = 0;
    for (size_t i = 0; i < p->n_ops; i++) {
        size_t n = cpu_linear_column_bytes(p, &p->ops[i]);
        most = n > most ? n : most;
    }
    return most;
}

static moshi_status runner_open(backend *self, const plan *p, int lanes_max,
                                plan_runner **out, moshi_error *err)
{
    cpu_backend *cpu = (cpu_backend *)self;
    if (lanes_max < 1 || lanes_max > LIMIT_LANES)
        return error_set(err, MOSHI_ARGUMENT,
                         "%d lanes asked for; between 1 and %d are possible",
                         lanes_max, LIMIT_LANES);
    plan_runner *r = memory_calloc(1, sizeof *r);
    size_t scratch, worker, columns;
    if (!r)
        return error_no_memory(err, "a runner");
    r->plan = p;
    r->kernels = cpu->kernels;
    r->pool = cpu->pool;
    r->lanes_max = lanes_max;
    r->worker_floats = worker_floats(p);
    if (size_mul(p->frame_bytes, (size_t)lanes_max, &scratch) &&
        size_mul(r->worker_floats * sizeof(float),
                 (size_t)pool_threads(cpu->pool), &worker) &&
        size_mul(column_bytes(p), (size_t)lanes_max, &columns)) {
        r->scratch = memory_aligned_calloc(scratch);
        r->worker_scratch = memory_aligned_calloc(worker);
        r->columns = memory_aligned_calloc(columns);
    }
    if (!r->scratch || !r->worker_scratch || !r->columns) {
        runner_close(&r);
        return error_no_memory(err, "the scratch of a frame");
    }
    *out = r;
    return MOSHI_OK;
}

static void run_part(plan_runner *r, plan_state *const *states, int n,
                     size_t first, size_t end, const plan_hook *hook)
{
    const plan *p = r->plan;
    assert(n >= 0 && n <= r->lanes_max && end <= p->n_ops);
    if (n == 0)
        return;
    unsigned denormals = denormals_flush();
    r->states = states;
    r->n_lanes = n;
    for (size_t i = first; i < end; i++) {
        operations[p->ops[i].kind](r, &p->ops[i]);
        if (hook)
            hook->after(hook->user, r, &p->ops[i]);
    }
    denormals_restore(denormals);
}

static void run(plan_runner *r, plan_state *const *states, int n,
                const plan_hook *hook)
{
    run_part(r, states, n, 0, r->plan->n_ops, hook);
    for (int lane = 0; lane < n; lane++)
        states[lane]->frame++;
    for (int lane = 0; lane < n; lane++)
        if (cpu_state_gather(states[lane], 1))
            break; /* one page is what a frame may wait for */
}

/* Memory that is not touched costs nothing: a part has what a whole has. */
static moshi_status part_state_open(backend *self, const plan *p,
                                    const bool *mine, plan_state **out,
                                    moshi_error *err)
{
    (void)mine;
    return cpu_state_open(self, p, out, err);
}

static moshi_status part_open(backend *self, const plan *p, int lanes_max,
                              const bool *mine, plan_runner **out,
                              moshi_error *err)
{
    (void)mine;
    return runner_open(self, p, lanes_max, out, err);
}

static void write_tensor(plan_runner *r, tensor_id tensor, int lane,
                         const void *data)
{
    memcpy(cpu_data(r, tensor, lane), data, cpu_tensor(r, tensor)->bytes);
}

static void read_tensor(const plan_runner *r, tensor_id tensor, int lane,
                        void *data)
{
    memcpy(data, cpu_data(r, tensor, lane), cpu_tensor(r, tensor)->bytes);
}

static int lanes(const plan_runner *r)
{
    return r->n_lanes;
}

/* --- the backend --- */

static void backend_close(backend **self)
{
    if (!*self)
        return;
    cpu_backend *cpu = (cpu_backend *)*self;
    pool_close(&cpu->pool);
    memory_free(cpu);
    *self = NULL;
}

moshi_status cpu_backend_open(backend **out, int threads, cpu_level level,
                              moshi_error *err)
{
    static const backend table = {
        .name = "cpu",
        .panels = true,
        .close = backend_close,
        .state_open = cpu_state_open,
        .state_close = cpu_state_close,
        .state_reset = cpu_state_reset,
        .state_seek = cpu_state_seek,
        .state_write = cpu_state_write,
        .state_read = cpu_state_read,
        .runner_open = runner_open,
        .runner_close = runner_close,
        .run = run,
        .write = write_tensor,
        .read = read_tensor,
        .lanes = lanes,
        .part_state_open = part_state_open,
        .part_open = part_open,
        .run_part = run_part,
    };
    cpu_backend *cpu = memory_calloc(1, sizeof *cpu);
    if (!cpu)
        return error_no_memory(err, "the CPU backend");
    cpu->table = table;
    cpu->kernels = kernels_for(level == CPU_LEVEL_COUNT ? cpu_level_chosen()
                                                        : level);
    moshi_status status = pool_open(&cpu->pool, threads, err);
    if (status != MOSHI_OK) {
        memory_free(cpu);
        return status;
    }
    *out = &cpu->table;
    return MOSHI_OK;
}

int cpu_backend_threads(const backend *self)
{
    return self->close == backend_close
               ? pool_threads(((const cpu_backend *)self)->pool) : 0;
}

cpu_level cpu_backend_level(const backend *self)
{
    return self->close == backend_close
               ? ((const cpu_backend *)self)->kernels->level : CPU_LEVEL_COUNT;
}
