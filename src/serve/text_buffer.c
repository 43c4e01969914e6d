/* text_buffer.c: append to a block that grows. */
#include "serve/text_buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "files/text.h"

#define ADD_BYTES 1024

void text_buffer_release(text_buffer *b)
{
    memory_free(b->text);
    *b = (text_buffer){0};
}

void text_buffer_add_bytes(text_buffer *b, const char *bytes, size_t n)
{
    if (b->failed ||
        !memory_grow((void **)&b->text, &b->room, b->bytes + n + 1, 1)) {
        b->failed = true;
        return;
    }
    memcpy(b->text + b->bytes, bytes, n);
    b->bytes += n;
    b->text[b->bytes] = 0;
}

void text_buffer_add(text_buffer *b, const char *format, ...)
{
    char piece[ADD_BYTES];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    if (n > 0)
        text_buffer_add_bytes(b, piece, (size_t)n < sizeof piece
                                            ? (size_t)n : sizeof piece - 1);
}

void text_buffer_add_json(text_buffer *b, const char *text)
{
    size_t left = strlen(text);
    text_buffer_add_bytes(b, "\"", 1);
    while (left > 0) {
        unsigned char c = (unsigned char)*text;
        size_t n = text_character_bytes(text, left);
        if (n == 0)
            text_buffer_add_bytes(b, "?", n = 1);
        else if (c == '"' || c == '\\')
            text_buffer_add(b, "\\%c", c);
        else if (c < 0x20)
            text_buffer_add(b, "\\u%04x", c);
        else
            text_buffer_add_bytes(b, text, n);
        text += n;
        left -= n;
    }
    text_buffer_add_bytes(b, "\"", 1);
}
