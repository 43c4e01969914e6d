/* split.h: a backend made of two: some operations run on one, some on the
 * other (a model that does not fit a GPU keeps layers on the CPU).
 *
 * Both have the frame tensors and the states of a plan, each those that its
 * operations use; where a stretch of operations reads what the other side made
 * last, that is copied before it runs. */
#ifndef MOSHI_PLAN_SPLIT_H
#define MOSHI_PLAN_SPLIT_H

#include "plan/backend.h"

/* Does this operation run on the second backend? user: as given. */
typedef bool split_choice(const plan *p, const plan_op *op, int user);

/* Owns both backends, whatever happens; both must run parts of plans
 * (backend.h). Errors: MOSHI_NO_MEMORY. */
moshi_status split_backend_open(backend **out, backend *first,
                                backend *second, split_choice *choose,
                                int user, moshi_error *err);

#endif
