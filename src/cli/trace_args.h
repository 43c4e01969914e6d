/* trace_args.h: what trace and compare have in common: which part of a model
 * runs, and what of it is recorded (common_trace_options). */
#ifndef MOSHI_CLI_TRACE_ARGS_H
#define MOSHI_CLI_TRACE_ARGS_H

#include "base/cpu_flags.h"
#include "cli/options.h"
#include "lab/trace_run.h"

#define TRACE_GLOBS_MAX 32

typedef struct trace_choice {
    const char *globs[TRACE_GLOBS_MAX]; /* borrowed from argv */
    size_t n_globs;
    size_t first, end; /* frames; end 0: to the last */
} trace_choice;

/* MOSHI_ARGUMENT: a mistake in the command line. */
moshi_status trace_choice_read(const options *o, trace_choice *out,
                               moshi_error *err);
void trace_choice_apply(const trace_choice *choice, trace_run *run);

/* A whole model, or only its codec. */
moshi_status trace_args_open(moshi_model **out, const moshi_model_params *p,
                             bool codec, cpu_level level, moshi_error *err);

#endif
