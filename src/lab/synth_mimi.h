/* synth_mimi.h: the tensors of a codec's file, from its sizes. */
#ifndef MOSHI_LAB_SYNTH_MIMI_H
#define MOSHI_LAB_SYNTH_MIMI_H

#include "lab/synth_list.h"
#include "mimi/config.h"

extern const mimi_config synth_mimi_published; /* docs/MODEL.md, Mimi */
extern const mimi_config synth_mimi_tiny;      /* the same, very small */

/* The codec's names and shapes (docs/FORMATS.md). Appends to `list`. */
void synth_mimi_add(synth_list *list, const mimi_config *config);

#endif
