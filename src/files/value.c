/* value.c: the tree behind a parsed config, and reading it.
 *
 * Parsers (json.c, toml.cpp) build it; they bound its depth by LIMIT_NESTING,
 * so the recursion of value_close is bounded too. Objects are searched from
 * front to back: those of a config have a few dozen keys. */
#include "files/value.h"

#include <string.h>

#include "base/memory.h"

struct value {
    value_kind kind;
    union {
        bool boolean;
        int64_t integer;
        double real;
        char *string; /* owned */
        struct {
            value **items; /* owned */
            char **keys;   /* owned; NULL for an array */
            size_t count, items_capacity, keys_capacity;
        } list;
    } as;
};

static bool is_list(const value *v)
{
    return v && (v->kind == VALUE_ARRAY || v->kind == VALUE_OBJECT);
}

value *value_new(value_kind kind)
{
    value *v = memory_calloc(1, sizeof *v);
    if (v)
        v->kind = kind;
    return v;
}

value *value_new_integer(int64_t i)
{
    value *v = value_new(VALUE_INTEGER);
    if (v)
        v->as.integer = i;
    return v;
}

value *value_new_real(double r)
{
    value *v = value_new(VALUE_REAL);
    if (v)
        v->as.real = r;
    return v;
}

value *value_new_bool(bool b)
{
    value *v = value_new(VALUE_BOOL);
    if (v)
        v->as.boolean = b;
    return v;
}

static char *copy_text(const char *text, size_t n_bytes)
{
    char *copy = memory_calloc(n_bytes + 1, 1);
    if (copy && n_bytes)
        memcpy(copy, text, n_bytes);
    return copy;
}

value *value_new_string(const char *text, size_t n_bytes)
{
    value *v = value_new(VALUE_STRING);
    if (!v)
        return NULL;
    v->as.string = copy_text(text, n_bytes);
    if (!v->as.string)
        value_close(&v);
    return v;
}

bool value_append(value *array, value *child)
{
    size_t n = array->as.list.count;
    void *items = array->as.list.items;
    if (!child)
        return false;
    if (!memory_grow(&items, &array->as.list.items_capacity, n + 1,
                     sizeof(value *))) {
        value_close(&child);
        return false;
    }
    array->as.list.items = items;
    array->as.list.items[n] = child;
    array->as.list.count = n + 1;
    return true;
}

bool value_add(value *object, const char *key, value *child)
{
    size_t n = object->as.list.count;
    void *keys = object->as.list.keys;
    char *copy = NULL;
    bool ok = memory_grow(&keys, &object->as.list.keys_capacity, n + 1,
                          sizeof(char *));
    object->as.list.keys = keys;
    if (ok)
        copy = memory_strdup(key);
    if (!copy) {
        value_close(&child);
        return false;
    }
    if (!value_append(object, child)) {
        memory_free(copy);
        return false;
    }
    object->as.list.keys[n] = copy;
    return true;
}

void value_close(value **root)
{
    value *v = *root;
    if (!v)
        return;
    if (v->kind == VALUE_STRING)
        memory_free(v->as.string);
    if (is_list(v)) {
        for (size_t i = 0; i < v->as.list.count; i++) {
            value_close(&v->as.list.items[i]);
            if (v->as.list.keys)
                memory_free(v->as.list.keys[i]);
        }
        memory_free(v->as.list.items);
        memory_free(v->as.list.keys);
    }
    memory_free(v);
    *root = NULL;
}

value_kind value_type(const value *v)
{
    return v ? v->kind : VALUE_NULL;
}

const value *value_get(const value *object, const char *key)
{
    if (value_type(object) != VALUE_OBJECT)
        return NULL;
    for (size_t i = 0; i < object->as.list.count; i++)
        if (strcmp(object->as.list.keys[i], key) == 0)
            return object->as.list.items[i];
    return NULL;
}

size_t value_count(const value *v)
{
    return is_list(v) ? v->as.list.count : 0;
}

const value *value_at(const value *array, size_t index)
{
    return index < value_count(array) ? array->as.list.items[index] : NULL;
}

const char *value_key(const value *object, size_t index)
{
    if (value_type(object) != VALUE_OBJECT || index >= value_count(object))
        return NULL;
    return object->as.list.keys[index];
}

bool value_bool(const value *v, bool *out)
{
    if (value_type(v) != VALUE_BOOL)
        return false;
    *out = v->as.boolean;
    return true;
}

bool value_integer(const value *v, int64_t *out)
{
    if (value_type(v) != VALUE_INTEGER)
        return false;
    *out = v->as.integer;
    return true;
}

bool value_real(const value *v, double *out)
{
    if (value_type(v) == VALUE_INTEGER) {
        *out = (double)v->as.integer;
        return true;
    }
    if (value_type(v) != VALUE_REAL)
        return false;
    *out = v->as.real;
    return true;
}

bool value_string(const value *v, const char **out)
{
    if (value_type(v) != VALUE_STRING)
        return false;
    *out = v->as.string;
    return true;
}
