/* main.c: find the command, parse its options, run it, answer the shell. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <moshi/version.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/report.h"

static exit_status unknown_command(const char *name)
{
    const char *names[64];
    size_t n, count = 0;
    const command *const *all = commands_all(&n);
    for (size_t i = 0; i < n && i < sizeof names / sizeof *names; i++)
        names[count++] = all[i]->name;
    const char *nearest = options_nearest(name, names, count);
    if (nearest)
        return report_usage(NULL,
                            "there is no command '%s'; did you mean '%s'?",
                            name, nearest);
    return report_usage(NULL, "there is no command '%s'", name);
}

/* Help is given even when the rest of the line is wrong. */
static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static exit_status run_command(const command *c, int argc, char **argv)
{
    moshi_error err = {0};
    options o;
    exit_status answer;
    if (wants_help(argc, argv)) {
        help_command(stdout, c);
        return EXIT_STATUS_DONE;
    }
    command_options(c, &o);
    if (options_parse(&o, argc, argv, &err) != MOSHI_OK) {
        bool misused = err.status == MOSHI_ARGUMENT;
        if (misused && !err.hint[0])
            error_hint(&err, "read 'moshi help %s'", c->name);
        answer = report_error(&err);
        if (misused)
            answer = EXIT_STATUS_USAGE;
    } else if (o.n_args < c->args_min || o.n_args > c->args_max) {
        answer = report_usage(c->name, "%s arguments; usage: moshi %s %s",
                              o.n_args < c->args_min ? "too few" : "too many",
                              c->name, c->usage[0]);
    } else {
        answer = c->run(&o);
    }
    options_release(&o);
    return answer;
}

/* A full disk or a closed pipe behind standard output must not go unseen. */
static exit_status finish_output(exit_status answer)
{
    bool bad = ferror(stdout);
    errno = 0;
    if (fflush(stdout) != 0 || bad) {
        moshi_error err = {.status = MOSHI_IO};
        snprintf(err.message, sizeof err.message,
                 "cannot write to standard output%s%s", errno ? ": " : "",
                 errno ? strerror(errno) : "");
        return report_error(&err);
    }
    return answer;
}

static exit_status run(int argc, char **argv)
{
    if (argc < 2) {
        help_overview(stderr);
        return EXIT_STATUS_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        help_overview(stdout);
        return EXIT_STATUS_DONE;
    }
    if (strcmp(word, "--version") == 0) {
        printf("moshi %s\n", moshi_version());
        return EXIT_STATUS_DONE;
    }
    const command *c = commands_find(word);
    if (c)
        return run_command(c, argc - 2, argv + 2);
    if (word[0] == '-')
        return report_usage(NULL, "unknown option '%s'", word);
    return unknown_command(word);
}

int main(int argc, char **argv)
{
    /* A file that grows too large is an error that says so (ulimit -f). */
    signal(SIGXFSZ, SIG_IGN);
    return finish_output(run(argc, argv));
}
