/* codec_weights.h: the type that the codec's large matrices are kept in. */
#ifndef MOSHI_TASKS_CODEC_WEIGHTS_H
#define MOSHI_TASKS_CODEC_WEIGHTS_H

#include <moshi/error.h>

#include "mimi/model.h"
#include "plan/backend.h"

/* Set p->panels and p->weights for that backend. name: NULL or "f32" (as the
 * file has them), "bf16", "q8_0". Errors: MOSHI_ARGUMENT for another name. */
moshi_status codec_weights_set(mimi_model_params *p, const backend *be,
                               const char *name, moshi_error *err);

#endif
