/* cache_type.c: choose and name the type of keys and values. */
#include "tasks/cache_type.h"

#include <string.h>

#include "base/error.h"

static const struct {
    const char *name;
    dtype type;
} types[] = {{"f16", DTYPE_F16}, {"f32", DTYPE_F32}, {"q8_0", DTYPE_Q8_0}};
#define N_TYPES (sizeof types / sizeof *types)

static bool find(const char *name, dtype *out)
{
    for (size_t i = 0; i < N_TYPES; i++)
        if (strcmp(types[i].name, name) == 0) {
            *out = types[i].type;
            return true;
        }
    return false;
}

moshi_status cache_type_check(const char *name, moshi_error *err)
{
    dtype ignored;
    if (!name || find(name, &ignored))
        return MOSHI_OK;
    error_set(err, MOSHI_ARGUMENT, "keys and values cannot be kept in '%s'",
              name);
    return error_hint(err, "types are f16, f32 and q8_0");
}

moshi_status cache_type_choose(dtype *out, const char *name, moshi_error *err)
{
    moshi_status status = cache_type_check(name, err);
    *out = DTYPE_F16;
    if (status == MOSHI_OK && name)
        find(name, out);
    return status;
}

const char *cache_type_name(const plan *p)
{
    for (size_t i = 0; i < p->n_ops; i++) {
        const plan_op *op = &p->ops[i];
        if (op->kind != OP_KV_APPEND ||
            p->tensors[op->out].space != PLAN_STATE)
            continue;
        for (size_t t = 0; t < N_TYPES; t++)
            if (types[t].type == p->tensors[op->out].type)
                return types[t].name;
    }
    return "none";
}
