/* Goal: a build without toml++ refuses TOML in words that help. Method: link
 * the stub alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "files/value.h"

static void refuses(void **state)
{
    (void)state;
    value *v = NULL;
    moshi_error err = {0};
    assert_int_equal(value_parse_toml(&v, "a = 1", 5, "x.toml", &err),
                     MOSHI_LACKING);
    assert_null(v);
    assert_non_null(strstr(err.message, "x.toml: cannot read TOML"));
    assert_non_null(strstr(err.hint, "JSON"));
    assert_int_equal(value_parse_toml(&v, "", 0, "x.toml", NULL),
                     MOSHI_LACKING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
