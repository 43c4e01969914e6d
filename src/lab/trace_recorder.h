/* trace_recorder.h: hooks that write what plans compute into a trace file.
 *
 * The file's header is written first, since plans know what they will make;
 * then each value goes to its place as it is computed. Memory: the largest
 * value and the tables of tokens, whatever the length of the run.
 *
 * Thread-safety: one thread at a time, the one that runs the plans. */
#ifndef MOSHI_LAB_TRACE_RECORDER_H
#define MOSHI_LAB_TRACE_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include <moshi/error.h>

#include "files/tensor_writer.h"
#include "plan/backend.h"

typedef struct trace_recorder trace_recorder;

typedef enum trace_part {
    TRACE_ENCODER,
    TRACE_LM,
    TRACE_DECODER,
    TRACE_PART_COUNT
} trace_part;

typedef struct trace_recorder_params {
    const char *path;
    const tensor_note *notes; /* the metadata, n of them */
    size_t n_notes;
    const char *const *match; /* record names that match any of these globs; */
    size_t n_match;           /* none: all */
    size_t frames;            /* T of the run, ≥ 1 */
    size_t first, end;        /* record frames first … end-1 */
    const backend *backend;
    const plan *plans[TRACE_PART_COUNT]; /* NULL: this part does not run */
    tensor_id lm_inputs; /* of the language model's plan: what a step reads */
    tensor_id lm_forced; /* likewise: what is forced on it. Not recorded: a
                            free run and its forced repetition are the same */
    int own, user;       /* codebooks; own 0: no language model */
    int delay;           /* frames before the first is spoken */
} trace_recorder_params;

/* Strings and plans are borrowed until the recorder is closed. Errors:
 * MOSHI_IO, MOSHI_ARGUMENT (nothing matches, no frame in the range),
 * MOSHI_NO_MEMORY. */
moshi_status trace_recorder_open(trace_recorder **out,
                                 const trace_recorder_params *params,
                                 moshi_error *err);
/* An unfinished file is removed. */
void trace_recorder_close(trace_recorder **recorder);

/* The hook for the runs of a part, as long as the recorder lives. */
const plan_hook *trace_recorder_hook(const trace_recorder *recorder,
                                     trace_part part);

/* What one frame brought; NULL for what it did not. */
typedef struct trace_frame {
    const int32_t *codes_in;  /* [user] */
    const int32_t *tokens;    /* [1 + own] */
    const int32_t *codes_out; /* [own], decoded in this frame */
} trace_frame;

/* Frames begin one after the other, from 0; the hooks are for the one that has
 * begun. trace_recorder_end ends it: errors of its hooks come out here. */
void trace_recorder_begin(trace_recorder *recorder, size_t frame);
moshi_status trace_recorder_end(trace_recorder *recorder,
                                const trace_frame *brought, moshi_error *err);

/* Write the tables and put the file in its place. */
moshi_status trace_recorder_finish(trace_recorder *recorder,
                                   moshi_error *err);

#endif
