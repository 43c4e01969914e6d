/* smaps.c: /proc/self/smaps, line by line. */
#include "smaps.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The line that begins with `field`, of the mapping of this address, into
 * `line`. NULL: there is none; else what stands behind the field. */
static const char *find_line(const void *at, const char *field, char *line,
                             int room)
{
    FILE *f = fopen("/proc/self/smaps", "r");
    size_t n = strlen(field);
    uintptr_t from, end;
    bool mine = false, found = false;
    while (f && !found && fgets(line, room, f)) {
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &end) == 2)
            mine = from <= (uintptr_t)at && (uintptr_t)at < end;
        found = mine && strncmp(line, field, n) == 0;
    }
    if (f)
        fclose(f);
    return found ? line + n : NULL;
}

long smaps_kilobytes(const void *at, const char *field)
{
    char line[512];
    const char *value = find_line(at, field, line, sizeof line);
    return value ? strtol(value, NULL, 10) : -1;
}

int smaps_flag(const void *at, const char *flag)
{
    char line[512];
    const char *flags = find_line(at, "VmFlags:", line, sizeof line);
    return flags ? strstr(flags, flag) != NULL : -1;
}

bool smaps_large_pages_exist(void)
{
    return access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) == 0 &&
           !getenv("MOSHI_EMULATED");
}
