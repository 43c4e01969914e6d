/* value_json.c: a value tree as JSON text.
 *
 * The text is made twice by the same code: without a buffer to learn its
 * length, then into a buffer of that length. The depth is that of the tree,
 * which its makers bound. */
#include "files/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "files/text.h"

typedef struct sink {
    char *text; /* NULL: count only */
    size_t n;
} sink;

static void put(sink *s, const char *text, size_t n)
{
    if (s->text)
        memcpy(s->text + s->n, text, n);
    s->n += n;
}

static void put_text(sink *s, const char *text)
{
    put(s, text, strlen(text));
}

static void put_string(sink *s, const char *text)
{
    char code[8];
    put_text(s, "\"");
    while (*text) {
        unsigned char c = (unsigned char)*text;
        size_t n = text_character_bytes(text, strlen(text));
        if (n == 0) {
            put_text(s, "\\ufffd");
        } else if (c == '"' || c == '\\') {
            put_text(s, "\\");
            put(s, text, 1);
        } else if (c < 0x20 || c == 0x7f) {
            snprintf(code, sizeof code, "\\u%04x", c);
            put_text(s, code);
        } else {
            put(s, text, n);
        }
        text += n ? n : 1;
    }
    put_text(s, "\"");
}

static void put_real(sink *s, double x)
{
    char digits[40];
    /* The shorter of 15 and 17 digits that reads back as the same number. */
    snprintf(digits, sizeof digits, "%.15g", x);
    if (strtod(digits, NULL) != x)
        snprintf(digits, sizeof digits, "%.17g", x);
    put_text(s, isfinite(x) ? digits : "null");
}

static void put_value(sink *s, const value *v);

static void put_list(sink *s, const value *v)
{
    bool object = value_type(v) == VALUE_OBJECT;
    put_text(s, object ? "{" : "[");
    for (size_t i = 0; i < value_count(v); i++) {
        put_text(s, i ? "," : "");
        if (object) {
            put_string(s, value_key(v, i));
            put_text(s, ":");
        }
        put_value(s, value_at(v, i));
    }
    put_text(s, object ? "}" : "]");
}

static void put_value(sink *s, const value *v)
{
    char digits[32];
    bool truth = false;
    int64_t i = 0;
    double r = 0;
    const char *text = "";
    switch (value_type(v)) {
    case VALUE_NULL:
        put_text(s, "null");
        break;
    case VALUE_BOOL:
        value_bool(v, &truth);
        put_text(s, truth ? "true" : "false");
        break;
    case VALUE_INTEGER:
        value_integer(v, &i);
        snprintf(digits, sizeof digits, "%" PRId64, i);
        put_text(s, digits);
        break;
    case VALUE_REAL:
        value_real(v, &r);
        put_real(s, r);
        break;
    case VALUE_STRING:
        value_string(v, &text);
        put_string(s, text);
        break;
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        put_list(s, v);
        break;
    }
}

char *value_to_json(const value *v)
{
    sink measure = {0}, write = {0};
    put_value(&measure, v);
    write.text = memory_calloc(measure.n + 1, 1);
    if (write.text)
        put_value(&write, v);
    return write.text;
}
