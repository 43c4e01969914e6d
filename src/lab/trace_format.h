/* trace_format.h: what a trace file holds (docs/TRACE.md).
 *
 * A safetensors file. Every operation that was recorded is a tensor under the
 * operation's name, [F, rows, width], F32 or I32: its first axis is the frame,
 * steps come before channels, and what a frame did not compute is zero. The
 * tensors are in the order of the plans: encoder, language model, decoder. The
 * names below are taken by the rest; they are never those of an operation. */
#ifndef MOSHI_LAB_TRACE_FORMAT_H
#define MOSHI_LAB_TRACE_FORMAT_H

#include <stdbool.h>

/* Of the metadata: the format's version, and a name for who wrote it. */
#define TRACE_VERSION_KEY "moshi.trace"
#define TRACE_VERSION "1"

/* X(NAME, tensor): T are all frames of the run, F those that were recorded;
 * a column is one frame. */
#define TRACE_TABLES(X)                                                      \
    X(FRAMES, "frames")             /* I32 [F]: their numbers, ascending */  \
    X(CODES_IN, "codes_in")         /* I32 [K user, T]: made by the encoder */ \
    X(INPUTS, "inputs")             /* I32 [1 + n_q, T]: what a step read */ \
    X(TEXT_TOKENS, "text_tokens")   /* I32 [T]: produced by each step */     \
    X(AUDIO_TOKENS, "audio_tokens") /* I32 [K own, T] */                     \
    X(CODES_OUT, "codes_out")       /* I32 [K own, T - delay]: decoded; -1:  \
                                       not */                                \
    X(LIKELIEST, "likeliest")       /* I32 [1 + K own, T]: of each choice */ \
    X(MARGINS, "margins")           /* F32, likewise: its logit minus the    \
                                       second's */

typedef enum trace_table {
#define TRACE_TABLE_ENUM(name, text) TRACE_##name,
    TRACE_TABLES(TRACE_TABLE_ENUM)
#undef TRACE_TABLE_ENUM
    TRACE_TABLE_COUNT
} trace_table;

/* "text_tokens"; static. */
const char *trace_table_name(trace_table table);

/* Is this name taken by a table? */
bool trace_is_table(const char *name);

#endif
