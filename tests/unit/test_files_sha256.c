/* Goal: hashes of files are those of everybody else. Method: the vectors of
 * FIPS 180-2, and a file that takes several reads. Skipped in a build without
 * libcrypto. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "file_bytes.h"
#include "files/sha256.h"

static void hash_is(const char *text, size_t times, const char *expected)
{
    file_bytes b = {0};
    char hex[SHA256_HEX_BYTES];
    for (size_t i = 0; i < times; i++)
        bytes_put_text(&b, text);
    bytes_save(&b, test_path("hashed"));
    assert_int_equal(sha256_hex_of_file(test_path("hashed"), hex, NULL),
                     MOSHI_OK);
    assert_string_equal(hex, expected);
    bytes_release(&b);
}

static void known_hashes(void **state)
{
    (void)state;
    hash_is("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
                   "7852b855");
    hash_is("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff"
                      "61f20015ad");
    hash_is("aaaaaaaaaa", 100000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a4"
                                  "97200e046d39ccc7112cd0");
}

static void refuses(void **state)
{
    (void)state;
    char hex[SHA256_HEX_BYTES] = "as before";
    moshi_error err = {0};
    assert_int_equal(sha256_hex_of_file(test_path("nowhere"), hex, &err),
                     MOSHI_IO);
    assert_non_null(strstr(err.message, "cannot open"));
    assert_int_equal(sha256_hex_of_file("/", hex, &err), MOSHI_IO);
    assert_non_null(strstr(err.message, "cannot read '/'"));
    assert_string_equal(hex, "as before");
}

int main(void)
{
    char hex[SHA256_HEX_BYTES];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_hashes),
        cmocka_unit_test(refuses),
    };
    if (sha256_hex_of_file("/dev/null", hex, NULL) == MOSHI_LACKING)
        return 77;
    return cmocka_run_group_tests(tests, NULL, test_folder_remove);
}
