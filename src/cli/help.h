/* help.h: the tables of the commands as help, manual pages and completion. */
#ifndef MOSHI_CLI_HELP_H
#define MOSHI_CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

/* What `moshi --help` and `moshi CMD --help` print. */
void help_overview(FILE *out);
void help_command(FILE *out, const command *c);

/* The remark after an option's help: " (0 to 250; 25 unless given)", or "".
 * Cut at cap bytes. */
void help_remark(const option *p, char *text, size_t cap);

/* The manual page (troff, macro package man) of one command, or of the
 * program when c is NULL. */
void manual_print(FILE *out, const command *c);

/* A completion script for bash. */
void completion_print(FILE *out);

#endif
