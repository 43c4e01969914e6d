/* help.c: the tables of the commands as text for a terminal. */
#include "cli/help.h"

#include <string.h>

#define WIDTH  79
#define COLUMN 24 /* where the help of an option begins */

/* Print words from column `at` on, broken at WIDTH, each further line
 * indented by `indent`; ends with a newline. */
static void print_words(FILE *out, const char *text, int at, int indent)
{
    bool first = true;
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (!first && at + 1 + n > WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        } else if (!first) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", n, text);
        at += n;
        text += n;
        text += strspn(text, " ");
        first = false;
    }
    fputc('\n', out);
}

static void print_paragraphs(FILE *out, const char *text)
{
    while (*text) {
        char paragraph[2048];
        const char *end = strstr(text, "\n\n");
        size_t n = end ? (size_t)(end - text) : strlen(text);
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)n, text);
        fputc('\n', out);
        print_words(out, paragraph, 0, 0);
        text += n + (end ? 2 : 0);
    }
}

void help_remark(const option *p, char *text, size_t cap)
{
    char range[80] = "", fallback[80] = "";
    bool number = p->type == OPTION_INTEGER || p->type == OPTION_REAL;
    if (number && p->max >= OPTION_INTEGER_MAX)
        snprintf(range, sizeof range, "%.16g or more", p->min);
    else if (number)
        snprintf(range, sizeof range, "%.16g to %.16g", p->min, p->max);
    if (p->fallback)
        snprintf(fallback, sizeof fallback, "%s unless given", p->fallback);
    text[0] = 0;
    if (range[0] || fallback[0])
        snprintf(text, cap, " (%s%s%s)", range,
                 range[0] && fallback[0] ? "; " : "", fallback);
}

static void print_option(FILE *out, const option *p)
{
    char left[80], right[1024], remark[200];
    char letter[8] = "";
    if (p->letter)
        snprintf(letter, sizeof letter, "-%c, ", p->letter);
    snprintf(left, sizeof left, "  %s--%s%s%s", letter, p->name,
             p->value ? " " : "", p->value ? p->value : "");
    help_remark(p, remark, sizeof remark);
    snprintf(right, sizeof right, "%s%s%s", p->help, remark,
             p->repeats ? "; may be given several times" : "");
    if (strlen(left) + 2 > COLUMN)
        fprintf(out, "%s\n%*s", left, COLUMN, "");
    else
        fprintf(out, "%-*s", COLUMN, left);
    print_words(out, right, COLUMN, COLUMN);
}

void help_command(FILE *out, const command *c)
{
    for (size_t i = 0; c->usage[i]; i++)
        fprintf(out, "%s moshi %s%s%s\n", i ? "      " : "usage:", c->name,
                c->usage[i][0] ? " " : "", c->usage[i]);
    print_paragraphs(out, c->about);
    fputs("\noptions:\n", out);
    options o;
    command_options(c, &o);
    for (size_t i = 0; i < o.n_tables; i++)
        for (const option *p = o.tables[i]; p->name; p++)
            print_option(out, p);
    if (c->examples) {
        fputs("\nexamples:\n", out);
        for (size_t i = 0; c->examples[i]; i++)
            fprintf(out, "  %s\n", c->examples[i]);
    }
}

static void print_group(FILE *out, command_group group, const char *title)
{
    size_t n;
    const command *const *all = commands_all(&n);
    bool titled = false;
    for (size_t i = 0; i < n; i++) {
        if (all[i]->group != group)
            continue;
        if (!titled)
            fprintf(out, "\n%s:\n", title);
        titled = true;
        fprintf(out, "  %-10s  %s\n", all[i]->name, all[i]->summary);
    }
}

void help_overview(FILE *out)
{
    fputs("usage: moshi COMMAND [OPTION | ARGUMENT]...\n"
          "       moshi --help | --version\n\n"
          "Run the speech models of the Moshi family.\n",
          out);
#define PRINT_GROUP(name, title) \
    print_group(out, COMMAND_GROUP_##name, title);
    COMMAND_GROUP_LIST(PRINT_GROUP)
#undef PRINT_GROUP
    fputs("\nexit status:\n", out);
#define PRINT_STATUS(name, value, meaning) \
    fprintf(out, "  %d  %s\n", value, meaning);
    EXIT_STATUS_LIST(PRINT_STATUS)
#undef PRINT_STATUS
    fputs("\n'moshi help COMMAND' says more of a command.\n", out);
}
