/* token_text.c: two walks over the text: count the rows, then read them. */
#include "files/token_text.h"

#include <ctype.h>
#include <stdbool.h>

#include "base/error.h"

/* Where a walk stands. */
typedef struct cursor {
    const unsigned char *at, *end;
    size_t line; /* from 1 */
} cursor;

/* On to the next number of this line; false at the end of the line, which is
 * then left behind (at == end: of the text). */
static bool next_in_line(cursor *c)
{
    for (; c->at < c->end; c->at++) {
        unsigned char b = *c->at;
        if (b == '#')
            while (c->at + 1 < c->end && c->at[1] != '\n')
                c->at++;
        else if (b == '\n')
            break;
        else if (b != ' ' && b != '\t' && b != ',' && b != '\r')
            return true;
    }
    if (c->at < c->end)
        c->at++;
    c->line++;
    return false;
}

static bool ends_number(const cursor *c)
{
    return c->at == c->end || isspace(*c->at) || *c->at == ',' ||
           *c->at == '#';
}

/* The number at the cursor. Digits beyond any code's are taken, not kept. */
static moshi_status number(cursor *c, int64_t *out, const char *label,
                           moshi_error *err)
{
    bool negative = *c->at == '-';
    int64_t v = 0;
    size_t digits = 0;
    if (negative)
        c->at++;
    for (; c->at < c->end && isdigit(*c->at); c->at++, digits++)
        if (v <= INT32_MAX)
            v = v * 10 + (*c->at - '0');
    if (digits == 0 || !ends_number(c)) {
        error_set(err, MOSHI_FORMAT,
                  "%s: line %zu: something that is not a whole number", label,
                  c->line);
        return error_hint(err, "rows of whole numbers are expected, as "
                          "numpy.savetxt(…, fmt='%%d') writes them");
    }
    *out = negative ? -v : v;
    return MOSHI_OK;
}

/* Reads every number; with a matrix they are kept, without one the rows and
 * columns are counted. */
static moshi_status walk(cursor c, token_matrix *m, size_t *rows,
                         size_t *columns, const char *label, moshi_error *err)
{
    size_t in_row = 0, n = 0;
    *rows = 0;
    while (c.at < c.end || in_row > 0) {
        int64_t value = 0;
        moshi_status status;
        if (next_in_line(&c)) {
            status = number(&c, &value, label, err);
            if (status == MOSHI_OK && m)
                status = token_matrix_set(m, n++, value, label, err);
            if (status != MOSHI_OK)
                return status;
            in_row++;
        } else if (in_row > 0) {
            if (*rows > 0 && in_row != *columns)
                return error_set(err, MOSHI_FORMAT,
                                 "%s: line %zu has %zu numbers, but those "
                                 "before it have %zu", label, c.line - 1,
                                 in_row, *columns);
            *columns = in_row;
            ++*rows;
            in_row = 0;
        }
    }
    return MOSHI_OK;
}

moshi_status token_text_read(token_matrix *out, const void *bytes,
                             size_t n_bytes, const char *label,
                             moshi_error *err)
{
    cursor start = {bytes, (const unsigned char *)bytes + n_bytes, 1};
    size_t rows = 0, columns = 0;
    moshi_status status = walk(start, NULL, &rows, &columns, label, err);
    if (status == MOSHI_OK)
        status = token_matrix_reserve(out, rows, columns, label, err);
    if (status == MOSHI_OK)
        status = walk(start, out, &rows, &columns, label, err);
    return status;
}
