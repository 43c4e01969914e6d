/* exit_status.h: what the program answers to the shell that started it. */
#ifndef MOSHI_CLI_EXIT_STATUS_H
#define MOSHI_CLI_EXIT_STATUS_H

#include <moshi/error.h>

/* X(name, value, meaning). The manual prints this list. */
#define EXIT_STATUS_LIST(X)                                                \
    X(DONE,    0, "done")                                                  \
    X(NO,      1, "the command ran and the answer is no")                  \
    X(USAGE,   2, "wrong usage")                                           \
    X(INPUT,   3, "bad input: a file is missing, damaged or does not fit") \
    X(LACKING, 4, "this machine lacks something, such as memory or a device")

typedef enum exit_status {
#define EXIT_STATUS_ENUM(name, value, meaning) EXIT_STATUS_##name = value,
    EXIT_STATUS_LIST(EXIT_STATUS_ENUM)
#undef EXIT_STATUS_ENUM
} exit_status;

/* The exit status of a command that failed with `status`. */
exit_status exit_status_of(moshi_status status);

#endif
