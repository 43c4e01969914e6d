/* codec_open.h: the codec alone that the options name, for the lab's commands. */
#ifndef MOSHI_CLI_CODEC_OPEN_H
#define MOSHI_CLI_CODEC_OPEN_H

#include "cli/options.h"
#include "mimi/model.h"
#include "plan/backend.h"

/* --mimi or the model's folder, on the device of the options. What is opened is
 * the caller's even when something fails later: close both. */
moshi_status codec_open(const options *o, backend **be, mimi_model **codec,
                        moshi_error *err);

#endif
