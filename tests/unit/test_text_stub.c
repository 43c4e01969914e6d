/* A build without SentencePiece. Goal: opening says so and says what to do.
 * Method: call it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text/tokenizer.h"

static void opening_says_what_is_lacking(void **state)
{
    (void)state;
    tokenizer *t = NULL;
    moshi_error err = {0};
    assert_int_equal(tokenizer_open(&t, "x.model", &err), MOSHI_LACKING);
    assert_null(t);
    assert_non_null(strstr(err.message, "x.model"));
    assert_non_null(strstr(err.message, "without SentencePiece"));
    assert_true(strlen(err.hint) > 0);
    tokenizer_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_says_what_is_lacking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
