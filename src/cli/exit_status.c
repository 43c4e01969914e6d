/* exit_status.c: from a library's status to the program's exit status. */
#include "cli/exit_status.h"

exit_status exit_status_of(moshi_status status)
{
    switch (status) {
    case MOSHI_OK:
    case MOSHI_AGAIN:
    case MOSHI_FINISHED:
        return EXIT_STATUS_DONE;
    case MOSHI_NO_MEMORY:
    case MOSHI_LACKING:
        return EXIT_STATUS_LACKING;
    case MOSHI_IO:
    case MOSHI_FORMAT:
    case MOSHI_MISMATCH:
    case MOSHI_UNSUPPORTED:
    case MOSHI_ARGUMENT:
    case MOSHI_FULL:
    case MOSHI_STATUS_FORCE_INT:
        break;
    }
    return EXIT_STATUS_INPUT;
}
