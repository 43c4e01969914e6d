/* error.h: fill the caller's moshi_error.
 *
 * The first cause wins: a function that fails because something below it
 * failed adds context in front with error_context and passes the status up.
 * Every function accepts a NULL error. */
#ifndef MOSHI_BASE_ERROR_H
#define MOSHI_BASE_ERROR_H

#include <moshi/error.h>

#if defined(__GNUC__)
#define ERROR_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define ERROR_PRINTF(f, a)
#endif

/* Set status and message (hint is cleared); returns status, so that a
 * failing function reads `return error_set(err, MOSHI_FORMAT, "…");`. */
moshi_status error_set(moshi_error *err, moshi_status status,
                       const char *format, ...) ERROR_PRINTF(3, 4);

/* Add what the user can do. Returns err's status; without an error (NULL) it
 * cannot know that, and answers MOSHI_OK: a function that ends with it needs
 * one, so the public functions put one in the place of NULL. */
moshi_status error_hint(moshi_error *err, const char *format, ...)
    ERROR_PRINTF(2, 3);

/* Put "context: " in front of the message. */
void error_context(moshi_error *err, const char *format, ...)
    ERROR_PRINTF(2, 3);

/* Shorthand for a failed allocation of something named `what`. */
moshi_status error_no_memory(moshi_error *err, const char *what);

/* Empty the error. */
void error_clear(moshi_error *err);

#endif
