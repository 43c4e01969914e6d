/* pages.c: find a page by its path. */
#include "serve/pages.h"

#include <string.h>

const page *pages_find(const char *path)
{
    if (strcmp(path, "/") == 0)
        path = "/index.html";
    for (size_t i = 0; i < pages_count; i++)
        if (strcmp(pages_table[i].path, path) == 0)
            return &pages_table[i];
    return NULL;
}
