/* codec_replay.h: moshi codec decode --delay-scan, --order-scan. */
#ifndef MOSHI_CLI_CODEC_REPLAY_H
#define MOSHI_CLI_CODEC_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/exit_status.h"
#include "cli/options.h"

/* Was a scan asked for? */
bool codec_replay_wanted(const options *o);

/* Scan codes [T][K] as the options say and print the table or the JSON object.
 * *answer: EXIT_STATUS_NO when another view is the right one, or the codec is
 * broken. */
moshi_status codec_replay(const options *o, const int32_t *codes, int K,
                          size_t T, exit_status *answer, moshi_error *err);

#endif
