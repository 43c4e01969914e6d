/* model_args.h: the shared model and device options, as parameters. */
#ifndef MOSHI_CLI_MODEL_ARGS_H
#define MOSHI_CLI_MODEL_ARGS_H

#include <stdbool.h>

#include <moshi/model.h>

#include "cli/options.h"
#include "tasks/model_files.h"

/* --model, --lm, … and --threads. Strings are borrowed from the command line.
 * Errors: MOSHI_LACKING for a device that this build has not. */
moshi_status model_args(const options *o, moshi_model_params *out,
                        moshi_error *err);

/* The model that ships with the program, where neither a model nor a part of one
 * is named yet. MOSHI_IO when it is needed and not there. */
moshi_status model_args_default(moshi_model_params *p, moshi_error *err);

/* Is it clear which model is meant: named as a whole, by all the parts that are
 * needed, or by nothing, which means the shipped one? Naming some of the parts
 * is wrong usage. */
bool model_args_named(const options *o, model_parts needed);

/* Only the device, and threads, 0 for all. MOSHI_LACKING for what is no
 * device's name. */
moshi_status device_args(const options *o, const char **device, int *threads,
                         moshi_error *err);

/* "12" or "auto" (NULL too), as moshi_model_params has it. Errors:
 * MOSHI_ARGUMENT. */
moshi_status device_layers(const char *text, int *out, moshi_error *err);

/* Say where `auto` ended, if it was asked for in so many words; and which GPU
 * is used. */
void device_report(const options *o, const char *device, const char *note);

/* The codec's file and its config (NULL: the published codec) from --mimi,
 * --mimi-config or the model's folder. *mimi and *config are allocated
 * (memory_free). */
moshi_status codec_args(const options *o, char **mimi, char **config,
                        moshi_error *err);

#endif
