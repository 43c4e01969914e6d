/* op_stream.c: WINDOW and UPSAMPLE: the past of a convolution. */
#include <string.h>

#include "cpu/run.h"

void cpu_op_WINDOW(plan_runner *r, const plan_op *op)
{
    const plan_tensor *in = cpu_tensor(r, op->in[0]);
    const plan_tensor *past = cpu_tensor(r, op->in[1]);
    for (int lane = 0; lane < r->n_lanes; lane++) {
        const char *x = cpu_data(r, op->in[0], lane);
        char *tail = cpu_data(r, op->in[1], lane);
        char *y = cpu_data(r, op->out, lane);
        if (op->p.window.replicate && r->states[lane]->frame == 0)
            for (size_t row = 0; row < past->rows; row++)
                memcpy(tail + row * past->row_bytes, x, past->row_bytes);
        memcpy(y, tail, past->bytes);
        memcpy(y + past->bytes, x, in->bytes);
        /* The last rows of (past, input), which may reach back into the past
         * when a frame is shorter than the kernel. */
        memcpy(tail, y + in->bytes, past->bytes);
    }
}

void cpu_op_UPSAMPLE(plan_runner *r, const plan_op *op)
{
    const plan_tensor *in = cpu_tensor(r, op->in[1]);
    size_t C = in->width, S = (size_t)op->p.upsample.stride;
    const float *w = cpu_floats(r, op->in[0], 0);
    for (int lane = 0; lane < r->n_lanes; lane++) {
        const float *x = cpu_floats(r, op->in[1], lane);
        float *past = cpu_floats(r, op->in[2], lane);
        float *y = cpu_floats(r, op->out, lane);
        for (size_t t = 0; t < in->rows; t++, x += C) {
            for (size_t j = 0; j < S; j++, y += C)
                for (size_t c = 0; c < C; c++)
                    y[c] = w[c * 2 * S + j] * x[c] +
                           w[c * 2 * S + S + j] * past[c];
            memcpy(past, x, C * sizeof *past);
        }
    }
}
