/* common.h: the options that several commands share. */
#ifndef MOSHI_CLI_COMMON_H
#define MOSHI_CLI_COMMON_H

#include "cli/options.h"

extern const option common_model_options[];  /* which model */
extern const option common_device_options[]; /* where it runs */
extern const option common_talk_options[];   /* sampling, silence, delay */
extern const option common_trace_options[];  /* what is recorded */
extern const option common_report_options[]; /* how results are printed */
extern const option common_options[];        /* every command has these */

#endif
