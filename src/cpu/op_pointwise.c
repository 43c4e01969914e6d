/* op_pointwise.c: norms, sums and activations, row by row.
 *
 * All are `y row = f(x row)`; one driver hands rows to the pool when there is
 * enough to do. */
#include <math.h>

#include "cpu/run.h"

/* Elements below which a row operation stays in the calling thread, and the
 * share of one task above it. */
#define SMALL_ELEMENTS 16384u
#define TASK_ELEMENTS 8192u

typedef void row_function(plan_runner *r, const plan_op *op, int lane,
                          size_t row);

typedef struct row_job {
    plan_runner *r;
    const plan_op *op;
    row_function *function;
    size_t rows, all, step;
} row_job;

static void row_task(void *context, size_t task, int worker)
{
    const row_job *j = context;
    (void)worker;
    size_t end = (task + 1) * j->step;
    for (size_t i = task * j->step; i < end && i < j->all; i++)
        j->function(j->r, j->op, (int)(i / j->rows), i % j->rows);
}

static void for_each_row(plan_runner *r, const plan_op *op,
                         row_function *function)
{
    const plan_tensor *t = cpu_tensor(r, op->out);
    row_job j = {.r = r, .op = op, .function = function, .rows = t->rows};
    j.all = t->rows * (size_t)r->n_lanes;
    j.step = j.all;
    if (j.all * t->width >= SMALL_ELEMENTS)
        j.step = TASK_ELEMENTS / t->width + 1;
    size_t tasks = (j.all + j.step - 1) / j.step;
    if (tasks == 1)
        row_task(&j, 0, 0);
    else
        pool_run(r->pool, tasks, row_task, &j);
}

/* Row `row` of a tensor; a tensor of one row serves all rows. */
static float *row_of(const plan_runner *r, tensor_id id, int lane, size_t row)
{
    if (id == TENSOR_NONE)
        return NULL;
    const plan_tensor *t = cpu_tensor(r, id);
    return cpu_floats(r, id, lane) + (t->rows == 1 ? 0 : row * t->width);
}

static void rms_norm_row(plan_runner *r, const plan_op *op, int lane,
                         size_t row)
{
    r->kernels->rms_norm(row_of(r, op->out, lane, row),
                         row_of(r, op->in[0], lane, row),
                         row_of(r, op->in[1], lane, 0),
                         cpu_tensor(r, op->out)->width, op->p.norm.eps);
}

void cpu_op_RMS_NORM(plan_runner *r, const plan_op *op)
{
    for_each_row(r, op, rms_norm_row);
}

static void layer_norm_row(plan_runner *r, const plan_op *op, int lane,
                           size_t row)
{
    r->kernels->layer_norm(row_of(r, op->out, lane, row),
                           row_of(r, op->in[0], lane, row),
                           row_of(r, op->in[1], lane, 0),
                           row_of(r, op->in[2], lane, 0),
                           cpu_tensor(r, op->out)->width, op->p.norm.eps);
}

void cpu_op_LAYER_NORM(plan_runner *r, const plan_op *op)
{
    for_each_row(r, op, layer_norm_row);
}

static void add_row(plan_runner *r, const plan_op *op, int lane, size_t row)
{
    r->kernels->add(row_of(r, op->out, lane, row),
                    row_of(r, op->in[0], lane, row),
                    row_of(r, op->in[1], lane, row),
                    row_of(r, op->in[2], lane, 0),
                    cpu_tensor(r, op->out)->width);
}

void cpu_op_ADD(plan_runner *r, const plan_op *op)
{
    for_each_row(r, op, add_row);
}

static void silu_gate_row(plan_runner *r, const plan_op *op, int lane,
                          size_t row)
{
    size_t F = cpu_tensor(r, op->out)->width;
    const float *x = row_of(r, op->in[0], lane, row);
    r->kernels->silu_gate(row_of(r, op->out, lane, row), x, x + F, F);
}

void cpu_op_SILU_GATE(plan_runner *r, const plan_op *op)
{
    for_each_row(r, op, silu_gate_row);
}

static void gelu_row(plan_runner *r, const plan_op *op, int lane, size_t row)
{
    r->kernels->gelu(row_of(r, op->out, lane, row),
                     row_of(r, op->in[0], lane, row),
                     cpu_tensor(r, op->out)->width);
}

void cpu_op_GELU(plan_runner *r, const plan_op *op)
{
    for_each_row(r, op, gelu_row);
}

static void elu_row(plan_runner *r, const plan_op *op, int lane, size_t row)
{
    r->kernels->elu(row_of(r, op->out, lane, row),
                    row_of(r, op->in[0], lane, row),
                    cpu_tensor(r, op->out)->width);
}

void cpu_op_ELU(plan_runner *r, const plan_op *op)
{
    for_each_row(r, op, elu_row);
}

/* Angle of channel i: position / 10000^(i / (D/2 - 1)); cosines in the first
 * half of the row, sines in the second. */
static void sinusoid_row(plan_runner *r, const plan_op *op, int lane,
                         size_t row)
{
    size_t width = cpu_tensor(r, op->out)->width, half = width / 2;
    const float *x = row_of(r, op->in[0], lane, row);
    float *y = row_of(r, op->out, lane, row);
    int64_t position = cpu_position(r, op->p.sinusoid.position, lane) +
                       (int64_t)(row % (size_t)r->plan->steps);
    for (size_t i = 0; i < half; i++) {
        float period = powf(10000.0f, (float)i / (float)(half - 1));
        float angle = (float)position / period;
        y[i] = x[i] + cosf(angle);
        y[half + i] = x[half + i] + sinf(angle);
    }
}

void cpu_op_SINUSOID(plan_runner *r, const plan_op *op)
{
    for_each_row(r, op, sinusoid_row);
}

static void softmax_row(plan_runner *r, const plan_op *op, int lane, size_t row)
{
    size_t n = cpu_tensor(r, op->out)->width;
    const float *x = row_of(r, op->in[0], lane, row);
    float *y = row_of(r, op->out, lane, row), top = x[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        top = x[i] > top ? x[i] : top;
    for (size_t i = 0; i < n; i++)
        sum += y[i] = expf(x[i] - top);
    for (size_t i = 0; i < n; i++)
        y[i] /= sum;
}

void cpu_op_SOFTMAX(plan_runner *r, const plan_op *op)
{
    for_each_row(r, op, softmax_row);
}
