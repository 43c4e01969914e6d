/* builder.h: append tensors and operations to a plan.
 *
 * Building never fails half-way: when memory runs out the builder remembers
 * it, every later call does nothing useful, and builder_finish reports it.
 * Shapes are asserted here (the loaders have already compared every tensor of
 * the file with the config, and said so in words). */
#ifndef MOSHI_PLAN_BUILDER_H
#define MOSHI_PLAN_BUILDER_H

#include <stdint.h>

#include <moshi/error.h>

#include "plan/plan.h"

typedef struct builder builder;

/* steps: T of a frame; branches: 1 or 2. */
builder *builder_open(const char *name, int steps, int branches);

/* Ends building: plans the memory and hands over the plan. The builder is
 * closed in any case. */
moshi_status builder_finish(builder **b, plan **out, moshi_error *err);
void builder_close(builder **b);

/* A string kept as long as the plan; printf format. Never NULL. */
const char *builder_name(builder *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* n floats kept as long as the plan; NULL when out of memory. */
float *builder_floats(builder *b, size_t n);

/* Has memory run out? Then tensors have no shape: assert nothing of them. */
bool builder_failed(const builder *b);

/* The same data in the same shape is one tensor, however often it is named. */
tensor_id builder_weight(builder *b, const char *name, dtype type, size_t rows,
                         size_t width, const void *data);
tensor_id builder_frame(builder *b, const char *name, dtype type, size_t rows,
                        size_t width);
tensor_id builder_state(builder *b, const char *name, dtype type, size_t rows,
                        size_t width, bool keep);

/* Inputs are written before a run, outputs read after it: both are pinned. */
void builder_pin(builder *b, tensor_id tensor);
void builder_channels_first(builder *b, tensor_id tensor);
plan_tensor *builder_tensor(builder *b, tensor_id tensor);

/* A new operation with all inputs and the output TENSOR_NONE; valid until the
 * next append. */
plan_op *builder_append(builder *b, op_kind kind, const char *name);

int builder_steps(const builder *b);
int builder_branches(const builder *b);

#endif
