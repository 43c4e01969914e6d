/* stream_params.h: from the public wishes to the settings of a stream. */
#ifndef MOSHI_TASKS_STREAM_PARAMS_H
#define MOSHI_TASKS_STREAM_PARAMS_H

#include <moshi/stream.h>

#include "lm/stream.h"
#include "tasks/model.h"

#define STREAM_SEED 299792458u /* of the official gen */

typedef struct stream_settings {
    lm_stream_params lm;
    lm_condition conditions[LIMIT_CONDITIONERS];
    lm_condition null_conditions[LIMIT_CONDITIONERS];
    char names[LIMIT_CONDITIONERS][64];
} stream_settings;

/* Defaults filled in: sampling from the model's config, else temperature 0.8
 * and top-k 250 for both; a model with the condition "description" (Hibiki)
 * gets "very_good", and "very_bad" in the null branch. Errors:
 * MOSHI_ARGUMENT. `out` borrows the value strings of params. */
moshi_status stream_settings_make(stream_settings *out,
                                  const moshi_model *model,
                                  const moshi_stream_params *params,
                                  moshi_error *err);

#endif
