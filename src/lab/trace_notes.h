/* trace_notes.h: what a run was, as the metadata of its trace.
 *
 * Version and build, files with their hashes, the config with where each value
 * came from, backend, threads, sampling, input (docs/TRACE.md has the keys).
 * What `diff` needs to choose its tolerance is read from here. */
#ifndef MOSHI_LAB_TRACE_NOTES_H
#define MOSHI_LAB_TRACE_NOTES_H

#include <stdbool.h>

#include <moshi/stream.h>

#include "files/tensor_writer.h"
#include "files/value.h"
#include "tasks/model.h"

#define TRACE_NOTES_MAX 24

typedef struct trace_notes {
    tensor_note list[TRACE_NOTES_MAX]; /* keys static, texts owned */
    size_t n;
    bool failed; /* out of memory somewhere on the way */
} trace_notes;

void trace_notes_release(trace_notes *notes);

void trace_notes_add(trace_notes *notes, const char *key, const char *text);

/* Takes the value over, whatever comes of it; NULL counts as no memory. */
void trace_notes_add_value(trace_notes *notes, const char *key, value *v);

/* Paths of the files behind a run; NULL for those it has not. */
typedef struct trace_inputs {
    const char *recording; /* "-" is standard input: it has no hash */
    const char *tokens;    /* of --tokens-from */
} trace_inputs;

/* Everything of a run of a model, or of its codec alone (m->lm NULL).
 * hashes: read the files and note their SHA-256. Errors: MOSHI_IO,
 * MOSHI_NO_MEMORY. */
moshi_status trace_notes_make(trace_notes *notes, const moshi_model *m,
                              const moshi_stream_params *sampling,
                              const trace_inputs *inputs, bool hashes,
                              moshi_error *err);

#endif
