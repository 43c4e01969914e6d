/* Goal: a container's limit of memory is seen, in both versions of control
 * groups. Method: the files of such groups, made up; and this machine's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab/machine.h"

static char root[512];

/* PATH below the root, and the folders that it lies in, with this text. */
static const char *put(const char *path, const char *text)
{
    static char full[1024];
    snprintf(full, sizeof full, "%s/%s", root, path);
    for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        mkdir(full, 0700);
        *p = '/';
    }
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return full;
}

static int make_root(void **state)
{
    const char *folder = getenv("TMPDIR");
    (void)state;
    snprintf(root, sizeof root, "%s/moshi-machine-XXXXXX",
             folder ? folder : "/tmp");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    char command[600];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static void expect_left(const char *groups, size_t wanted)
{
    const char *list = put("groups", groups);
    assert_int_equal(machine_group_left(list, root), wanted);
}

/* 4 GB allowed, 3 used, of which 2 are files'; the outer group has less. */
static void version_2(void **state)
{
    (void)state;
    put("outer/inner/memory.max", "4000000000\n");
    put("outer/inner/memory.current", "3000000000\n");
    put("outer/inner/memory.stat", "anon 1000000000\ninactive_file 500000000\n"
                                   "active_file 1500000000\n");
    expect_left("0::/outer/inner\n", 3000000000);
    put("outer/memory.max", "3500000000\n");
    put("outer/memory.current", "1000000000\n");
    expect_left("0::/outer/inner\n", 2500000000);
    put("outer/memory.max", "max\n");
    expect_left("0::/outer/inner\n", 3000000000);
    expect_left("0::/other\n", SIZE_MAX);
    /* In a container its own group is the root. */
    put("memory.max", "1000\n");
    put("memory.current", "2000\n");
    expect_left("0::/\n", 0);
    expect_left("0::/docker/0123\n", 0);
}

static void version_1(void **state)
{
    (void)state;
    put("memory/box/memory.limit_in_bytes", "1000000000\n");
    put("memory/box/memory.usage_in_bytes", "700000000\n");
    put("memory/box/memory.stat", "active_file 1\ntotal_inactive_file "
                                  "100000000\ntotal_active_file 50000000\n");
    expect_left("9:cpu:/box\n4:memory:/box\n", 450000000);
    expect_left("9:cpu:/box\n", SIZE_MAX);
}

static void nothing_known(void **state)
{
    (void)state;
    assert_int_equal(machine_group_left("/nowhere", root), SIZE_MAX);
    expect_left("", SIZE_MAX);
    expect_left("0:\n0\n:::\n", SIZE_MAX);
}

/* There is a machine, and it has memory. */
static void this_machine(void **state)
{
    (void)state;
    if (access("/proc/meminfo", R_OK) != 0)
        skip();
    assert_true(machine_memory_left() > (size_t)1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_known), cmocka_unit_test(version_1),
        cmocka_unit_test(version_2),     cmocka_unit_test(this_machine),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
