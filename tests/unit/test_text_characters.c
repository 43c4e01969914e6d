/* Goal: text is cut between characters, wherever its bytes stop. Method: every
 * prefix of a text with characters of one to four bytes, every room for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/characters.h"

static const char text[] = "a\xc3\xa9" "b\xe2\x82\xac\xf0\x9f\x99\x82.";
/* Where its characters end. */
static const size_t ends[] = {0, 1, 3, 4, 7, 11, 12};

static size_t last_end(size_t n)
{
    size_t i = sizeof ends / sizeof *ends;
    while (ends[--i] > n)
        ;
    return ends[i];
}

static void begun_characters_wait(void **state)
{
    (void)state;
    for (size_t n = 0; n <= strlen(text); n++)
        assert_int_equal(characters_complete(text, n), last_end(n));
    /* What cannot become a character does not wait. */
    assert_int_equal(characters_complete("\x82", 1), 1);
    assert_int_equal(characters_complete("\xe2\x82\xac\x82\x82\x82", 6), 6);
    assert_int_equal(characters_complete("\xe2.", 2), 2);
}

static void prefixes_fit(void **state)
{
    size_t n = strlen(text);
    (void)state;
    for (size_t cap = 1; cap <= n + 2; cap++)
        assert_int_equal(characters_prefix(text, n, cap), last_end(cap));
    /* A character longer than the room is handed over in pieces. */
    assert_int_equal(characters_prefix(text + 4, 3, 2), 2);
    assert_int_equal(characters_prefix(text, n, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begun_characters_wait),
        cmocka_unit_test(prefixes_fit),
    };
    return cmocka_run_group_tests_name("characters", tests, NULL, NULL);
}
