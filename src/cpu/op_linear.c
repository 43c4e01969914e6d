/* op_linear.c: LINEAR and QUANTIZE: matrix products for all lanes at once.
 *
 * The rows of all lanes are columns of one product, taken KERNEL_COLUMNS at a
 * time, so a weight is read once for all. Work is cut into blocks of weight
 * rows × columns; a block that is small enough stays in the calling thread.
 * However it is cut, each output is one dot product summed in one order. */
#include "cpu/run.h"
#include "plan/panels.h"

/* Products below this many multiply-adds are not worth waking a thread. */
#define SMALL_WORK 32768u
/* A task's share of weight bytes: stays in the second-level cache while
 * several blocks of columns pass over it. */
#define TASK_WEIGHT_BYTES 131072u
/* Columns of one task. */
#define TASK_COLUMNS 64u

typedef struct linear_job {
    kernel_linear *kernel;
    const plan_tensor *w;
    const float *bias;
    size_t K;
    size_t x_stride, x_lane, y_stride; /* bytes from row to row, lane to lane */
    const char *x;
    char *y;
    size_t rows, columns; /* rows of a lane; columns of all lanes */
    size_t row_step, row_blocks;
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
    (void)worker;
    size_t row0 = task % j->row_blocks * j->row_step;
    size_t column0 = task / j->row_blocks * TASK_COLUMNS;
    size_t row1 = row0 + j->row_step, column1 = column0 + TASK_COLUMNS;
    linear_block(j, row0, row1 < j->w->rows ? row1 : j->w->rows, column0,
                 column1 < j->columns ? column1 : j->columns);
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

void cpu_op_LINEAR(plan_runner *r, const plan_op *op)
{
    const plan_tensor *w = cpu_tensor(r, op->in[0]);
    const plan_tensor *x = cpu_tensor(r, op->in[1]);
    size_t rows = op->p.linear.rows;
    linear_job j = {
        .kernel = x->type == DTYPE_Q8_0 ? r->kernels->linear_q8_0
                                        : r->kernels->linear[w->type],
        .w = w,
        .bias = cpu_data(r, op->in[2], 0),
        .K = w->width,
        .x = cpu_data(r, op->in[1], 0),
        .x_lane = x->bytes,
        .x_stride = x->type == DTYPE_Q8_0
                        ? x->row_bytes
                        : op->p.linear.stride * sizeof(float),
        .y = cpu_data(r, op->out, 0),
        .y_stride = w->rows * sizeof(float),
        .rows = rows,
        .columns = rows * (size_t)r->n_lanes,
    };
    if (w->panels) {
        linear_panels(r, &j);
        return;
    }
    if (w->rows * w->width * j.columns < SMALL_WORK) {
        linear_block(&j, 0, w->rows, 0, j.columns);
        return;
    }
    /* At least four tasks for each thread, in whole groups of 8 rows. */
    size_t share = w->rows / (4 * (size_t)pool_threads(r->pool)) + 1;
    size_t fit = TASK_WEIGHT_BYTES / w->row_bytes + 1;
    j.row_step = ((fit < share ? fit : share) + 7) / 8 * 8;
    j.row_blocks = (w->rows + j.row_step - 1) / j.row_step;
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
