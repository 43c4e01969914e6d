/* completion.c: the tables of the commands as a completion script for bash. */
#include "cli/help.h"

static void print_case(FILE *out, const command *c)
{
    options o;
    command_options(c, &o);
    fprintf(out, "        %s) words='", c->name);
    for (size_t i = 0; i < o.n_tables; i++)
        for (const option *p = o.tables[i]; p->name; p++)
            fprintf(out, " --%s", p->name);
    fputs("' ;;\n", out);
}

void completion_print(FILE *out)
{
    size_t n;
    const command *const *all = commands_all(&n);
    fputs("# bash completion for moshi, made by 'moshi help --completion'\n"
          "_moshi()\n{\n"
          "    local current=${COMP_WORDS[COMP_CWORD]} words=\n"
          "    local commands='",
          out);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s%s", i ? " " : "", all[i]->name);
    fputs("'\n    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        words=\"--help --version $commands\"\n"
          "    elif [ \"${current#-}\" != \"$current\" ]; then\n"
          "        case ${COMP_WORDS[1]} in\n",
          out);
    for (size_t i = 0; i < n; i++)
        print_case(out, all[i]);
    /* Where there are no words, "-o default" falls back on file names. */
    fputs("        esac\n"
          "    elif [ \"${COMP_WORDS[1]}\" = help ]; then\n"
          "        words=$commands\n"
          "    fi\n"
          "    [ -n \"$words\" ] || return 0\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
          "}\n"
          "complete -o default -F _moshi moshi\n",
          out);
}
