/* smaps.c: /proc/self/smaps, line by line. */
#include "smaps.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* look(user, line) for each line about the mapping of this address. */
static void each_line(const void *at, void (*look)(void *, const char *),
                      void *user)
{
    FILE *f = fopen("/proc/self/smaps", "r");
    char line[512];
    uintptr_t from, end;
    bool mine = false;
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &end) == 2)
            mine = from <= (uintptr_t)at && (uintptr_t)at < end;
        if (mine)
            look(user, line);
    }
    if (f)
        fclose(f);
}

typedef struct field_search {
    const char *field;
    long kilobytes;
} field_search;

static void find_field(void *user, const char *line)
{
    field_search *search = user;
    size_t n = strlen(search->field);
    if (strncmp(line, search->field, n) == 0)
        search->kilobytes = strtol(line + n, NULL, 10);
}

long smaps_kilobytes(const void *at, const char *field)
{
    field_search search = {field, -1};
    each_line(at, find_field, &search);
    return search.kilobytes;
}

typedef struct flag_search {
    const char *flag;
    int answer;
} flag_search;

static void find_flag(void *user, const char *line)
{
    flag_search *search = user;
    if (strncmp(line, "VmFlags:", 8) == 0)
        search->answer = strstr(line, search->flag) != NULL;
}

int smaps_flag(const void *at, const char *flag)
{
    flag_search search = {flag, -1};
    each_line(at, find_flag, &search);
    return search.answer;
}

bool smaps_large_pages_exist(void)
{
    return access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) == 0 &&
           !getenv("MOSHI_EMULATED");
}
