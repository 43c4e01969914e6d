/* machine.c: read /proc, where there is one. */
#include "lab/machine.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* The number behind `key` at the start of a line of a file. False, and *out
 * untouched: there is none. */
static bool read_number(const char *path, const char *key,
                        unsigned long long *out)
{
    char line[256];
    bool found = false;
    FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof line, file))
        found = strncmp(line, key, strlen(key)) == 0 &&
                sscanf(line + strlen(key), "%llu", out) == 1;
    if (file)
        fclose(file);
    return found;
}

/* Kilobytes of a file in /proc; 0: not known. */
static size_t kilobytes(const char *path, const char *key)
{
    unsigned long long found = 0;
    read_number(path, key, &found);
    return (size_t)found;
}

/* --- control groups --- */

/* Of version 2, and of version 1, which has a tree for memory alone. */
typedef struct group_files {
    const char *marks; /* its line in /proc/self/cgroup: behind the number */
    const char *tree, *limit, *used, *active, *inactive;
} group_files;

static const group_files versions[] = {
    {"::", "", "memory.max", "memory.current", "active_file ",
     "inactive_file "},
    {":memory:", "/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
     "total_active_file ", "total_inactive_file "},
};

/* The number behind `key` in ROOT/TREE/GROUP/NAME. False: there is none, as
 * where a limit is "max". */
static bool read_group(const char *root, const char *tree, const char *group,
                       const char *name, const char *key,
                       unsigned long long *out)
{
    char path[1024];
    snprintf(path, sizeof path, "%s%s%s/%s", root, tree, group, name);
    return read_number(path, key, out);
}

static size_t left_of_group(const char *root, const group_files *v,
                            const char *group)
{
    unsigned long long limit, used, active = 0, inactive = 0;
    if (!read_group(root, v->tree, group, v->limit, "", &limit) ||
        !read_group(root, v->tree, group, v->used, "", &used))
        return SIZE_MAX;
    read_group(root, v->tree, group, "memory.stat", v->active, &active);
    read_group(root, v->tree, group, "memory.stat", v->inactive, &inactive);
    unsigned long long held = used > active + inactive
                                  ? used - active - inactive : 0;
    return limit > held ? (size_t)(limit - held) : 0;
}

/* The least of a group and of all that it lies in. `group` is cut. */
static size_t left_of_groups(const char *root, const group_files *v,
                             char *group)
{
    size_t least = SIZE_MAX;
    for (;;) {
        char *slash = strrchr(group, '/');
        if (slash && !slash[1]) /* the root is "/" */
            *slash = 0;
        size_t left = left_of_group(root, v, group);
        least = left < least ? left : least;
        slash = strrchr(group, '/');
        if (!slash)
            return least;
        *slash = 0;
    }
}

size_t machine_group_left(const char *groups, const char *root)
{
    char line[1024];
    size_t least = SIZE_MAX;
    FILE *file = fopen(groups, "re");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *marks = line + strspn(line, "0123456789");
        for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
            size_t n = strlen(versions[i].marks);
            if (strncmp(marks, versions[i].marks, n) != 0)
                continue;
            size_t left = left_of_groups(root, &versions[i], marks + n);
            least = left < least ? left : least;
            break;
        }
    }
    if (file)
        fclose(file);
    return least;
}

/* What the address space of the process may still grow by. */
static size_t left_of_process(void)
{
    struct rlimit most;
    size_t mapped = kilobytes("/proc/self/status", "VmSize:") << 10;
    if (getrlimit(RLIMIT_AS, &most) != 0 || most.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    return most.rlim_cur > mapped ? (size_t)most.rlim_cur - mapped : 0;
}

size_t machine_memory_left(void)
{
    size_t left = kilobytes("/proc/meminfo", "MemAvailable:") << 10;
    if (!left)
        return 0;
    size_t group = machine_group_left("/proc/self/cgroup", "/sys/fs/cgroup");
    size_t process = left_of_process();
    left = group < left ? group : left;
    left = process < left ? process : left;
    return left ? left : 1; /* nothing, which is known */
}

machine_resident machine_memory_resident(void)
{
    static const char path[] = "/proc/self/status";
    return (machine_resident){kilobytes(path, "VmRSS:") << 10,
                              kilobytes(path, "RssAnon:") << 10};
}
