/* checkpoint.h: named tensors, whatever file they lie in.
 *
 * A checkpoint is an immutable, memory-mapped file. Everything about it is
 * checked when it is opened: after that a tensor's data pointer is valid for
 * its n_bytes, its shape multiplies out to n_bytes, tensors do not overlap
 * and names are unique. Sits below every model; knows no model's names.
 *
 * Thread-safety: an open checkpoint may be read from any number of threads. */
#ifndef MOSHI_FILES_CHECKPOINT_H
#define MOSHI_FILES_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

#include "base/dtype.h"
#include "base/limits.h"

typedef enum checkpoint_format {
    CHECKPOINT_SAFETENSORS,
    CHECKPOINT_GGUF
} checkpoint_format;

typedef struct checkpoint_tensor {
    const char *name; /* borrowed from the checkpoint until it is closed */
    dtype type;
    int n_dims;
    size_t dims[LIMIT_DIMS]; /* row-major, outermost first ([out, in]) */
    const void *data;        /* borrowed; aligned to the element only if the
                                file is, so kernels must not assume more */
    size_t n_bytes;
} checkpoint_tensor;

typedef struct checkpoint checkpoint;

/* Open a safetensors or GGUF file; the format is told by the contents.
 * Errors: MOSHI_IO (cannot read), MOSHI_FORMAT (damaged, with the tensor and
 * the reason), MOSHI_UNSUPPORTED (a type or GGUF version not known),
 * MOSHI_NO_MEMORY. */
moshi_status checkpoint_open(checkpoint **out, const char *path,
                             moshi_error *err);

/* The same for bytes in memory, which must outlive the checkpoint; `label`
 * stands for the path in messages. For tests and fuzzing. */
moshi_status checkpoint_open_memory(checkpoint **out, const void *bytes,
                                    size_t n_bytes, const char *label,
                                    moshi_error *err);
void checkpoint_close(checkpoint **file);

checkpoint_format checkpoint_kind(const checkpoint *file);
const char *checkpoint_path(const checkpoint *file);
size_t checkpoint_file_bytes(const checkpoint *file);

/* Tensors in the order of the file. index < checkpoint_count. */
size_t checkpoint_count(const checkpoint *file);
const checkpoint_tensor *checkpoint_at(const checkpoint *file, size_t index);

/* By exact name; NULL if there is none. Constant time. */
const checkpoint_tensor *checkpoint_find(const checkpoint *file,
                                         const char *name);

/* The same by a name made as printf does. */
const checkpoint_tensor *checkpoint_find_format(const checkpoint *file,
                                                const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Elements of a tensor (product of its dims; 1 for a scalar). */
size_t checkpoint_elements(const checkpoint_tensor *tensor);

/* "[32001, 4096]" into buffer (always terminated); returns buffer. */
char *checkpoint_shape_text(const checkpoint_tensor *tensor, char *buffer,
                            size_t buffer_bytes);

/* Element `index` (below the count of elements) of an I32 or I64 tensor. */
int64_t checkpoint_integer(const checkpoint_tensor *t, size_t index);

/* The data of a tensor will not be needed soon: give the memory of a mapped
 * file back. Reading it again is only slower. */
void checkpoint_forget(const checkpoint *file, const checkpoint_tensor *t);

/* safetensors `__metadata__` value for key, or NULL. Borrowed. */
const char *checkpoint_metadata(const checkpoint *file, const char *key);

#endif
