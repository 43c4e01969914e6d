/* command.h: what a command is: one file cmd_NAME.c that exports one of these.
 *
 * The table of all commands is in commands.c. Parser, help, manual and
 * completion read nothing but these structures. */
#ifndef MOSHI_CLI_COMMAND_H
#define MOSHI_CLI_COMMAND_H

#include <stddef.h>

#include "cli/exit_status.h"
#include "cli/options.h"

/* X(NAME, title): how the overview sorts the commands. */
#define COMMAND_GROUP_LIST(X)              \
    X(USE, "talk and translate")           \
    X(PARTS, "models and their parts")     \
    X(LAB, "find out what is wrong")       \
    X(HELP, "help")

typedef enum command_group {
#define COMMAND_GROUP_ENUM(name, title) COMMAND_GROUP_##name,
    COMMAND_GROUP_LIST(COMMAND_GROUP_ENUM)
#undef COMMAND_GROUP_ENUM
} command_group;

/* What a command needs decides which shared options it has (common.c). */
typedef enum command_needs {
    COMMAND_NEEDS_MODEL = 1,  /* --model, --lm, --mimi, … */
    COMMAND_NEEDS_DEVICE = 2, /* --device, --gpu-layers, --threads */
    COMMAND_REPORTS = 4,      /* --json */
    COMMAND_SAMPLES = 8,      /* --seed, --temp, … */
    COMMAND_TRACES = 16,      /* --match, --frames, --codec */
    COMMAND_RECORDING = 32,   /* --lead-in, --tail, … */
    COMMAND_TALKS = COMMAND_SAMPLES | COMMAND_RECORDING,
    COMMAND_ENDS = 64,        /* --in, --out, … */
    COMMAND_NEEDS_THREADS = 128, /* --threads alone */
} command_needs;

typedef struct command {
    const char *name;
    const char *summary; /* a phrase in lower case, without a full stop */
    command_group group;
    unsigned needs;             /* command_needs, or-ed */
    const char *const *usage;   /* argument lines: "IN OUT.wav"; NULL ends */
    const char *about;          /* paragraphs, an empty line between them */
    const option *options;      /* its own, or NULL */
    const char *const *examples; /* complete lines, or NULL; NULL ends */
    size_t args_min, args_max;
    exit_status (*run)(const options *o);
} command;

/* All commands, in the order of the help; *count of them. */
const command *const *commands_all(size_t *count);

/* By name, or NULL. */
const command *commands_find(const char *name);

/* Add every table that the command's options come from. */
void command_options(const command *c, options *o);

#endif
