/* test_levels.c: is every instruction set among the golden tests?
 *
 * Goal: the levels for which the golden tests are made (src/cpu/meson.build,
 * cpu_levels) are those that this kind of processor may have (base/cpu_flags.h),
 * no fewer and no more. Method: they are given as arguments, lowest first. */
#include <stdio.h>
#include <string.h>

#include "base/cpu_flags.h"

int main(int argc, char **argv)
{
    int at = 1;
    for (int i = CPU_REF; i < CPU_LEVEL_COUNT; i++) {
        const char *name = cpu_level_name((cpu_level)i);
        if (!cpu_level_here((cpu_level)i))
            continue;
        if (at >= argc || strcmp(argv[at], name) != 0) {
            fprintf(stderr, "expected %s, found %s: cpu_levels in "
                    "src/cpu/meson.build differ from base/cpu_flags.h\n",
                    name, at < argc ? argv[at] : "none");
            return 1;
        }
        at++;
    }
    if (at < argc)
        fprintf(stderr, "%s is no level of this kind of processor\n", argv[at]);
    return at < argc;
}
