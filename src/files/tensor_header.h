/* tensor_header.h: the header of a file that is to be written. */
#ifndef MOSHI_FILES_TENSOR_HEADER_H
#define MOSHI_FILES_TENSOR_HEADER_H

#include <stdbool.h>

#include "files/tensor_writer.h"

/* Each tensor of a GGUF file, and its data section, begin at a multiple. */
#define TENSOR_GGUF_ALIGNMENT 32

/* False if `format` cannot hold the tensor: its type, its name, its size. */
bool tensor_spec_fits(checkpoint_format format, const tensor_spec *spec);

/* Bytes of a tensor's data in the file, with the padding that follows them;
 * false on overflow. spec must fit. */
bool tensor_stored_bytes(checkpoint_format format, const tensor_spec *spec,
                         size_t *n_bytes);

/* Write the header, padding included, into buffer; NULL only measures it.
 * Returns its bytes, 0 if a spec does not fit or the sizes overflow. */
size_t tensor_header_build(checkpoint_format format, const tensor_spec *specs,
                           size_t count, unsigned char *buffer);

/* The same for a safetensors file with entries in its `__metadata__`. */
size_t tensor_header_build_noted(const tensor_note *notes, size_t n_notes,
                                 const tensor_spec *specs, size_t count,
                                 unsigned char *buffer);

#endif
