/* checkpoint_build.h: how a reader of one format fills a checkpoint.
 *
 * The reader parses the header, reserves room, adds each tensor that it finds
 * and finishes. All that does not depend on the format is checked here, once:
 * names, sizes, bounds, overlaps, duplicates. */
#ifndef MOSHI_FILES_CHECKPOINT_BUILD_H
#define MOSHI_FILES_CHECKPOINT_BUILD_H

#include "base/error.h"
#include "base/file_map.h"
#include "files/checkpoint.h"
#include "files/value.h"

struct checkpoint {
    checkpoint_format format;
    char *path;                 /* owned; stands for the file in messages */
    file_map map;               /* empty if the bytes are the caller's */
    const unsigned char *bytes; /* borrowed from map or from the caller */
    size_t n_bytes;
    checkpoint_tensor *tensors; /* owned, and so are their names */
    size_t *begins;             /* owned; of each tensor's data, in the file's
                                   data section */
    size_t count, capacity;
    uint32_t *slots;            /* owned; hash table of index + 1, 0: empty */
    size_t n_slots;             /* a power of two, more than count */
    value *header;              /* owned; safetensors only */
    const value *metadata;      /* borrowed from header, or NULL */
};

/* What to do about a file that ends too early. */
#define CHECKPOINT_TRUNCATED "the file is truncated: download it again"

/* Eight little-endian bytes. */
static inline uint64_t checkpoint_u64(const unsigned char *at)
{
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--)
        v = v << 8 | at[i];
    return v;
}

/* A tensor as its header describes it. */
typedef struct checkpoint_entry {
    const char *name; /* need not be terminated */
    size_t name_bytes;
    dtype type;
    int n_dims;              /* at most LIMIT_DIMS */
    size_t dims[LIMIT_DIMS]; /* row-major, outermost first */
    size_t begin;            /* of the data, from the start of the section */
    size_t end;              /* the same, or CHECKPOINT_END_BY_SIZE */
} checkpoint_entry;

#define CHECKPOINT_END_BY_SIZE SIZE_MAX

/* Room for `count` tensors. Errors: MOSHI_FORMAT (more than LIMIT_TENSORS),
 * MOSHI_NO_MEMORY. */
moshi_status checkpoint_reserve(checkpoint *file, size_t count,
                                moshi_error *err);

/* Not more often than was reserved. Errors: MOSHI_FORMAT (name or size),
 * MOSHI_NO_MEMORY. */
moshi_status checkpoint_add(checkpoint *file, const checkpoint_entry *entry,
                            moshi_error *err);

/* Place the data section and check the tensors against each other. */
moshi_status checkpoint_finish(checkpoint *file, size_t data_start,
                               moshi_error *err);

/* Fill err: "PATH: tensor NAME: …" (or "PATH: …" without a name). Returns
 * status. name is checked with text_is_name by the caller. */
moshi_status checkpoint_fault(const checkpoint *file, const char *name,
                              moshi_status status, moshi_error *err,
                              const char *format, ...) ERROR_PRINTF(5, 6);

/* The slot where `name` is, or where it would be. */
size_t checkpoint_slot(const checkpoint *file, const char *name);

/* The readers; file->bytes is what they read. */
moshi_status safetensors_read(checkpoint *file, moshi_error *err);
moshi_status gguf_read(checkpoint *file, moshi_error *err);

#endif
