/* common.h: the options that several commands share. */
#ifndef MOSHI_CLI_COMMON_H
#define MOSHI_CLI_COMMON_H

#include "cli/options.h"

extern const option common_model_options[];  /* which model */
extern const option common_device_options[]; /* where it runs */
extern const option common_threads_options[]; /* and with how many threads */
extern const option common_sampling_options[]; /* tokens, conditions, delay */
extern const option common_recording_options[]; /* silence around a recording */
extern const option common_ends_options[];      /* where sound is from, and goes */
extern const option common_trace_options[];  /* what is recorded */
extern const option common_report_options[]; /* how results are printed */
extern const option common_options[];        /* every command has these */

#endif
