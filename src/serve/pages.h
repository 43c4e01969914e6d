/* pages.h: the files of web/, which are part of the program. */
#ifndef MOSHI_SERVE_PAGES_H
#define MOSHI_SERVE_PAGES_H

#include <stddef.h>

typedef struct page {
    const char *path; /* "/index.html" */
    const char *type; /* "text/html; charset=utf-8" */
    const unsigned char *bytes;
    size_t n_bytes;
} page;

/* Written at build time by tools/embed.py. */
extern const page pages_table[];
extern const size_t pages_count;

/* "/" is "/index.html"; NULL when there is no such page. */
const page *pages_find(const char *path);

#endif
