/* model_args.h: the shared model and device options, as parameters. */
#ifndef MOSHI_CLI_MODEL_ARGS_H
#define MOSHI_CLI_MODEL_ARGS_H

#include <stdbool.h>

#include <moshi/model.h>

#include "cli/options.h"
#include "tasks/model_files.h"

/* --model, --lm, … and --threads; the model that ships with the program when
 * none of --model, --lm and --mimi is given. Strings are borrowed from the
 * command line. Errors: MOSHI_LACKING for a device that this build has not,
 * MOSHI_IO when the shipped model is needed and not there. */
moshi_status model_args(const options *o, moshi_model_params *out,
                        moshi_error *err);

/* Is it clear which model is meant: named as a whole, by all the parts that are
 * needed, or by nothing, which means the shipped one? Naming some of the parts
 * is wrong usage. */
bool model_args_named(const options *o, model_parts needed);

/* Only the device: threads, 0 for all. */
moshi_status device_args(const options *o, int *threads, moshi_error *err);

/* The codec's file and its config (NULL: the published codec) from --mimi,
 * --mimi-config or the model's folder. *mimi and *config are allocated
 * (memory_free). */
moshi_status codec_args(const options *o, char **mimi, char **config,
                        moshi_error *err);

#endif
