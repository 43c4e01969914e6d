/* fail_each.h: fail one allocation after another until the work is done. */
#ifndef TESTS_FAIL_EACH_H
#define TESTS_FAIL_EACH_H

#include <stdbool.h>

#include <moshi/error.h>

/* What is tried: it cleans up after itself in either case. */
typedef moshi_status attempt(void *context, moshi_error *err);

/* Run `try` with the n-th allocation failing, n = 1, 2, … up to 200 and then
 * in steps of about 2 %, until it needs fewer; lasting: with all later ones
 * failing too. Each time the answer must be MOSHI_NO_MEMORY and no block may
 * leak. */
void fail_from(const char *what, attempt *try, void *context, bool lasting);

/* Both: as a single failure, and lasting. */
void fail_each(const char *what, attempt *try, void *context);

#endif
