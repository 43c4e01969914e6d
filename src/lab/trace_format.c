/* trace_format.c: the names of a trace's tables. */
#include "lab/trace_format.h"

#include <string.h>

static const char *const names[TRACE_TABLE_COUNT] = {
#define TRACE_TABLE_NAME(name, text) [TRACE_##name] = text,
    TRACE_TABLES(TRACE_TABLE_NAME)
#undef TRACE_TABLE_NAME
};

const char *trace_table_name(trace_table table)
{
    return names[table];
}

bool trace_is_table(const char *name)
{
    for (int i = 0; i < TRACE_TABLE_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}
