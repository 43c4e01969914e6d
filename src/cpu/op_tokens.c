/* op_tokens.c: between token ids and vectors: tables, nearest rows, sampling.
 *
 * Token ids are checked when they enter a model (lm_step, mimi_decode); a
 * wrong one here is our own mistake and asserted. */
#include <assert.h>
#include <string.h>

#include "cpu/run.h"
#include "plan/sampler.h"

static int32_t *tokens_row(const plan_runner *r, tensor_id id, int lane,
                           size_t row)
{
    const plan_tensor *t = cpu_tensor(r, id);
    int32_t *tokens = cpu_data(r, id, lane);
    return tokens + (t->rows == 1 ? 0 : row * t->width);
}

static void embed_row(plan_runner *r, const plan_op *op, int32_t token,
                      const float *addend, float *y)
{
    const plan_tensor *table = cpu_tensor(r, op->in[0]);
    size_t D = table->width;
    if (token == TOKEN_ZERO) {
        if (addend)
            memcpy(y, addend, D * sizeof *y);
        else
            memset(y, 0, D * sizeof *y);
        return;
    }
    assert(token >= 0 && (size_t)token < table->rows);
    const char *row = (const char *)table->data +
                      (size_t)token * table->row_bytes;
    r->kernels->to_f32[table->type](y, row, D);
    for (size_t i = 0; addend && i < D; i++)
        y[i] = addend[i] + op->p.embed.sign * y[i];
}

void cpu_op_EMBED(plan_runner *r, const plan_op *op)
{
    const plan_tensor *out = cpu_tensor(r, op->out);
    for (int lane = 0; lane < r->n_lanes; lane++)
        for (size_t row = 0; row < out->rows; row++) {
            int32_t token =
                tokens_row(r, op->in[1], lane, row)[op->p.embed.column];
            const float *addend = cpu_floats(r, op->in[2], lane);
            if (addend)
                addend += row * out->width;
            embed_row(r, op, token, addend,
                      cpu_floats(r, op->out, lane) + row * out->width);
        }
}

void cpu_op_DEMUX(plan_runner *r, const plan_op *op)
{
    const plan_tensor *out = cpu_tensor(r, op->out);
    int base = op->p.demux.base;
    for (int lane = 0; lane < r->n_lanes; lane++)
        for (size_t row = 0; row < out->rows; row++) {
            int32_t token =
                tokens_row(r, op->in[0], lane, row)[op->p.demux.column];
            int32_t *pair = tokens_row(r, op->out, lane, row);
            pair[0] = token < 0 ? TOKEN_ZERO : token % base;
            pair[1] = token < 0 ? TOKEN_ZERO : token / base - 1;
        }
}

typedef struct nearest_job {
    plan_runner *r;
    const plan_op *op;
} nearest_job;

/* One row of one lane. */
static void nearest_task(void *context, size_t task, int worker)
{
    const nearest_job *j = context;
    const plan_tensor *table = cpu_tensor(j->r, j->op->in[0]);
    const plan_tensor *x = cpu_tensor(j->r, j->op->in[1]);
    int lane = (int)(task / x->rows);
    size_t row = task % x->rows;
    (void)worker;
    tokens_row(j->r, j->op->out, lane, row)[j->op->p.nearest.column] =
        j->r->kernels->nearest(
            cpu_floats(j->r, j->op->in[1], lane) + row * x->width,
            table->data, j->op->p.nearest.half_norms, table->rows,
            table->width);
}

/* --- one row: the table is cut instead --- */

#define PARTS_MAX    8
#define PART_DIM_MAX 512 /* of the winners' copies, on the stack */
#define SMALL_TABLE  65536u /* elements */

typedef struct nearest_parts {
    plan_runner *r;
    const plan_op *op;
    size_t parts;
    size_t winner[PARTS_MAX];
} nearest_parts;

static void nearest_part(void *context, size_t task, int worker)
{
    nearest_parts *j = context;
    const plan_tensor *table = cpu_tensor(j->r, j->op->in[0]);
    size_t first = table->rows * task / j->parts;
    size_t end = table->rows * (task + 1) / j->parts;
    (void)worker;
    j->winner[task] = first + (size_t)j->r->kernels->nearest(
        cpu_floats(j->r, j->op->in[1], 0),
        (const float *)table->data + first * table->width,
        j->op->p.nearest.half_norms + first, end - first, table->width);
}

/* The nearest of the parts' nearest, in the order of the table: the distance
 * of a row does not depend on the rows beside it, so this is what looking
 * through the whole table finds. */
static void nearest_in_parts(plan_runner *r, const plan_op *op, size_t parts)
{
    nearest_parts j = {.r = r, .op = op, .parts = parts};
    const plan_tensor *table = cpu_tensor(r, op->in[0]);
    size_t D = table->width;
    float rows[PARTS_MAX * PART_DIM_MAX];
    double half_norms[PARTS_MAX];
    pool_run(r->pool, parts, nearest_part, &j);
    for (size_t i = 0; i < parts; i++) {
        memcpy(rows + i * D, (const float *)table->data + j.winner[i] * D,
               D * sizeof *rows);
        half_norms[i] = op->p.nearest.half_norms[j.winner[i]];
    }
    int32_t best = r->kernels->nearest(cpu_floats(r, op->in[1], 0), rows,
                                       half_norms, parts, D);
    tokens_row(r, op->out, 0, 0)[op->p.nearest.column] =
        (int32_t)j.winner[best];
}

void cpu_op_NEAREST(plan_runner *r, const plan_op *op)
{
    nearest_job j = {r, op};
    const plan_tensor *table = cpu_tensor(r, op->in[0]);
    size_t tasks = (size_t)r->n_lanes * cpu_tensor(r, op->in[1])->rows;
    size_t parts = (size_t)pool_threads(r->pool);
    parts = parts < PARTS_MAX ? parts : PARTS_MAX;
    if (tasks > 1)
        pool_run(r->pool, tasks, nearest_task, &j);
    else if (parts > 1 && table->width <= PART_DIM_MAX &&
             table->rows * table->width >= SMALL_TABLE)
        nearest_in_parts(r, op, parts);
    else
        nearest_task(&j, 0, 0);
}

void cpu_op_GUIDE(plan_runner *r, const plan_op *op)
{
    size_t V = cpu_tensor(r, op->out)->width;
    for (int lane = 0; lane < r->n_lanes; lane++) {
        const sampler *settings = cpu_data(r, op->in[1], lane);
        const float *given = cpu_floats(r, op->in[0], lane);
        const float *null = given + V;
        float *y = cpu_floats(r, op->out, lane);
        for (size_t i = 0; i < V; i++)
            y[i] = null[i] + settings->guidance * (given[i] - null[i]);
    }
}

void cpu_op_SAMPLE(plan_runner *r, const plan_op *op)
{
    size_t V = cpu_tensor(r, op->in[0])->width;
    int column = op->p.sample.column;
    for (int lane = 0; lane < r->n_lanes; lane++) {
        sampler *settings = cpu_data(r, op->in[2], lane);
        int32_t forced = tokens_row(r, op->in[1], lane, 0)[column];
        int32_t *token = &tokens_row(r, op->out, lane, 0)[column];
        float *logits = cpu_floats(r, op->in[0], lane);
        *token = forced;
        if (forced == TOKEN_FREE && op->p.sample.text)
            *token = sampler_draw_text(settings, logits, V, cpu_worker(r, 0));
        else if (forced == TOKEN_FREE)
            *token = sampler_draw(&settings->audio, logits, V,
                                  cpu_worker(r, 0));
        if (op->p.sample.text)
            sampler_said(settings, *token);
    }
}
