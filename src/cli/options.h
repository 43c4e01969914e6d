/* options.h: one table of options per command; the parser, the help, the
 * manual and the completion all come from it.
 *
 * Understood: --name VALUE, --name=VALUE, --flag, -x, -x VALUE, -xVALUE, and
 * "--", after which everything is an argument. Options and arguments may
 * stand in any order. */
#ifndef MOSHI_CLI_OPTIONS_H
#define MOSHI_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

typedef enum option_type {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_INTEGER,
    OPTION_REAL
} option_type;

/* The largest whole number that a double holds exactly. */
#define OPTION_INTEGER_MAX 9007199254740991.0

typedef struct option {
    const char *name; /* "top-k" for --top-k; NULL ends a table */
    char letter;      /* 'q' for -q; 0: none */
    option_type type;
    bool repeats;         /* may be given several times, all of them count */
    const char *value;    /* what the help calls its value: "FILE" */
    const char *fallback; /* its value when it is not given; NULL: none */
    double min, max;      /* numbers: both ends are allowed */
    const char *help;     /* a phrase in lower case, without a full stop */
} option;

#define OPTIONS_TABLES_MAX 10

/* A parsed command line. All strings are borrowed from argv or a table. */
typedef struct options {
    const option *tables[OPTIONS_TABLES_MAX];
    size_t n_tables;
    struct option_given *given; /* owned, in the order of the line */
    size_t n_given;
    const char **args; /* owned array: what is not an option */
    size_t n_args;
} options;

/* Start with no table, then add each that the command uses. */
void options_init(options *o);
void options_add(options *o, const option *table);

/* Parse argv[0 … argc-1] (without the program's and the command's name).
 * MOSHI_ARGUMENT: unknown option, value missing, not wanted, not a number or
 * outside its range. */
moshi_status options_parse(options *o, int argc, char *const *argv,
                           moshi_error *err);
void options_release(options *o);

/* Values by name; asking for a name or a type that no table has is a mistake
 * of ours and asserted. A number must have been given or have a fallback. */
bool options_given(const options *o, const char *name);
bool options_flag(const options *o, const char *name);
const char *options_text(const options *o, const char *name); /* or NULL */
int64_t options_integer(const options *o, const char *name);
double options_real(const options *o, const char *name);

/* The index-th value of a repeated option, or NULL after the last. */
const char *options_repeated(const options *o, const char *name, size_t index);

/* The best of `n` names for somebody who typed `typed`, or NULL when none is
 * near enough to be meant. */
const char *options_nearest(const char *typed, const char *const *names,
                            size_t n);

#endif
