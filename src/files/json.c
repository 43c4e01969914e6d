/* json.c: JSON text to a value tree; the only file that knows jansson. */
#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "files/text.h"
#include "files/value.h"

static moshi_status convert(value **out, json_t *json, int depth);

static moshi_status convert_object(value *object, json_t *json, int depth)
{
    const char *key;
    json_t *item;
    json_object_foreach(json, key, item) {
        value *child = NULL;
        moshi_status status = convert(&child, item, depth + 1);
        if (status != MOSHI_OK)
            return status;
        if (!value_add(object, key, child))
            return MOSHI_NO_MEMORY;
    }
    return MOSHI_OK;
}

static moshi_status convert_array(value *array, json_t *json, int depth)
{
    for (size_t i = 0; i < json_array_size(json); i++) {
        value *child = NULL;
        moshi_status status = convert(&child, json_array_get(json, i),
                                      depth + 1);
        if (status != MOSHI_OK)
            return status;
        if (!value_append(array, child))
            return MOSHI_NO_MEMORY;
    }
    return MOSHI_OK;
}

static value *convert_plain(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_STRING:
        return value_new_string(json_string_value(json),
                                json_string_length(json));
    case JSON_INTEGER:
        return value_new_integer(json_integer_value(json));
    case JSON_REAL:
        return value_new_real(json_real_value(json));
    case JSON_TRUE:
    case JSON_FALSE:
        return value_new_bool(json_is_true(json));
    case JSON_OBJECT:
        return value_new(VALUE_OBJECT);
    case JSON_ARRAY:
        return value_new(VALUE_ARRAY);
    case JSON_NULL:
        break;
    }
    return value_new(VALUE_NULL);
}

/* MOSHI_OK, MOSHI_NO_MEMORY, or MOSHI_FORMAT for too many levels. */
static moshi_status convert(value **out, json_t *json, int depth)
{
    if (depth > LIMIT_NESTING)
        return MOSHI_FORMAT;
    value *v = convert_plain(json);
    if (!v)
        return MOSHI_NO_MEMORY;
    moshi_status status = MOSHI_OK;
    if (json_is_object(json))
        status = convert_object(v, json, depth);
    else if (json_is_array(json))
        status = convert_array(v, json, depth);
    if (status != MOSHI_OK)
        value_close(&v);
    else
        *out = v;
    return status;
}

/* jansson leaves the text empty when it ran out of memory. */
static moshi_status parse_fault(const json_error_t *error, const char *label,
                                moshi_error *err)
{
    char text[JSON_ERROR_TEXT_LENGTH];
    if (!error->text[0])
        return error_no_memory(err, "a JSON document");
    return error_set(err, MOSHI_FORMAT,
                     "%s: line %d, column %d: not valid JSON: %s", label,
                     error->line, error->column,
                     text_printable(text, sizeof text, error->text));
}

moshi_status value_parse_json(value **out, const char *text, size_t n_bytes,
                              const char *label, moshi_error *err)
{
    json_error_t error;
    json_t *json = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        return parse_fault(&error, label, err);
    moshi_status status = convert(out, json, 1);
    json_decref(json);
    if (status == MOSHI_NO_MEMORY)
        return error_no_memory(err, "a JSON document");
    if (status != MOSHI_OK)
        return error_set(err, status, "%s: nested deeper than %d levels", label,
                         LIMIT_NESTING);
    return MOSHI_OK;
}
