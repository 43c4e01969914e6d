/* talk_args.h: the options of a conversation from a file, as parameters.
 *
 * What `gen` and the lab's commands share (common_talk_options): they must run
 * the same frames with the same settings, or a trace would not be one of what
 * was heard. */
#ifndef MOSHI_CLI_TALK_ARGS_H
#define MOSHI_CLI_TALK_ARGS_H

#include <moshi/stream.h>

#include "base/limits.h"
#include "cli/options.h"

/* Model and device options too. */
moshi_status talk_model_args(const options *o, moshi_model_params *out,
                             moshi_error *err);

typedef struct talk_stream_args {
    moshi_stream_params params; /* borrows from the next, and from argv */
    const char *conditions[LIMIT_CONDITIONERS];
} talk_stream_args;

moshi_status talk_stream_args_read(const options *o, talk_stream_args *out,
                                   moshi_error *err);

/* The recording o->args[0] between its silences, in whole frames. */
typedef struct talk_recording {
    float *pcm;      /* owned (memory_free) */
    size_t frames;   /* to hear */
    size_t before;   /* samples of silence in front */
    size_t recorded; /* samples that were recorded */
} talk_recording;

/* Errors as source_file_load; MOSHI_ARGUMENT when there is no whole frame. */
moshi_status talk_recording_load(talk_recording *out, const options *o,
                                 int rate_hz, size_t frame_samples,
                                 moshi_error *err);

#endif
