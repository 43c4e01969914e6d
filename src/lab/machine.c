/* machine.c: read /proc, where there is one. */
#include "lab/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* Kilobytes behind "key" at the start of a line of a file in /proc. */
static size_t kilobytes(const char *path, const char *key)
{
    char line[256];
    unsigned long long found = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0) {
            if (sscanf(line + strlen(key), "%llu", &found) != 1)
                found = 0;
            break;
        }
    fclose(file);
    return (size_t)found;
}

size_t machine_memory_left(void)
{
    struct rlimit most;
    size_t left = kilobytes("/proc/meminfo", "MemAvailable:") << 10;
    size_t mapped = kilobytes("/proc/self/status", "VmSize:") << 10;
    if (!left || getrlimit(RLIMIT_AS, &most) != 0 ||
        most.rlim_cur == RLIM_INFINITY)
        return left;
    /* 1: nothing, which is known. */
    size_t allowed = most.rlim_cur > mapped ? (size_t)most.rlim_cur - mapped
                                            : 1;
    return allowed < left ? allowed : left;
}

machine_resident machine_memory_resident(void)
{
    static const char path[] = "/proc/self/status";
    return (machine_resident){kilobytes(path, "VmRSS:") << 10,
                              kilobytes(path, "RssAnon:") << 10};
}
