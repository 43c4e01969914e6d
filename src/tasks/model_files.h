/* model_files.h: which files make up the model that the user named.
 *
 * A model is named by a folder, by a file in it, or part by part. In a folder
 * the config.json says the names (moshi_name, mimi_name, mimi_config_name,
 * tokenizer_name); what it does not say is looked for under the names of the
 * official repositories (docs/FORMATS.md, files of a model). */
#ifndef MOSHI_TASKS_MODEL_FILES_H
#define MOSHI_TASKS_MODEL_FILES_H

#include <moshi/model.h>

typedef struct model_files {
    char *lm, *mimi;   /* owned */
    char *tokenizer;   /* owned; NULL: none found */
    char *config;      /* owned; NULL: none */
    char *mimi_config; /* owned; NULL: the published codec */
} model_files;

/* What the caller cannot do without. */
typedef enum model_parts {
    MODEL_PARTS_LM = 1,
    MODEL_PARTS_MIMI = 2,
    MODEL_PARTS_BOTH = 3
} model_parts;

/* Errors: MOSHI_IO (no such folder, a part is missing: the message says what
 * was looked for), MOSHI_FORMAT (config.json damaged). */
moshi_status model_files_find(model_files *out,
                              const moshi_model_params *params,
                              model_parts needed, moshi_error *err);
void model_files_release(model_files *files);

#endif
