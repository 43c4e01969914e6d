/* file.h: a language model's file written once more, in fewer bits.
 *
 * The new file is GGUF in candle layout wherever that can be (pieces.h). For
 * Q8_0 it has the tensors, the types and the bytes of the official quantised
 * files. Memory stays at some megabytes whatever the size of the model: pieces
 * of a tensor are read, encoded and written one batch after the other, and the
 * mapped pages of the source are given back.
 *
 * The file appears under its name when it is complete. */
#ifndef MOSHI_QUANT_FILE_H
#define MOSHI_QUANT_FILE_H

#include <stdint.h>

#include "lm/model.h"

/* What became of one tensor. */
typedef struct quant_report {
    const char *name; /* in the new file; valid during the call */
    dtype from, to, wanted;
    int n_dims;
    const size_t *dims;
    uint64_t bytes_from, bytes_to;
    /* Of the difference to the source: its root mean square as a fraction of
     * that of the numbers, and its largest magnitude. Zeros if they were not
     * asked for. */
    double rms, most;
} quant_report;

typedef struct quant_params {
    dtype type;   /* a weight type */
    int threads;  /* 0: one for each usable core */
    bool measure; /* find out the errors of each tensor */
    /* Both may be NULL. progress: bytes of the source. */
    void (*progress)(void *user, uint64_t done, uint64_t total);
    void (*tensor)(void *user, const quant_report *t);
    void *user;
} quant_params;

/* What the new file is. */
typedef struct quant_summary {
    lm_layout layout;
    size_t tensors, other_type; /* matrices that could not take the type */
    uint64_t bytes_from, bytes_to; /* of tensor data */
    size_t left_out; /* tensors of the source that no model asks for */
    char left_out_name[128]; /* the first of them */
} quant_summary;

/* Errors: MOSHI_ARGUMENT (the path is the model's own file, the type is none
 * for weights), MOSHI_FORMAT (a number that is not finite), MOSHI_UNSUPPORTED,
 * MOSHI_IO (disk full and the like), MOSHI_NO_MEMORY. */
moshi_status quant_file_write(const lm_model *model, const char *path,
                              const quant_params *params, quant_summary *out,
                              moshi_error *err);

#endif
