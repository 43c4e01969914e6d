/* synth_list.h: the tensors of a random checkpoint, each with the law that
 * its values follow. Built by synth_lm and synth_mimi, written by synth. */
#ifndef MOSHI_LAB_SYNTH_LIST_H
#define MOSHI_LAB_SYNTH_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files/tensor_writer.h"

/* value = mean + spread * t, t drawn from a triangle of variance 1.
 * usage: NULL, or for a codebook's `embedding_sum` the law of the
 * `cluster_usage` beside it: each row is multiplied by its usage, so that the
 * quotient, the codebook's entry, has the spread given here. */
typedef struct synth_law {
    float mean, spread;
    const struct synth_law *usage; /* static */
} synth_law;

typedef struct synth_list {
    tensor_spec *specs; /* owned */
    synth_law *laws;    /* owned; laws[i] belongs to specs[i] */
    size_t count, specs_capacity, laws_capacity;
    bool failed; /* out of memory: adding has no effect any more */
} synth_list;

typedef struct synth_shape {
    int n_dims;
    size_t dims[3];
} synth_shape;

#define SYNTH_VECTOR(n) ((synth_shape){1, {(size_t)(n)}})
#define SYNTH_MATRIX(out, in) ((synth_shape){2, {(size_t)(out), (size_t)(in)}})
#define SYNTH_CUBE(a, b, c) \
    ((synth_shape){3, {(size_t)(a), (size_t)(b), (size_t)(c)}})

/* A law whose product with `fan_in` inputs of spread 1 has spread `gain`. */
synth_law synth_law_weight(float gain, size_t fan_in);

/* Append a tensor named by the format. */
void synth_list_add(synth_list *list, dtype type, synth_shape shape,
                    synth_law law, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

void synth_list_release(synth_list *list);

/* Bytes of all tensors' data. */
uint64_t synth_list_bytes(const synth_list *list);

/* Elements of one tensor. */
size_t synth_elements(const tensor_spec *spec);

#endif
