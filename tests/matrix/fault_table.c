/* fault_table.c: the table, and which of its faults is in force. */
#include "faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const fault_row rows[FAULT_COUNT] = {
    {"", "", "", "", ""},
#define FAULT_ROW(name, text, about, where, op, defect) \
    {text, about, where, op, defect},
    FAULTS(FAULT_ROW)
#undef FAULT_ROW
};

static fault in_force = FAULT_COUNT; /* not looked up yet */

const fault_row *fault_at(fault f)
{
    return &rows[f];
}

fault fault_find(const char *name)
{
    fault f = FAULT_NONE;
    while (f < FAULT_COUNT && strcmp(rows[f].name, name) != 0)
        f++;
    return f;
}

void fault_set(fault f)
{
    in_force = f;
}

bool fault_is(fault f)
{
    if (in_force == FAULT_COUNT) {
        const char *name = getenv("MOSHI_FAULT");
        in_force = fault_find(name ? name : "");
        if (in_force == FAULT_COUNT) {
            fprintf(stderr, "there is no fault '%s'\n", name);
            exit(2);
        }
    }
    return in_force == f;
}
