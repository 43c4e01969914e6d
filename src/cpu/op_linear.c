/* op_linear.c: LINEAR and QUANTIZE: matrix products for all lanes at once.
 *
 * The rows of all lanes are columns of one product, taken KERNEL_COLUMNS at a
 * time, so a weight is read once for all. Work is cut into blocks of weight
 * rows × columns; a block that is small enough stays in the calling thread.
 * However it is cut, each output is one dot product summed in one order.
 *
 * Where activations are of 8 bits, they are first brought into the form that
 * the kernel takes (cpu/blocks.h, columns), once for all blocks. */
#include <string.h>

#include "base/memory.h"
#include "cpu/blocks.h"
#include "cpu/run.h"
#include "plan/panels.h"

/* Products below this many multiply-adds are not worth waking a thread. */
#define SMALL_WORK 32768u
/* A task's share of weight bytes where there are several blocks of columns: it
 * stays in the second-level cache while they pass over it. */
#define TASK_WEIGHT_BYTES 131072u
/* Columns of one task. */
#define TASK_COLUMNS 64u
/* Elements from which columns are made by all threads. */
#define COLUMNS_ALONE 32768u

/* Tiles of rows that every kernel takes whole. */
#define ROWS_OF_TILE 16u
/* Of the rows, what threads get in one piece, and in how many pieces each of
 * them gets the rest. */
#define LONG_PERCENT 70u
#define SHORT_BLOCKS 4u

typedef struct linear_job {
    kernel_linear *kernel;
    const plan_tensor *w;
    const float *bias;
    size_t K;
    size_t x_stride, x_lane, y_stride; /* bytes from row to row, lane to lane */
    const char *x;
    char *y;
    size_t rows, columns; /* rows of a lane; columns of all lanes */
    size_t long_step, step, row_blocks;
    size_t long_blocks; /* of the row blocks, so many of long_step rows */
} linear_job;

static void linear_block(const linear_job *j, size_t row0, size_t row1,
                         size_t column0, size_t column1)
{
    const void *x[KERNEL_COLUMNS];
    float *y[KERNEL_COLUMNS];
    for (size_t c = column0; c < column1; c += KERNEL_COLUMNS) {
        int n = 0;
        for (; n < KERNEL_COLUMNS && c + (size_t)n < column1; n++) {
            size_t column = c + (size_t)n;
            size_t lane = column / j->rows, row = column % j->rows;
            x[n] = j->x + lane * j->x_lane + row * j->x_stride;
            y[n] = (float *)(void *)(j->y + column * j->y_stride);
        }
        j->kernel(y, x, n, j->w->data, j->w->row_bytes, j->K, j->bias, row0,
                  row1);
    }
}

static void linear_task(void *context, size_t task, int worker)
{
    const linear_job *j = context;
    size_t block = task % j->row_blocks, longs = j->long_blocks;
    size_t column0 = task / j->row_blocks * TASK_COLUMNS;
    size_t column1 = column0 + TASK_COLUMNS;
    bool is_long = block < longs;
    size_t row0 = is_long ? block * j->long_step
                          : longs * j->long_step + (block - longs) * j->step;
    size_t row1 = row0 + (is_long ? j->long_step : j->step);
    (void)worker;
    linear_block(j, row0, row1 < j->w->rows ? row1 : j->w->rows, column0,
                 column1 < j->columns ? column1 : j->columns);
}

static size_t whole_tiles(size_t rows)
{
    return (rows + ROWS_OF_TILE - 1) / ROWS_OF_TILE * ROWS_OF_TILE;
}

/* One block of columns: the weights are read once, from memory most likely. A
 * long run for each thread, which reads straight on, then short ones, so that
 * all end at the same time. */
static void cut_rows_once(linear_job *j, size_t threads)
{
    size_t rows = j->w->rows;
    j->long_blocks = threads;
    j->long_step = whole_tiles(rows * LONG_PERCENT / 100 / threads);
    if (j->long_step * threads > rows) {
        j->long_blocks = 0;
        j->long_step = 0;
    }
    size_t left = rows - j->long_blocks * j->long_step;
    size_t share = left / (SHORT_BLOCKS * threads) + 1;
    j->step = whole_tiles(share);
    j->row_blocks = j->long_blocks + (left + j->step - 1) / j->step;
}

/* Several blocks of columns: at least four tasks for each thread. */
static void cut_rows(linear_job *j, size_t threads)
{
    size_t rows = j->w->rows, share = rows / (4 * threads) + 1;
    size_t fit = TASK_WEIGHT_BYTES / j->w->row_bytes + 1;
    j->step = whole_tiles(fit < share ? fit : share);
    j->row_blocks = (rows + j->step - 1) / j->step;
}

/* --- 8-bit activations --- */

typedef struct columns_job {
    const plan_runner *r;
    const plan_op *op;
    const plan_tensor *w, *x;
    size_t bytes, rows; /* of a column; columns of a lane */
} columns_job;

/* Bytes of a column of K elements for weights of that type. */
static size_t bytes_of_column(dtype type, size_t K)
{
    size_t bytes = type == DTYPE_Q8_0 || type == DTYPE_Q4_0
                       ? K / SUB_BLOCK * COLUMN_32_BYTES
                       : K / SUPER_BLOCK * COLUMN_K_BYTES;
    return size_round_up(bytes, MEMORY_ALIGNMENT);
}

/* Does the product take columns of 8 bits? */
static bool takes_columns(const plan *p, const plan_op *op)
{
    return op->p.linear.int8 ||
           p->tensors[op->in[1]].type == DTYPE_Q8_0;
}

size_t cpu_linear_column_bytes(const plan *p, const plan_op *op)
{
    if (op->kind != OP_LINEAR || !takes_columns(p, op))
        return 0;
    const plan_tensor *w = &p->tensors[op->in[0]];
    return bytes_of_column(w->type, w->width) * op->p.linear.rows;
}

/* Q4_0: block by block by way of Q8_0. */
static void column_of_floats(const kernel_table *k, char *to, const float *x,
                             size_t K)
{
    char block[Q8_0_BYTES];
    for (size_t i = 0; i < K; i += SUB_BLOCK, to += COLUMN_32_BYTES) {
        k->quantize_q8_0(block, x + i, SUB_BLOCK);
        k->column_q8_0(to, block, SUB_BLOCK);
    }
}

static void column_task(void *context, size_t column, int worker)
{
    const columns_job *j = context;
    const kernel_table *k = j->r->kernels;
    size_t lane = column / j->rows, row = column % j->rows, K = j->w->width;
    const char *x = cpu_data(j->r, j->op->in[1], (int)lane);
    char *to = j->r->columns + column * j->bytes;
    (void)worker;
    if (j->x->type == DTYPE_Q8_0) {
        k->column_q8_0(to, x + row * j->x->row_bytes, K);
        return;
    }
    const float *from = (const float *)x + row * j->op->p.linear.stride;
    if (j->w->type == DTYPE_Q4_0)
        column_of_floats(k, to, from, K);
    else if (j->w->type == DTYPE_Q6_K)
        k->column_k_straight(to, from, K);
    else
        k->column_k_paired(to, from, K);
}

/* Make all columns, and have the job read them. */
static void make_columns(plan_runner *r, const plan_op *op, linear_job *j)
{
    columns_job c = {.r = r,
                     .op = op,
                     .w = j->w,
                     .x = cpu_tensor(r, op->in[1]),
                     .bytes = bytes_of_column(j->w->type, j->K),
                     .rows = j->rows};
    if (j->columns * j->K >= COLUMNS_ALONE)
        pool_run(r->pool, j->columns, column_task, &c);
    else
        for (size_t i = 0; i < j->columns; i++)
            column_task(&c, i, 0);
    j->kernel = r->kernels->linear_int8[j->w->type];
    j->x = r->columns;
    j->x_stride = c.bytes;
    j->x_lane = c.bytes * j->rows;
}

/* --- weights in panels --- */

/* Columns of one task: a multiple of every tile's. */
#define PANEL_COLUMNS 96u
/* Bytes of panels of one task, likewise a share of the second-level cache. */
#define PANEL_TASK_BYTES 524288u

typedef struct panels_job {
    kernel_panels *kernel;
    const linear_job *l; /* what does not depend on the layout */
    size_t step, blocks; /* panels of a task; tasks that all panels make */
} panels_job;

static void panels_task(void *context, size_t task, int worker)
{
    const panels_job *j = context;
    const linear_job *l = j->l;
    const float *x[PANEL_COLUMNS];
    float *y[PANEL_COLUMNS];
    size_t panel = task % j->blocks * j->step, all = panels_of(l->w->rows);
    size_t column = task / j->blocks * PANEL_COLUMNS, n = 0;
    (void)worker;
    for (; n < PANEL_COLUMNS && column < l->columns; n++, column++) {
        size_t lane = column / l->rows, row = column % l->rows;
        x[n] = (const float *)(const void *)(l->x + lane * l->x_lane +
                                             row * l->x_stride);
        y[n] = (float *)(void *)(l->y + column * l->y_stride);
    }
    j->kernel(y, x, n, l->w->data, l->K, l->w->rows, l->bias, panel,
              panel + j->step < all ? panel + j->step : all);
}

static void linear_panels(plan_runner *r, const linear_job *l)
{
    panels_job j = {.kernel = r->kernels->panels[l->w->type], .l = l};
    size_t all = panels_of(l->w->rows);
    size_t threads = (size_t)pool_threads(r->pool);
    size_t columns = (l->columns + PANEL_COLUMNS - 1) / PANEL_COLUMNS;
    bool alone = threads == 1 || l->w->rows * l->K * l->columns < SMALL_WORK;
    /* At least four tasks for each thread, in whole groups of 4 panels. */
    size_t fit = PANEL_TASK_BYTES / panel_bytes(l->w->type, l->K) + 1;
    size_t share = alone ? all : all * columns / (4 * threads) + 1;
    j.step = ((fit < share ? fit : share) + 3) / 4 * 4;
    j.blocks = (all + j.step - 1) / j.step;
    if (!alone)
        pool_run(r->pool, j.blocks * columns, panels_task, &j);
    for (size_t i = 0; alone && i < j.blocks * columns; i++)
        panels_task(&j, i, 0);
}

/* --- the operations --- */

void cpu_op_LINEAR(plan_runner *r, const plan_op *op)
{
    const plan_tensor *w = cpu_tensor(r, op->in[0]);
    const plan_tensor *x = cpu_tensor(r, op->in[1]);
    size_t rows = op->p.linear.rows;
    linear_job j = {
        .kernel = r->kernels->linear[w->type],
        .w = w,
        .bias = cpu_data(r, op->in[2], 0),
        .K = w->width,
        .x = cpu_data(r, op->in[1], 0),
        .x_lane = x->bytes,
        .x_stride = op->p.linear.stride * sizeof(float),
        .y = cpu_data(r, op->out, 0),
        .y_stride = w->rows * sizeof(float),
        .rows = rows,
        .columns = rows * (size_t)r->n_lanes,
    };
    if (w->panels) {
        linear_panels(r, &j);
        return;
    }
    if (takes_columns(r->plan, op))
        make_columns(r, op, &j);
    if (w->rows * w->width * j.columns < SMALL_WORK) {
        linear_block(&j, 0, w->rows, 0, j.columns);
        return;
    }
    if (j.columns <= KERNEL_COLUMNS)
        cut_rows_once(&j, (size_t)pool_threads(r->pool));
    else
        cut_rows(&j, (size_t)pool_threads(r->pool));
    size_t column_blocks = (j.columns + TASK_COLUMNS - 1) / TASK_COLUMNS;
    pool_run(r->pool, j.row_blocks * column_blocks, linear_task, &j);
}

void cpu_op_QUANTIZE(plan_runner *r, const plan_op *op)
{
    const plan_tensor *t = cpu_tensor(r, op->in[0]);
    for (int lane = 0; lane < r->n_lanes; lane++) {
        const float *x = cpu_floats(r, op->in[0], lane);
        r->kernels->quantize_q8_0(cpu_data(r, op->out, lane), x,
                                  t->rows * t->width);
    }
}
