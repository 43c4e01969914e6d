/* layout.h: which of the family's naming schemes a file uses
 * (docs/FORMATS.md, the language model's names).
 *
 * The model code asks for tensors by their candle names, one weight set per
 * depformer slice; this module finds them in a file of either layout. In the
 * PyTorch layout the sets of all slices are stacked along the rows of one
 * tensor, and a schedule says which set a slice uses (docs/FORMATS.md). */
#ifndef MOSHI_LM_LAYOUT_H
#define MOSHI_LM_LAYOUT_H

#include "lm/config.h"
#include "nn/weights.h"

typedef enum lm_layout {
    LM_LAYOUT_PLAIN,   /* no depformer: the layouts are the same */
    LM_LAYOUT_CANDLE,  /* depformer.{k}.…: one set per slice */
    LM_LAYOUT_PYTORCH  /* depformer_in.{w}, stacked sets */
} lm_layout;

/* "candle", "PyTorch", "plain"; static. */
const char *lm_layout_name(lm_layout layout);

/* By the names in the file. Errors: MOSHI_UNSUPPORTED (MLX, bitsandbytes,
 * moshi.cpp), MOSHI_MISMATCH (not a language model), each saying which file to
 * take instead. */
moshi_status lm_layout_recognise(const checkpoint *file, lm_layout *out,
                                 moshi_error *err);

/* What lm_layout_resolve needs to know. */
typedef struct lm_names {
    lm_layout layout;
    const lm_config *config; /* schedule and depformer_sets, for PyTorch */
} lm_names;

/* A weights_resolve; user is a const lm_names *. */
bool lm_layout_resolve(const void *user, const checkpoint *file,
                       const char *name, weights_place *out);

#endif
