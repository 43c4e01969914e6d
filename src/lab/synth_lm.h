/* synth_lm.h: the tensors of a language model's file, from its config.
 *
 * The names, shapes and order are those of the published files, in the
 * PyTorch and in the candle layout (docs/FORMATS.md). */
#ifndef MOSHI_LAB_SYNTH_LM_H
#define MOSHI_LAB_SYNTH_LM_H

#include "lab/synth_list.h"
#include "lm/config.h"

typedef enum synth_layout {
    SYNTH_PYTORCH, /* weight sets of the depformer stacked in one tensor */
    SYNTH_CANDLE   /* one copy of everything for each own codebook */
} synth_layout;

/* type: DTYPE_F32; DTYPE_BF16 (the PyTorch layout keeps conditioners F32); or
 * another weight type, for the tensors that quant_type_for gives it. Appends to
 * `list`. */
void synth_lm_add(synth_list *list, const lm_config *config,
                  synth_layout layout, dtype type);

#endif
