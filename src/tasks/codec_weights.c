/* codec_weights.c: from a name to the loader's parameters. */
#include "tasks/codec_weights.h"

#include <string.h>

#include "base/error.h"

moshi_status codec_weights_set(mimi_model_params *p, const backend *be,
                               const char *name, moshi_error *err)
{
    static const struct {
        const char *name;
        dtype type;
    } types[] = {{"f32", DTYPE_F32}, {"bf16", DTYPE_BF16},
                 {"q8_0", DTYPE_Q8_0}};
    p->panels = be->panels;
    p->weights = DTYPE_F32;
    if (!name)
        return MOSHI_OK;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) != 0)
            continue;
        p->weights = types[i].type;
        return MOSHI_OK;
    }
    return error_set(err, MOSHI_ARGUMENT, "the codec's weights are kept as f32, "
                     "bf16 or q8_0, not as '%s'", name);
}
