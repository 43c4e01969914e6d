/* op.c: names of the operation kinds. */
#include "plan/op.h"

const char *op_kind_name(op_kind kind)
{
    static const char *const names[OP_KIND_COUNT] = {
#define OP_NAME(kind) [OP_##kind] = #kind,
        OP_KINDS(OP_NAME)
#undef OP_NAME
    };
    return names[kind];
}
