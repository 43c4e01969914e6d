/* sniff.h: what a file is when it is not what was asked for.
 *
 * The usual accidents: a PyTorch pickle, the web page of a model instead of
 * its file, the pointer that git leaves when git-lfs is not installed. */
#ifndef MOSHI_FILES_SNIFF_H
#define MOSHI_FILES_SNIFF_H

#include <stddef.h>

typedef struct sniff_kind {
    const char *what; /* "an HTML page", to stand after "this is" */
    const char *hint; /* what to do */
} sniff_kind;

/* Told from the first bytes; NULL if nothing is recognised. Static. */
const sniff_kind *sniff(const void *bytes, size_t n_bytes);

#endif
