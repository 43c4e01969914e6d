/* toml_nesting.c: bound the depth of a TOML text by reading its brackets.
 *
 * Each dot of a key ("a.b.c") makes a table inside a table. toml++ bounds
 * brackets but not dots, and frees its tables recursively: a key of a million
 * dots would overflow the stack. So brackets and dots are counted first, past
 * strings and comments. After a syntax error the count means nothing, but
 * there the parser stops too. */
#include "files/toml_nesting.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"

typedef struct scan {
    const char *at, *end;
    size_t line;
    int level;               /* brackets that are open */
    int dots[LIMIT_NESTING]; /* of the key before each of them */
    int open_dots;           /* their sum */
    int key_dots;            /* since the last comma, bracket or line end */
} scan;

static bool looking_at(const scan *s, const char *text)
{
    size_t n = strlen(text);
    return (size_t)(s->end - s->at) >= n && memcmp(s->at, text, n) == 0;
}

/* Past a string that `quote` (one or three characters) begins and ends. */
static void skip_string(scan *s, const char *quote)
{
    bool escapes = quote[0] == '"', lines = quote[1] != 0;
    s->at += strlen(quote);
    while (s->at < s->end && !looking_at(s, quote)) {
        if (*s->at == '\n') {
            if (!lines)
                return; /* a syntax error: the parser stops here */
            s->line++;
        }
        if (escapes && *s->at == '\\' && s->end - s->at > 1 &&
            s->at[1] != '\n')
            s->at++;
        s->at++;
    }
    if (s->at < s->end)
        s->at += strlen(quote);
    /* Up to two quotes before the closing three belong to the string. */
    for (int i = 0; lines && i < 2 && s->at < s->end; i++)
        if (*s->at == quote[0])
            s->at++;
}

static bool open_bracket(scan *s)
{
    if (s->level == LIMIT_NESTING)
        return false;
    s->dots[s->level++] = s->key_dots;
    s->open_dots += s->key_dots;
    s->key_dots = 0;
    return true;
}

static void close_bracket(scan *s)
{
    if (s->level > 0)
        s->open_dots -= s->dots[--s->level];
    s->key_dots = 0;
}

/* One character that is not in a string; false if it nests too deep. */
static bool step(scan *s)
{
    switch (*s->at++) {
    case '[':
    case '{':
        return open_bracket(s);
    case ']':
    case '}':
        close_bracket(s);
        return true;
    case '.':
        return s->open_dots + ++s->key_dots <= LIMIT_NESTING;
    case '#':
        while (s->at < s->end && *s->at != '\n')
            s->at++;
        return true;
    case '\n':
        s->line++;
        s->key_dots = 0;
        return true;
    case ',':
        s->key_dots = 0;
        return true;
    default:
        return true;
    }
}

size_t toml_nesting_line(const char *text, size_t n_bytes)
{
    static const char *const quotes[] = {"\"\"\"", "'''", "\"", "'"};
    scan s = {.at = text, .end = text + n_bytes, .line = 1};
    while (s.at < s.end) {
        size_t q = 0;
        while (q < 4 && !looking_at(&s, quotes[q]))
            q++;
        if (q < 4)
            skip_string(&s, quotes[q]);
        else if (!step(&s))
            return s.line;
    }
    return 0;
}
