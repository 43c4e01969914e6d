/* model.h: what stands behind the public moshi_model: three opened parts. */
#ifndef MOSHI_TASKS_MODEL_H
#define MOSHI_TASKS_MODEL_H

#include <stdbool.h>

#include <moshi/model.h>

#include "base/cpu_flags.h"
#include "base/prefault.h"
#include "lm/model.h"
#include "mimi/model.h"
#include "plan/backend.h"
#include "tasks/device.h"
#include "tasks/model_files.h"
#include "text/tokenizer.h"

/* Sampling that the model's config asks for (lm_gen_config), else -1. */
typedef struct model_defaults {
    double temperature, text_temperature;
    int top_k, text_top_k;
} model_defaults;

struct moshi_model {
    model_files files;
    backend *backend;
    device_note device; /* where that is */
    lm_model *lm;
    mimi_model *mimi;
    tokenizer *tokenizer; /* NULL: none */
    model_defaults defaults;
    prefault *loading;    /* NULL: not asked for, or it cannot be had */
};

/* What is brought into memory, in order: each part once. */
typedef struct model_loading {
    prefault_part *parts; /* memory_free; they point into the model */
    size_t count, bytes;
} model_loading;

/* Errors: MOSHI_NO_MEMORY. */
moshi_status model_loading_list(model_loading *out, const moshi_model *model,
                                moshi_error *err);

/* Begin to bring the weights of an open model into memory. A machine that
 * cannot hold them, or has no thread to spare, goes without. Errors:
 * MOSHI_NO_MEMORY. */
moshi_status model_prefault(moshi_model *model,
                            const moshi_model_params *params,
                            moshi_error *err);

/* Before a stream is opened: what the GPU has no room for stays on the CPU
 * (device_place). */
moshi_status model_place(moshi_model *model, const moshi_model_params *params,
                         cpu_level level, moshi_error *err);

/* moshi_model_open with the kernels of one instruction set; CPU_LEVEL_COUNT
 * for the best there is. */
moshi_status model_open(moshi_model **out, const moshi_model_params *params,
                        cpu_level level, moshi_error *err);

#endif
