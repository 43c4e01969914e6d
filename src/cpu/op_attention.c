/* op_attention.c: rotary positions, the key/value ring, attention. */
#include <math.h>
#include <string.h>

#include "cpu/run.h"

/* Attention below this many multiply-adds stays in the calling thread. */
#define SMALL_WORK 32768u

void cpu_op_ROPE_TABLE(plan_runner *r, const plan_op *op)
{
    const float *frequency = cpu_floats(r, op->in[0], 0);
    size_t half = cpu_tensor(r, op->in[0])->width;
    size_t steps = cpu_tensor(r, op->out)->rows;
    for (int lane = 0; lane < r->n_lanes; lane++) {
        int64_t first = cpu_position(r, OP_POSITION_STREAM, lane);
        float *row = cpu_floats(r, op->out, lane);
        for (size_t t = 0; t < steps; t++, row += 2 * half) {
            /* The angle is a float32 product, as in the official engines: a
             * double would be 1e-4 rad off at position 3000. */
            float position = (float)(first + (int64_t)t);
            for (size_t i = 0; i < half; i++) {
                float angle = position * frequency[i];
                row[i] = cosf(angle);
                row[half + i] = sinf(angle);
            }
        }
    }
}

static void rotate_head(float *y, const float *x, const float *table,
                        size_t half, bool concat)
{
    size_t pair = concat ? half : 1, step = concat ? 1 : 2;
    for (size_t i = 0; i < half; i++) {
        float a = x[i * step], b = x[i * step + pair];
        float c = table[i], s = table[half + i];
        y[i * step] = a * c - b * s;
        y[i * step + pair] = a * s + b * c;
    }
}

void cpu_op_ROPE(plan_runner *r, const plan_op *op)
{
    const plan_tensor *t = cpu_tensor(r, op->in[0]);
    size_t hd = (size_t)op->p.rope.head_dim;
    size_t rotated = (size_t)(op->p.rope.heads + op->p.rope.kv_heads);
    size_t steps = cpu_tensor(r, op->in[1])->rows;
    for (int lane = 0; lane < r->n_lanes; lane++)
        for (size_t row = 0; row < t->rows; row++) {
            const float *x = cpu_floats(r, op->in[0], lane) + row * t->width;
            float *y = cpu_floats(r, op->out, lane) + row * t->width;
            const float *table =
                cpu_floats(r, op->in[1], lane) + row % steps * hd;
            for (size_t h = 0; h < rotated; h++)
                rotate_head(y + h * hd, x + h * hd, table, hd / 2,
                            op->p.rope.concat);
            memcpy(y + rotated * hd, x + rotated * hd,
                   (t->width - rotated * hd) * sizeof *y);
        }
}

/* Where keys and values lie. A stream's own past lies head by head, so that
 * what a head reads is one run of memory: [branch][k, v][head][slot][hd]. The
 * source of cross-attention is written from outside, row by row, as the plan
 * has it: [branch][slot][k, v][head][hd]. */
typedef struct cache_layout {
    size_t branch, half, head, slot; /* bytes from one to the next */
} cache_layout;

static cache_layout layout_of(const plan_tensor *cache, const plan_op *op)
{
    size_t capacity = (size_t)op->p.attention.capacity;
    size_t heads = (size_t)op->p.attention.kv_heads;
    size_t bytes = cache->row_bytes / (2 * heads); /* of a key */
    cache_layout l = {.branch = capacity * cache->row_bytes};
    if (op->p.attention.window == OP_WINDOW_SOURCE) {
        l.half = cache->row_bytes / 2;
        l.head = bytes;
        l.slot = cache->row_bytes;
    } else {
        l.half = heads * capacity * bytes;
        l.head = capacity * bytes;
        l.slot = bytes;
    }
    return l;
}

/* One key or value of hd floats. */
static void cache_put(const kernel_table *k, dtype type, char *to,
                      const float *x, size_t hd)
{
    if (type == DTYPE_F16)
        k->to_f16(to, x, hd);
    else if (type == DTYPE_Q8_0)
        k->quantize_q8_0(to, x, hd);
    else
        memcpy(to, x, hd * sizeof *x);
}

void cpu_op_KV_APPEND(plan_runner *r, const plan_op *op)
{
    const plan_tensor *t = cpu_tensor(r, op->in[0]);
    const plan_tensor *cache = cpu_tensor(r, op->out);
    cache_layout l = layout_of(cache, op);
    size_t hd = (size_t)op->p.attention.head_dim;
    size_t heads = (size_t)op->p.attention.kv_heads;
    size_t q = (size_t)op->p.attention.heads * hd;
    size_t capacity = (size_t)op->p.attention.capacity;
    size_t steps = (size_t)op->p.attention.steps;
    for (int lane = 0; lane < r->n_lanes; lane++) {
        int64_t first = cpu_position(r, op->p.attention.position, lane);
        const float *x = cpu_floats(r, op->in[0], lane);
        char *to = cpu_data(r, op->out, lane);
        for (size_t row = 0; row < t->rows; row++) {
            size_t slot = (size_t)(first + (int64_t)(row % steps)) % capacity;
            char *at = to + row / steps * l.branch + slot * l.slot;
            const float *kv = x + row * t->width + q;
            for (size_t i = 0; i < 2 * heads; i++)
                cache_put(r->kernels, cache->type,
                          at + i / heads * l.half + i % heads * l.head,
                          kv + i * hd, hd);
        }
    }
}

/* The keys that the query at step `step` may see, oldest first, as runs of
 * slots (op.h, op_window). */
static void visible_runs(const plan_op *op, int64_t first, int64_t step,
                         int64_t length, kernel_run run[2])
{
    int64_t capacity = op->p.attention.capacity;
    int64_t position = first + step;
    int64_t oldest = position - op->p.attention.context + 1;
    int64_t newest = position;
    if (op->p.attention.window == OP_WINDOW_RING) {
        int64_t end = first + op->p.attention.steps - 1;
        oldest = end - op->p.attention.context + 1;
    } else if (op->p.attention.window == OP_WINDOW_SOURCE) {
        oldest = 0;
        newest = length - 1;
    }
    if (oldest < 0)
        oldest = 0;
    int64_t count = newest - oldest + 1, slot = oldest % capacity;
    int64_t straight = count < capacity - slot ? count : capacity - slot;
    run[0] = (kernel_run){(size_t)slot, (size_t)straight};
    run[1] = (kernel_run){0, (size_t)(count - straight)};
}

typedef struct attention_job {
    plan_runner *r;
    const plan_op *op;
    size_t heads, rows; /* query heads; rows of a lane */
} attention_job;

/* One head of one row of one lane. */
static void attention_task(void *context, size_t task, int worker)
{
    const attention_job *j = context;
    plan_runner *r = j->r;
    const plan_op *op = j->op;
    size_t head = task % j->heads, row = task / j->heads % j->rows;
    int lane = (int)(task / j->heads / j->rows);
    size_t hd = (size_t)op->p.attention.head_dim;
    size_t steps = (size_t)op->p.attention.steps;
    size_t kv_head = head / (j->heads / (size_t)op->p.attention.kv_heads);
    int64_t first = cpu_position(r, op->p.attention.position, lane);
    const int32_t *length = cpu_data(r, op->in[2], lane);
    float *out = cpu_floats(r, op->out, lane) + (row * j->heads + head) * hd;
    kernel_run run[2];

    visible_runs(op, first, (int64_t)(row % steps),
                 length ? length[row / steps] : 0, run);
    if (run[0].count == 0) { /* no source: nothing to attend to */
        memset(out, 0, hd * sizeof *out);
        return;
    }
    const plan_tensor *cache = cpu_tensor(r, op->in[1]);
    cache_layout l = layout_of(cache, op);
    const char *k = (const char *)cpu_data(r, op->in[1], lane) +
                    row / steps * l.branch + kv_head * l.head;
    const float *q = cpu_floats(r, op->in[0], lane) +
                     row * cpu_tensor(r, op->in[0])->width + head * hd;
    r->kernels->attend[cache->type](out, q, k, k + l.half, l.slot, run, hd,
                                    1.0f / sqrtf((float)hd),
                                    cpu_worker(r, worker));
}

/* Multiply-adds of all lanes, some of which may only have begun. */
static size_t work_of(const attention_job *j)
{
    const plan_op *op = j->op;
    int64_t keys = 0;
    for (int lane = 0; lane < j->r->n_lanes; lane++) {
        int64_t end = cpu_position(j->r, op->p.attention.position, lane) +
                      op->p.attention.steps;
        if (op->in[2] != TENSOR_NONE)
            keys += op->p.attention.capacity;
        else
            keys += end < op->p.attention.context ? end
                                                  : op->p.attention.context;
    }
    return 2 * j->heads * j->rows * (size_t)keys *
           (size_t)op->p.attention.head_dim;
}

void cpu_op_ATTENTION(plan_runner *r, const plan_op *op)
{
    attention_job j = {.r = r,
                       .op = op,
                       .heads = (size_t)op->p.attention.heads,
                       .rows = cpu_tensor(r, op->in[0])->rows};
    size_t tasks = j.heads * j.rows * (size_t)r->n_lanes;
    if (work_of(&j) >= SMALL_WORK) {
        pool_run(r->pool, tasks, attention_task, &j);
        return;
    }
    for (size_t i = 0; i < tasks; i++)
        attention_task(&j, i, 0);
}
