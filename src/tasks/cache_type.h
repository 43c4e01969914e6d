/* cache_type.h: which type keys and values are kept in. */
#ifndef MOSHI_TASKS_CACHE_TYPE_H
#define MOSHI_TASKS_CACHE_TYPE_H

#include <moshi/error.h>

#include "base/dtype.h"
#include "plan/backend.h"

/* name: "f16", "f32", "q8_0"; NULL: halves where the backend has them, else
 * f32. Errors: MOSHI_ARGUMENT (no such type), MOSHI_LACKING (the backend). */
moshi_status cache_type_choose(dtype *out, const char *name,
                               const backend *be, moshi_error *err);

/* "f16", of a model's plan; static. */
const char *cache_type_name(const plan *p);

/* Is it a name that cache_type_choose knows? MOSHI_ARGUMENT if not. */
moshi_status cache_type_check(const char *name, moshi_error *err);

#endif
