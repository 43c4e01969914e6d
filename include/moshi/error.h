/* error.h: what can go wrong, as a status code and as a sentence.
 *
 * Functions that can fail return a moshi_status: MOSHI_OK, a state
 * (positive) or an error (negative). Those that open or load something also
 * fill a moshi_error owned by the caller, which says what, where and what to
 * do. On failure every other output parameter is left untouched.
 *
 * Thread-safety: the functions below may be called from any thread.
 */
#ifndef MOSHI_ERROR_H
#define MOSHI_ERROR_H

#include <moshi/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, value, sentence). Values are part of the ABI and never change. */
#define MOSHI_STATUS_LIST(X)                                                \
    X(OK,          0, "done")                                               \
    X(AGAIN,       1, "more input is needed before there is output")        \
    X(FINISHED,    2, "the stream has ended and holds nothing more")        \
    X(NO_MEMORY,  -1, "out of memory")                                      \
    X(IO,         -2, "a file cannot be opened, read or written")           \
    X(FORMAT,     -3, "a file is damaged or of a type that is not known")   \
    X(MISMATCH,   -4, "two parts do not fit each other")                    \
    X(UNSUPPORTED,-5, "well formed, but this version cannot do it")         \
    X(ARGUMENT,   -6, "the caller passed a value outside its range")        \
    X(LACKING,    -7, "this build or this machine lacks what is needed")    \
    X(FULL,       -8, "no room: pull output before pushing more")

typedef enum moshi_status {
#define MOSHI_STATUS_ENUM(name, value, sentence) MOSHI_##name = value,
    MOSHI_STATUS_LIST(MOSHI_STATUS_ENUM)
#undef MOSHI_STATUS_ENUM
    MOSHI_STATUS_FORCE_INT = 0x7fffffff
} moshi_status;

/* Filled on failure. Both strings are UTF-8, without a final full stop, and
 * may be empty. A caller that does not care may pass NULL for it anywhere. */
typedef struct moshi_error {
    moshi_status status;
    char message[768]; /* what and where: "x.gguf: tensor a is [1, 2]…" */
    char hint[384];    /* what to do about it */
} moshi_error;

/* "MISMATCH" for MOSHI_MISMATCH; "?" for a value that is not in the list.
 * The string is static. */
MOSHI_API const char *moshi_status_name(moshi_status status);

/* The sentence of MOSHI_STATUS_LIST. The string is static. */
MOSHI_API const char *moshi_status_text(moshi_status status);

#ifdef __cplusplus
}
#endif
#endif
