/* dtype.h: the element types of tensors and their sizes.
 *
 * A type is stored in blocks of `block` elements taking `bytes` bytes; for
 * plain types the block is one element. A row (the last dimension) always
 * holds whole blocks. */
#ifndef MOSHI_BASE_DTYPE_H
#define MOSHI_BASE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

/* X(name, text, block, bytes, ggml id or -1). ggml ids: GGUF specification. */
#define DTYPE_LIST(X)               \
    X(F32,  "F32",  1,   4,   0)    \
    X(F16,  "F16",  1,   2,   1)    \
    X(BF16, "BF16", 1,   2,   30)   \
    X(Q8_0, "Q8_0", 32,  34,  8)    \
    X(Q4_0, "Q4_0", 32,  18,  2)    \
    X(Q4_K, "Q4_K", 256, 144, 12)   \
    X(Q5_K, "Q5_K", 256, 176, 13)   \
    X(Q6_K, "Q6_K", 256, 210, 14)   \
    X(I8,   "I8",   1,   1,   24)   \
    X(I32,  "I32",  1,   4,   26)   \
    X(I64,  "I64",  1,   8,   27)   \
    X(U8,   "U8",   1,   1,   -1)   \
    X(BOOL, "BOOL", 1,   1,   -1)

typedef enum dtype {
#define DTYPE_ENUM(name, text, block, bytes, ggml) DTYPE_##name,
    DTYPE_LIST(DTYPE_ENUM)
#undef DTYPE_ENUM
    DTYPE_COUNT
} dtype;

typedef struct dtype_traits {
    const char *name; /* as in safetensors headers and messages */
    size_t block;     /* elements in a block */
    size_t bytes;     /* bytes of a block */
    int ggml;         /* type number in GGUF files, -1 if none */
} dtype_traits;

const dtype_traits *dtype_info(dtype type);

/* By the safetensors name ("BF16") or the GGUF number; false if unknown. */
bool dtype_from_name(const char *name, dtype *out);
bool dtype_from_ggml(unsigned id, dtype *out);

/* Bytes of a row of n elements; false if n is not a whole number of blocks
 * or the product overflows. */
bool dtype_row_bytes(dtype type, size_t n, size_t *out);

/* True for the types that a weight matrix may have (F32 … Q6_K). */
bool dtype_is_weight(dtype type);

#endif
