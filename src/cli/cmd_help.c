/* cmd_help.c: moshi help [COMMAND]: help, manual pages, completion. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/report.h"

static exit_status run(const options *o)
{
    const command *c = NULL;
    if (options_flag(o, "completion")) {
        completion_print(stdout);
        return EXIT_STATUS_DONE;
    }
    if (o->n_args == 1) {
        c = commands_find(o->args[0]);
        if (!c)
            return report_usage(NULL, "there is no command '%s'", o->args[0]);
    }
    if (options_flag(o, "man"))
        manual_print(stdout, c);
    else if (c)
        help_command(stdout, c);
    else
        help_overview(stdout);
    return EXIT_STATUS_DONE;
}

static const option own_options[] = {
    {.name = "man", .type = OPTION_FLAG,
     .help = "print the manual page, for man(1): 'moshi help --man gen | "
             "man -l -'"},
    {.name = "completion", .type = OPTION_FLAG,
     .help = "print a completion script for bash"},
    {0},
};

static const char *const usage[] = {"[COMMAND]", NULL};

const command cmd_help = {
    .name = "help",
    .summary = "say what a command does and which options it has",
    .group = COMMAND_GROUP_HELP,
    .usage = usage,
    .about = "Print what COMMAND does, its options and examples; without a "
             "COMMAND, the list of all.",
    .options = own_options,
    .args_max = 1,
    .run = run,
};
