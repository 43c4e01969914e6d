/* pieces.h: the tensors of a smaller file, and where their numbers come from.
 *
 * A file in candle layout keeps its tensors. One in PyTorch layout becomes a
 * candle file, as the official GGUF files are, if each codebook has weights of
 * its own; where codebooks share a set (docs/FORMATS.md, weight schedule) that
 * would store it many times over, and where there are norms before the heads
 * candle has no name for them: such files keep their names.
 *
 * Internal to src/quant. */
#ifndef MOSHI_QUANT_PIECES_H
#define MOSHI_QUANT_PIECES_H

#include "files/tensor_writer.h"
#include "lm/model.h"

/* One tensor of the new file: `spec` says its name, type and shape; its
 * numbers are those of `source` from element `first` on. */
typedef struct quant_piece {
    tensor_spec spec;
    const checkpoint_tensor *source;
    size_t first, n;
} quant_piece;

typedef struct quant_pieces {
    quant_piece *list; /* owned */
    size_t count, capacity;
    lm_layout layout;     /* of the new file */
    const char *left_out; /* a tensor that no model asks for, or NULL */
    size_t n_left_out;
} quant_pieces;

/* `type`: asked for; quant_type_for, and which tensors a model reads as plain
 * floats, decide for each. Errors: MOSHI_UNSUPPORTED (a name too long, a type
 * that GGUF does not have), MOSHI_NO_MEMORY. */
moshi_status quant_pieces_list(quant_pieces *out, const lm_model *model,
                               dtype type, moshi_error *err);
void quant_pieces_release(quant_pieces *pieces);

#endif
