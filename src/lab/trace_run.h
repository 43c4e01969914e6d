/* trace_run.h: run a model, or its codec alone, over a recording and record it.
 *
 * The run is that of `moshi gen` (or of `moshi codec roundtrip`): the same
 * frames, the same bits. With forced tokens the model hears and produces what
 * it did in an earlier run, so that sampling can neither hide a difference nor
 * make one. */
#ifndef MOSHI_LAB_TRACE_RUN_H
#define MOSHI_LAB_TRACE_RUN_H

#include <moshi/codec.h>

#include "lab/trace_notes.h"
#include "lab/trace_tokens.h"

typedef struct trace_run {
    const char *path;         /* the trace to write */
    const float *pcm;         /* frames * frame_samples samples */
    size_t frames;
    const char *const *match; /* globs of names; none: all */
    size_t n_match;
    size_t first, end;        /* frames to record; end 0: to the last */
    const trace_tokens *forced; /* NULL: the run is free. The run ends where
                                   they end */
    trace_inputs inputs;      /* for the notes */
    bool hashes;              /* note the SHA-256 of the files */
    void (*progress)(void *user, double fraction); /* may be NULL */
    void *user;
} trace_run;

/* A whole conversation. sampling may be NULL. Errors: as those of opening a
 * stream; MOSHI_MISMATCH (tokens that do not fit), MOSHI_IO. */
moshi_status trace_run_model(moshi_model *model,
                             const moshi_stream_params *sampling,
                             const trace_run *run, moshi_error *err);

/* The codec alone: encode, decode what was encoded (or run->forced). */
moshi_status trace_run_codec(const trace_run *run, moshi_model *codec,
                             moshi_error *err);

/* A moshi_model that has nothing but a backend and a codec. */
moshi_status trace_open_codec(moshi_model **out,
                              const moshi_codec_params *params,
                              cpu_level level, moshi_error *err);

#endif
