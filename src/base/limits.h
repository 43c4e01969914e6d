/* limits.h: every limit of the library, by name.
 *
 * A length that comes from a file or a caller is compared with one of these
 * before anything is allocated from it. */
#ifndef MOSHI_BASE_LIMITS_H
#define MOSHI_BASE_LIMITS_H

#include <stddef.h>

/* Checkpoint files. */
#define LIMIT_HEADER_BYTES ((size_t)100 << 20) /* as the reference reader */
#define LIMIT_TENSORS      ((size_t)1 << 16)
#define LIMIT_DIMS         8
#define LIMIT_NAME_BYTES   512
#define LIMIT_METADATA     ((size_t)1 << 20) /* GGUF metadata entries */
#define LIMIT_ARRAY_DEPTH  8                 /* GGUF nested arrays */

/* Config files. */
#define LIMIT_CONFIG_BYTES ((size_t)4 << 20)
#define LIMIT_NESTING      64

/* Models. */
#define LIMIT_CODEBOOKS    64  /* n_q, both streams together */
#define LIMIT_LAYERS       256
#define LIMIT_SLICE_LAYERS 1024 /* depformer layers run in one step */
#define LIMIT_WIDTH        ((size_t)1 << 16) /* any hidden width */
#define LIMIT_VOCABULARY   ((size_t)1 << 20)
#define LIMIT_CONTEXT      ((size_t)1 << 20) /* steps */
#define LIMIT_DELAY        64                /* steps */
#define LIMIT_CONDITIONERS 16
#define LIMIT_VALUES       64 /* possible values of a conditioner */

/* Files. */
#define LIMIT_PATH_BYTES 4096

/* Recorded codes: eleven hours of 32 codebooks. */
#define LIMIT_TOKENS       ((size_t)1 << 24)

/* Running. */
#define LIMIT_LANES        64
#define LIMIT_THREADS      256

/* Audio files. */
#define LIMIT_CHANNELS       64
#define LIMIT_SAMPLE_RATE_HZ 768000
#define LIMIT_PIPE_BYTES     ((size_t)1 << 30) /* input that cannot seek */

#endif
