/* characters.c: cutting UTF-8 text between characters. */
#include "text/characters.h"

#include <stdbool.h>

#define CHARACTER_BYTES_MAX 4

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Bytes of the character that begins with this one. */
static size_t length(char first)
{
    unsigned char c = (unsigned char)first;
    return c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
}

size_t characters_complete(const char *text, size_t n)
{
    for (size_t back = 1; back < CHARACTER_BYTES_MAX && back <= n; back++)
        if (!continues(text[n - back]))
            return length(text[n - back]) > back ? n - back : n;
    return n;
}

size_t characters_prefix(const char *text, size_t n, size_t cap)
{
    if (n <= cap)
        return n;
    size_t end = cap;
    while (end > 0 && continues(text[end]))
        end--;
    return end > 0 ? end : cap;
}
