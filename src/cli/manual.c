/* manual.c: the tables of the commands as manual pages (troff -man). */
#include <ctype.h>
#include <string.h>

#include <moshi/version.h>

#include "cli/help.h"

/* Text with what troff would take for its own made harmless; an empty line
 * becomes a new paragraph. */
static void print_text(FILE *out, const char *text)
{
    bool line_start = true;
    for (; *text; text++) {
        if (text[0] == '\n' && text[1] == '\n') {
            fputs("\n.PP\n", out);
            text++;
            line_start = true;
            continue;
        }
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
        line_start = *text == '\n';
    }
}

static void print_upper(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc(toupper((unsigned char)*text), out);
}

static void print_title(FILE *out, const command *c)
{
    fputs(".TH MOSHI", out);
    if (c) {
        fputc('-', out);
        print_upper(out, c->name);
    }
    fputs(" 1 \"\" \"moshi " MOSHI_VERSION_STRING "\" \"moshi\"\n", out);
    fputs(".SH NAME\nmoshi", out);
    if (c) {
        fputs("\\-", out);
        print_text(out, c->name);
    }
    fputs(" \\- ", out);
    print_text(out, c ? c->summary
                      : "run the speech models of the Moshi family");
    fputc('\n', out);
}

static void print_option(FILE *out, const option *p)
{
    char remark[200];
    help_remark(p, remark, sizeof remark);
    fputs(".TP\n.B ", out);
    if (p->letter)
        fprintf(out, "\\-%c\\fR, \\fB", p->letter);
    fputs("\\-\\-", out);
    print_text(out, p->name);
    if (p->value) {
        fputs(" \\fI", out);
        print_text(out, p->value);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    print_text(out, p->help);
    print_text(out, remark);
    if (p->repeats)
        fputs("; may be given several times", out);
    fputc('\n', out);
}

static void print_exit_status(FILE *out)
{
    fputs(".SH EXIT STATUS\n", out);
#define PRINT_STATUS(name, value, meaning) \
    fprintf(out, ".TP\n.B %d\n%s\n", value, meaning);
    EXIT_STATUS_LIST(PRINT_STATUS)
#undef PRINT_STATUS
}

static void print_command(FILE *out, const command *c)
{
    options o;
    fputs(".SH SYNOPSIS\n", out);
    for (size_t i = 0; c->usage[i]; i++) {
        fprintf(out, "%s.B moshi %s\n", i ? ".br\n" : "", c->name);
        print_text(out, c->usage[i]);
        fputc('\n', out);
    }
    fputs(".SH DESCRIPTION\n", out);
    print_text(out, c->about);
    fputs("\n.SH OPTIONS\n", out);
    command_options(c, &o);
    for (size_t i = 0; i < o.n_tables; i++)
        for (const option *p = o.tables[i]; p->name; p++)
            print_option(out, p);
    print_exit_status(out);
    if (!c->examples)
        return;
    fputs(".SH EXAMPLES\n.nf\n", out);
    for (size_t i = 0; c->examples[i]; i++) {
        print_text(out, c->examples[i]);
        fputc('\n', out);
    }
    fputs(".fi\n", out);
}

static void print_program(FILE *out)
{
    size_t n;
    const command *const *all = commands_all(&n);
    fputs(".SH SYNOPSIS\n.B moshi\n.I COMMAND\n"
          "[\\fIOPTION\\fR | \\fIARGUMENT\\fR]...\n"
          ".br\n.B moshi \\-\\-help\n.br\n.B moshi \\-\\-version\n"
          ".SH DESCRIPTION\n"
          "Results go to standard output, everything else to standard "
          "error.\n.SH COMMANDS\n",
          out);
    for (size_t i = 0; i < n; i++) {
        fprintf(out, ".TP\n.BR moshi\\-%s (1)\n", all[i]->name);
        print_text(out, all[i]->summary);
        fputc('\n', out);
    }
    print_exit_status(out);
    fputs(".SH ENVIRONMENT\n.TP\n.B NO_COLOR\n"
          "When set to anything, messages have no colour.\n",
          out);
}

void manual_print(FILE *out, const command *c)
{
    print_title(out, c);
    if (!c) {
        print_program(out);
        return;
    }
    print_command(out, c);
    fputs(".SH SEE ALSO\n.BR moshi (1)\n", out);
}
