/* error.c: fill the caller's moshi_error; names of the status codes. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *moshi_version(void)
{
    return MOSHI_VERSION_STRING;
}

const char *moshi_status_name(moshi_status status)
{
    switch (status) {
#define NAME_CASE(name, value, sentence) \
    case MOSHI_##name:                   \
        return #name;
        MOSHI_STATUS_LIST(NAME_CASE)
#undef NAME_CASE
    case MOSHI_STATUS_FORCE_INT:
        break;
    }
    return "?";
}

const char *moshi_status_text(moshi_status status)
{
    switch (status) {
#define TEXT_CASE(name, value, sentence) \
    case MOSHI_##name:                   \
        return sentence;
        MOSHI_STATUS_LIST(TEXT_CASE)
#undef TEXT_CASE
    case MOSHI_STATUS_FORCE_INT:
        break;
    }
    return "unknown status";
}

moshi_status error_set(moshi_error *err, moshi_status status,
                       const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        err->status = status;
        err->hint[0] = 0;
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
    }
    return status;
}

moshi_status error_hint(moshi_error *err, const char *format, ...)
{
    if (!err)
        return MOSHI_OK;
    va_list args;
    va_start(args, format);
    vsnprintf(err->hint, sizeof err->hint, format, args);
    va_end(args);
    return err->status;
}

void error_context(moshi_error *err, const char *format, ...)
{
    if (!err)
        return;
    char old[sizeof err->message];
    memcpy(old, err->message, sizeof old);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof err->message)
        return;
    snprintf(err->message + n, sizeof err->message - (size_t)n, ": %s", old);
}

moshi_status error_no_memory(moshi_error *err, const char *what)
{
    return error_set(err, MOSHI_NO_MEMORY, "out of memory for %s", what);
}

void error_clear(moshi_error *err)
{
    if (err)
        memset(err, 0, sizeof *err);
}
