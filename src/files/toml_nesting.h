/* toml_nesting.h: how deep a TOML text can nest, before it is parsed. */
#ifndef MOSHI_FILES_TOML_NESTING_H
#define MOSHI_FILES_TOML_NESTING_H

#include <stddef.h>

/* The number of the first line that nests deeper than LIMIT_NESTING brackets,
 * or whose keys have more than as many dots; 0 if there is none. */
size_t toml_nesting_line(const char *text, size_t n_bytes);

#endif
