/* text_buffer.h: text that is put together piece by piece, in memory. */
#ifndef MOSHI_SERVE_TEXT_BUFFER_H
#define MOSHI_SERVE_TEXT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct text_buffer {
    char *text; /* owned; 0-terminated once something was added */
    size_t bytes, room;
    bool failed; /* out of memory: what follows is dropped */
} text_buffer;

void text_buffer_release(text_buffer *b);

void text_buffer_add_bytes(text_buffer *b, const char *bytes, size_t n);

/* At most 1 KB a call. */
void text_buffer_add(text_buffer *b, const char *format, ...)
    ERROR_PRINTF(2, 3);

/* A JSON string with its quotes; bytes that are not UTF-8 become '?'. */
void text_buffer_add_json(text_buffer *b, const char *text);

#endif
