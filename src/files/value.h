/* value.h: a parsed config document, the same for JSON and TOML.
 *
 * A tree of values, immutable once parsed. Reading functions accept NULL and
 * answer "absent", so that lookups can be chained. */
#ifndef MOSHI_FILES_VALUE_H
#define MOSHI_FILES_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

typedef enum value_kind {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INTEGER,
    VALUE_REAL,
    VALUE_STRING,
    VALUE_ARRAY,
    VALUE_OBJECT
} value_kind;

typedef struct value value;

/* Parse a file (path ending in .toml: TOML, else JSON) or bytes in memory.
 * Errors: MOSHI_IO, MOSHI_FORMAT (with line and column), MOSHI_NO_MEMORY. */
moshi_status value_open(value **out, const char *path, moshi_error *err);
moshi_status value_parse_json(value **out, const char *text, size_t n_bytes,
                              const char *label, moshi_error *err);
moshi_status value_parse_toml(value **out, const char *text, size_t n_bytes,
                              const char *label, moshi_error *err);
void value_close(value **root);

value_kind value_type(const value *v); /* NULL counts as VALUE_NULL */
const value *value_get(const value *object, const char *key); /* or NULL */
size_t value_count(const value *v); /* items of an array, keys of an object */
const value *value_at(const value *array, size_t index);      /* or NULL */
const char *value_key(const value *object, size_t index);     /* or NULL */

/* Read as a type; false (and *out untouched) if absent or of another type.
 * value_real accepts integers too. The string is borrowed from the tree. */
bool value_bool(const value *v, bool *out);
bool value_integer(const value *v, int64_t *out);
bool value_real(const value *v, double *out);
bool value_string(const value *v, const char **out);

/* The tree as JSON text in one line, numbers with all their digits; bytes that
 * are not UTF-8 become U+FFFD. Allocated (memory_free); NULL when out of
 * memory. */
char *value_to_json(const value *v);

/* Building, for the parsers and for what is written down. Each returns NULL
 * when out of memory. A value that is added to a container is owned by it; on
 * failure of value_add the child is closed. */
value *value_new(value_kind kind);
value *value_new_integer(int64_t i);
value *value_new_real(double r);
value *value_new_bool(bool b);
value *value_new_string(const char *text, size_t n_bytes);
bool value_append(value *array, value *child);
bool value_add(value *object, const char *key, value *child);

#endif
