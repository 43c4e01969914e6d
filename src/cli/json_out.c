/* json_out.c: write one JSON value piece by piece. */
#include "cli/json_out.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

void json_out_init(json_out *j, FILE *file)
{
    *j = (json_out){.file = file};
}

/* Bytes of the UTF-8 character at s, or 0 if there is none: overlong forms,
 * surrogates and codes past U+10FFFF count as none (RFC 3629). */
static int utf8_length(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    int n = s[0] >= 0xc2 && s[0] < 0xe0   ? 2
            : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
            : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                          : 0;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

static void put_string(FILE *file, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    fputc('"', file);
    while (*s) {
        int n = utf8_length(s);
        if (*s == '"' || *s == '\\')
            fprintf(file, "\\%c", *s);
        else if (*s == '\n')
            fputs("\\n", file);
        else if (*s < 0x20 || *s == 0x7f)
            fprintf(file, "\\u%04x", *s);
        else if (n == 0)
            fputs("\\ufffd", file);
        else
            fwrite(s, 1, (size_t)n, file);
        s += n ? n : 1;
    }
    fputc('"', file);
}

/* What stands before a value: a comma if it is not the first, its key. */
static void put_key(json_out *j, const char *key)
{
    if (j->depth == 0) {
        assert(!key);
        return;
    }
    int top = j->depth - 1;
    assert(!key == (j->closer[top] == ']'));
    if (j->filled[top])
        fputs(", ", j->file);
    j->filled[top] = true;
    if (key) {
        put_string(j->file, key);
        fputs(": ", j->file);
    }
}

static void open_level(json_out *j, const char *key, char opener, char closer)
{
    put_key(j, key);
    assert(j->depth < JSON_OUT_DEPTH);
    fputc(opener, j->file);
    j->closer[j->depth] = closer;
    j->filled[j->depth] = false;
    j->depth++;
}

void json_out_object(json_out *j, const char *key)
{
    open_level(j, key, '{', '}');
}

void json_out_array(json_out *j, const char *key)
{
    open_level(j, key, '[', ']');
}

void json_out_end(json_out *j)
{
    assert(j->depth > 0);
    fputc(j->closer[--j->depth], j->file);
    if (j->depth == 0)
        fputc('\n', j->file);
}

void json_out_text(json_out *j, const char *key, const char *text)
{
    put_key(j, key);
    put_string(j->file, text);
}

void json_out_integer(json_out *j, const char *key, int64_t value)
{
    put_key(j, key);
    fprintf(j->file, "%" PRId64, value);
}

void json_out_real(json_out *j, const char *key, double value)
{
    char digits[40];
    if (!isfinite(value)) {
        json_out_null(j, key);
        return;
    }
    /* The shortest of 15 and 17 digits that reads back as the same number. */
    snprintf(digits, sizeof digits, "%.15g", value);
    if (strtod(digits, NULL) != value)
        snprintf(digits, sizeof digits, "%.17g", value);
    put_key(j, key);
    fputs(digits, j->file);
}

void json_out_bool(json_out *j, const char *key, bool value)
{
    put_key(j, key);
    fputs(value ? "true" : "false", j->file);
}

void json_out_null(json_out *j, const char *key)
{
    put_key(j, key);
    fputs("null", j->file);
}
