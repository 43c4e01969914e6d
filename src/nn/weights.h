/* weights.h: from the tensors of a checkpoint to the weights of a model.
 *
 * A loader asks for tensors by their canonical name and shape. Matrices stay
 * where the file has them, in its type; small vectors (norms, biases, scales)
 * are widened to float32 and owned by the store. The first thing that does not
 * fit is remembered with a sentence; later requests then answer NULL, so a
 * loader asks for everything and looks at the status once.
 *
 * Thread-safety: a loader belongs to one thread; a store does not change once
 * the model is open, but for the contents of its blocks that
 * weights_store_finish still makes. */
#ifndef MOSHI_NN_WEIGHTS_H
#define MOSHI_NN_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include <moshi/error.h>

#include "files/checkpoint.h"
#include "nn/weights_work.h"

/* Float blocks that live as long as the model. */
typedef struct weights_store weights_store;
weights_store *weights_store_open(void); /* NULL: out of memory */
void weights_store_close(weights_store **store);
/* 64-byte aligned, zeroed; NULL when out of memory. */
void *weights_store_block(weights_store *store, size_t bytes);
size_t weights_store_bytes(const weights_store *store);
/* Do what loading left to be done (weights_later), or wait until it is. */
void weights_store_finish(weights_store *store);
/* Bytes that this makes. */
size_t weights_store_unmade(const weights_store *store);

/* What became of a tensor of the file, for people who ask. */
typedef enum weights_use {
    WEIGHTS_UNUSED,   /* never asked for */
    WEIGHTS_IN_PLACE, /* read where the file has it */
    WEIGHTS_COPIED,   /* small: a copy in float32 */
    WEIGHTS_ROWS,     /* rearranged, row by row */
    WEIGHTS_PANELS,   /* rearranged in panels */
    WEIGHTS_DIVIDED   /* codebook sums, divided by their counts */
} weights_use;
weights_use weights_store_use(const weights_store *store,
                              const checkpoint_tensor *tensor);

/* A matrix [rows, width] in the file's type. data is borrowed from the
 * checkpoint, or NULL where the tensor is absent. */
typedef struct nn_matrix {
    dtype type;
    size_t rows, width;
    const void *data;
    bool panels; /* in panels (plan/panels.h), not row by row */
} nn_matrix;

/* Rows first … first+count of a matrix. */
nn_matrix nn_matrix_rows(nn_matrix m, size_t first, size_t count);

/* Where a canonical name lies: rows `first` … `first + count` of the outermost
 * axis of a tensor of the file (count 0: all of it). */
typedef struct weights_place {
    const checkpoint_tensor *tensor;
    size_t first, count;
} weights_place;
typedef bool weights_resolve(const void *user, const checkpoint *file,
                             const char *name, weights_place *out);

typedef struct weights {
    const checkpoint *file;
    weights_store *store;
    weights_resolve *resolve; /* NULL: names of the file are canonical */
    const void *user;         /* passed to resolve */
    bool panels;              /* arrange own matrices in panels */
    dtype kept;               /* what large matrices are rounded to: BF16 or
                                 Q8_0; F32: they stay as they are */
    bool later;               /* leave what can be to weights_store_finish */
    moshi_status status;      /* of the first request that failed */
    moshi_error *err;
} weights;

bool weights_find(const weights *w, const char *name, weights_place *out);
bool weights_has(const weights *w, const char *name);

/* [rows, width]; further axes of the file's tensor must be 1 or multiply into
 * width ([out, in, 1] is a matrix, and [C, 1, 4] is [C, 4]). */
nn_matrix weights_matrix(weights *w, const char *name, size_t rows,
                         size_t width);

/* n floats, whatever the axes, widened from F32, F16 or BF16. */
const float *weights_floats(weights *w, const char *name, size_t n);

/* The same into the caller's own n floats, e.g. to be rearranged. */
bool weights_read(weights *w, const char *name, size_t n, float *out);

/* As weights_floats, NULL without complaint where the tensor is absent. */
const float *weights_floats_optional(weights *w, const char *name, size_t n);

/* Writable floats of the model's own, e.g. for a rearranged convolution. */
float *weights_own(weights *w, size_t n);
void *weights_own_bytes(weights *w, size_t bytes);

/* Where the file has n numbers of a type that can be widened to float32; data
 * is borrowed from the checkpoint and need not be aligned. */
bool weights_source(weights *w, const char *name, size_t n, const void **data,
                    dtype *type);
/* n of them as floats: F32, F16 or BF16. */
void weights_widen(float *y, const void *data, dtype type, size_t n);

/* Have job(copy of user) done: now, or with `later` in weights_store_finish.
 * It must not fail; bytes: what it writes. */
void weights_later(weights *w, weights_job *job, const void *user, size_t size,
                   size_t bytes);

/* What the tensor that was asked for last is used for, if not as the request
 * says by itself. */
void weights_note_use(weights *w, weights_use use);

/* Remember a failure found by the loader itself. */
void weights_fail(weights *w, moshi_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
