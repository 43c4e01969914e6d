/* synth_memory.h: a random checkpoint in memory instead of in a file, for
 * benchmarks of models that are not there.
 *
 * Names, shapes and types are those of the list; so are the laws of the values,
 * but the same values come again and again, in another row each time: making
 * them takes no longer than touching the memory. */
#ifndef MOSHI_LAB_SYNTH_MEMORY_H
#define MOSHI_LAB_SYNTH_MEMORY_H

#include "files/checkpoint.h"
#include "lab/synth.h"
#include "lab/synth_list.h"

/* The bytes behind a checkpoint; they must outlive it. */
typedef struct synth_memory {
    void *bytes; /* owned; a mapping */
    size_t n_bytes;
} synth_memory;

/* With the header alone: all weights are zero, and take no memory yet. Errors:
 * MOSHI_NO_MEMORY, also when the machine has fewer bytes left than the model
 * takes: filling them would end this or another process. */
moshi_status synth_memory_map(synth_memory *memory, const synth_list *list,
                              checkpoint_format format, const char *label,
                              moshi_error *err);
/* Make the weights. Errors: MOSHI_NO_MEMORY. */
moshi_status synth_memory_fill(synth_memory *memory, const synth_list *list,
                               checkpoint_format format,
                               synth_progress *progress, void *user,
                               moshi_error *err);
void synth_memory_release(synth_memory *memory);

#endif
