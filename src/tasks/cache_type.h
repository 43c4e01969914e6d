/* cache_type.h: which type keys and values are kept in. */
#ifndef MOSHI_TASKS_CACHE_TYPE_H
#define MOSHI_TASKS_CACHE_TYPE_H

#include <moshi/error.h>

#include "base/dtype.h"
#include "plan/plan.h"

/* name: "f16", "f32", "q8_0"; NULL: f16. Errors: MOSHI_ARGUMENT (no such
 * type). */
moshi_status cache_type_choose(dtype *out, const char *name, moshi_error *err);

/* "f16", of a model's plan; static. */
const char *cache_type_name(const plan *p);

/* Is it a name that cache_type_choose knows? MOSHI_ARGUMENT if not. */
moshi_status cache_type_check(const char *name, moshi_error *err);

#endif
