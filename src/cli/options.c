/* options.c: parse a command line by the tables of its command. */
#include "cli/options.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

typedef struct option_given {
    const option *option;
    const char *value; /* "" for a flag */
} option_given;

void options_init(options *o)
{
    *o = (options){0};
}

void options_add(options *o, const option *table)
{
    if (!table)
        return;
    assert(o->n_tables < OPTIONS_TABLES_MAX);
    o->tables[o->n_tables++] = table;
}

void options_release(options *o)
{
    memory_free(o->given);
    memory_free(o->args);
    *o = (options){0};
}

/* The option called name[0 … n-1], or with that letter when n is 0. */
static const option *find(const options *o, const char *name, size_t n,
                          char letter)
{
    for (size_t i = 0; i < o->n_tables; i++)
        for (const option *p = o->tables[i]; p->name; p++)
            if (n ? strlen(p->name) == n && memcmp(p->name, name, n) == 0
                  : p->letter == letter)
                return p;
    return NULL;
}

static bool parse_integer(const char *text, int64_t *out)
{
    char *end;
    if (*text != '-' && (*text < '0' || *text > '9'))
        return false; /* strtoll would skip blanks and take a plus sign */
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno || end == text || *end)
        return false;
    *out = n;
    return true;
}

static bool parse_real(const char *text, double *out)
{
    char *end;
    /* strtod also knows blanks, hexadecimals, "inf" and "nan". */
    if (!*text || strspn(text, "0123456789.eE+-") != strlen(text))
        return false;
    double x = strtod(text, &end);
    if (*end || !isfinite(x))
        return false;
    *out = x;
    return true;
}

static moshi_status check_number(const option *p, const char *value,
                                 moshi_error *err)
{
    int64_t n = 0;
    double x = 0;
    bool whole = p->type == OPTION_INTEGER;
    if (!(whole ? parse_integer(value, &n) : parse_real(value, &x)))
        return error_set(err, MOSHI_ARGUMENT,
                         "option '--%s' wants a %s, not '%s'", p->name,
                         whole ? "whole number" : "number", value);
    if (whole)
        x = (double)n;
    if (x < p->min || x > p->max)
        return error_set(err, MOSHI_ARGUMENT,
                         "option '--%s' must be between %.16g and %.16g, "
                         "not %s",
                         p->name, p->min, p->max, value);
    return MOSHI_OK;
}

static moshi_status take(options *o, const option *p, const char *value,
                         moshi_error *err)
{
    if (p->type == OPTION_INTEGER || p->type == OPTION_REAL) {
        moshi_status status = check_number(p, value, err);
        if (status != MOSHI_OK)
            return status;
    }
    o->given[o->n_given++] = (option_given){p, value};
    return MOSHI_OK;
}

static moshi_status unknown(const options *o, const char *word, size_t n,
                            moshi_error *err)
{
    const char *names[256];
    char typed[64];
    size_t count = 0;
    for (size_t i = 0; i < o->n_tables; i++)
        for (const option *p = o->tables[i]; p->name; p++)
            if (count < sizeof names / sizeof *names)
                names[count++] = p->name;
    snprintf(typed, sizeof typed, "%.*s", n < 64 ? (int)n : 63, word);
    error_set(err, MOSHI_ARGUMENT, "unknown option '--%s'", typed);
    const char *nearest = options_nearest(typed, names, count);
    if (nearest)
        error_hint(err, "did you mean '--%s'?", nearest);
    return MOSHI_ARGUMENT;
}

/* "--name", "--name=VALUE" or "--name VALUE" at argv[*at]. */
static moshi_status parse_long(options *o, int argc, char *const *argv,
                               int *at, moshi_error *err)
{
    const char *word = argv[*at] + 2;
    size_t n = strcspn(word, "=");
    const option *p = n ? find(o, word, n, 0) : NULL;
    if (!p)
        return unknown(o, word, n, err);
    if (p->type == OPTION_FLAG && word[n])
        return error_set(err, MOSHI_ARGUMENT, "option '--%s' takes no value",
                         p->name);
    if (p->type == OPTION_FLAG)
        return take(o, p, "", err);
    if (word[n])
        return take(o, p, word + n + 1, err);
    if (*at + 1 >= argc)
        return error_set(err, MOSHI_ARGUMENT, "option '--%s' wants a value: %s",
                         p->name, p->value);
    return take(o, p, argv[++*at], err);
}

/* "-x", "-xVALUE" or "-x VALUE" at argv[*at]. */
static moshi_status parse_short(options *o, int argc, char *const *argv,
                                int *at, moshi_error *err)
{
    const char *word = argv[*at] + 1;
    const option *p = find(o, NULL, 0, word[0]);
    if (!p)
        return error_set(err, MOSHI_ARGUMENT, "unknown option '-%s'", word);
    if (p->type == OPTION_FLAG && word[1])
        return error_set(err, MOSHI_ARGUMENT, "option '-%c' takes no value",
                         p->letter);
    if (p->type == OPTION_FLAG)
        return take(o, p, "", err);
    if (word[1])
        return take(o, p, word + 1, err);
    if (*at + 1 >= argc)
        return error_set(err, MOSHI_ARGUMENT, "option '-%c' wants a value: %s",
                         p->letter, p->value);
    return take(o, p, argv[++*at], err);
}

moshi_status options_parse(options *o, int argc, char *const *argv,
                           moshi_error *err)
{
    bool only_arguments = false;
    o->given = memory_calloc((size_t)argc, sizeof *o->given);
    o->args = memory_calloc((size_t)argc, sizeof *o->args);
    if (!o->given || !o->args)
        return error_no_memory(err, "the command line");
    for (int at = 0; at < argc; at++) {
        const char *word = argv[at];
        moshi_status status = MOSHI_OK;
        /* A lone "-" is an argument: standard input or output. */
        if (only_arguments || word[0] != '-' || !word[1])
            o->args[o->n_args++] = word;
        else if (strcmp(word, "--") == 0)
            only_arguments = true;
        else if (word[1] == '-')
            status = parse_long(o, argc, argv, &at, err);
        else
            status = parse_short(o, argc, argv, &at, err);
        if (status != MOSHI_OK)
            return status;
    }
    return MOSHI_OK;
}

/* The last value given, else the fallback; NULL when there is neither. */
static const char *value_of(const options *o, const char *name,
                            option_type type)
{
    const option *p = find(o, name, strlen(name), 0);
    assert(p && p->type == type);
    for (size_t i = o->n_given; i-- > 0;)
        if (o->given[i].option == p)
            return o->given[i].value;
    return p->fallback;
}

bool options_given(const options *o, const char *name)
{
    const option *p = find(o, name, strlen(name), 0);
    assert(p);
    for (size_t i = 0; i < o->n_given; i++)
        if (o->given[i].option == p)
            return true;
    return false;
}

bool options_flag(const options *o, const char *name)
{
    return value_of(o, name, OPTION_FLAG) != NULL;
}

const char *options_text(const options *o, const char *name)
{
    return value_of(o, name, OPTION_TEXT);
}

int64_t options_integer(const options *o, const char *name)
{
    const char *text = value_of(o, name, OPTION_INTEGER);
    int64_t n = 0;
    bool ok = text && parse_integer(text, &n);
    assert(ok);
    (void)ok;
    return n;
}

double options_real(const options *o, const char *name)
{
    const char *text = value_of(o, name, OPTION_REAL);
    double x = 0;
    bool ok = text && parse_real(text, &x);
    assert(ok);
    (void)ok;
    return x;
}

const char *options_repeated(const options *o, const char *name, size_t index)
{
    const option *p = find(o, name, strlen(name), 0);
    assert(p && p->repeats);
    for (size_t i = 0; i < o->n_given; i++)
        if (o->given[i].option == p && index-- == 0)
            return o->given[i].value;
    return NULL;
}

/* Edit distance in which a swap of neighbours, an insertion, a removal and a
 * change cost one each; anything beyond 63 characters is far away. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), d[3][64];
    if (n > 63 || m > 63)
        return SIZE_MAX;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = d[i % 3], *up = d[(i + 2) % 3], *up2 = d[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = up[j - 1] + (a[i - 1] != b[j - 1]);
            if (up[j] + 1 < best)
                best = up[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1] && up2[j - 2] + 1 < best)
                best = up2[j - 2] + 1;
            now[j] = best;
        }
    }
    return d[n % 3][m];
}

const char *options_nearest(const char *typed, const char *const *names,
                            size_t n)
{
    const char *best = NULL;
    size_t least = strlen(typed) / 3 + 1; /* one slip per three letters */
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(typed, names[i]);
        bool begins = strlen(typed) > 2 &&
                      strncmp(typed, names[i], strlen(typed)) == 0;
        if (begins)
            d = 1;
        if (d <= least && (!best || d < least)) {
            least = d;
            best = names[i];
        }
    }
    return best;
}
