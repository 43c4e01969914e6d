/* A file in memory. Goal: what is mapped is the file; what cannot be mapped is
 * said; a large file is asked for in large pages, without which 8 GB take four
 * times as long to come into memory (docs/SPEED.md). Method: small files of
 * known bytes; what the system says of the mapping (smaps, "hg"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file_map.h"
#include "smaps.h"

#define LARGE ((off_t)8 << 20)

/* A file of n bytes, its first four "abcd"; unlink and free the path. */
static char *make_file(off_t n)
{
    char *path = strdup("/tmp/moshi-file-map-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    if (n > 0)
        assert_int_equal(write(fd, "abcd", 4), 4);
    assert_int_equal(ftruncate(fd, n), 0);
    close(fd);
    return path;
}

static void remove_file(char *path)
{
    unlink(path);
    free(path);
}

static void a_file_is_mapped(void **state)
{
    (void)state;
    moshi_error err = {0};
    file_map map = {0};
    char *path = make_file(5000);
    assert_int_equal(file_map_open(&map, path, &err), MOSHI_OK);
    assert_int_equal(map.bytes, 5000);
    assert_memory_equal(map.data, "abcd\0", 5);
    file_map_forget(map.data, map.bytes); /* and read again */
    assert_memory_equal(map.data, "abcd\0", 5);
    file_map_close(&map);
    assert_null(map.data);
    file_map_close(&map);
    remove_file(path);
}

static void an_empty_file_is_mapped(void **state)
{
    (void)state;
    moshi_error err = {0};
    file_map map = {0};
    char *path = make_file(0);
    assert_int_equal(file_map_open(&map, path, &err), MOSHI_OK);
    assert_null(map.data);
    assert_int_equal(map.bytes, 0);
    file_map_close(&map);
    remove_file(path);
}

static void what_is_no_file_is_said(void **state)
{
    (void)state;
    moshi_error err = {0};
    file_map map = {0};
    assert_int_equal(file_map_open(&map, "/tmp/moshi-nowhere", &err),
                     MOSHI_IO);
    assert_non_null(strstr(err.message, "cannot open '/tmp/moshi-nowhere'"));
    err = (moshi_error){0};
    assert_int_equal(file_map_open(&map, "/tmp", &err), MOSHI_IO);
    assert_non_null(strstr(err.message, "'/tmp' is not a regular file"));
    assert_null(map.data);
}

static void a_large_file_comes_in_large_pages(void **state)
{
    (void)state;
    moshi_error err = {0};
    file_map map = {0};
    char *path = make_file(LARGE);
    assert_int_equal(file_map_open(&map, path, &err), MOSHI_OK);
    int has = smaps_flag(map.data, " hg");
    file_map_close(&map);
    remove_file(path);
    if (has < 0 || !smaps_large_pages_exist()) {
        print_message("skipped: this system does not say, or has none, or an "
                      "emulator passes no advice on\n");
        skip();
    }
    assert_int_equal(has, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_mapped),
        cmocka_unit_test(an_empty_file_is_mapped),
        cmocka_unit_test(what_is_no_file_is_said),
        cmocka_unit_test(a_large_file_comes_in_large_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
