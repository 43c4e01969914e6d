/* dtype.c: the table of element types. */
#include "base/dtype.h"

#include <string.h>

#include "base/memory.h"

static const dtype_traits traits[DTYPE_COUNT] = {
#define TRAITS_ROW(name, text, block, bytes, ggml) \
    [DTYPE_##name] = {text, block, bytes, ggml},
    DTYPE_LIST(TRAITS_ROW)
#undef TRAITS_ROW
};

const dtype_traits *dtype_info(dtype type)
{
    return &traits[type];
}

bool dtype_from_name(const char *name, dtype *out)
{
    for (int i = 0; i < DTYPE_COUNT; i++)
        if (strcmp(traits[i].name, name) == 0) {
            *out = (dtype)i;
            return true;
        }
    return false;
}

bool dtype_from_ggml(unsigned id, dtype *out)
{
    for (int i = 0; i < DTYPE_COUNT; i++)
        if (traits[i].ggml >= 0 && (unsigned)traits[i].ggml == id) {
            *out = (dtype)i;
            return true;
        }
    return false;
}

bool dtype_row_bytes(dtype type, size_t n, size_t *out)
{
    const dtype_traits *t = &traits[type];
    return n % t->block == 0 && size_mul(n / t->block, t->bytes, out);
}

bool dtype_is_weight(dtype type)
{
    return type <= DTYPE_Q6_K;
}
