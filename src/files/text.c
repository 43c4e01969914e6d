/* text.c: check names (UTF-8, nothing that moves a cursor). */
#include "files/text.h"

#include <stdint.h>

#include "base/limits.h"

/* Overlong forms, surrogates and what lies beyond U+10FFFF are refused
 * (table 3-7 of the Unicode standard). */
size_t text_character_bytes(const char *text, size_t left)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned c = at[0], low = 0x80, high = 0xbf;
    size_t n;
    if (c < 0x80)
        return 1;
    if (c >= 0xc2 && c <= 0xdf)
        n = 2;
    else if (c >= 0xe0 && c <= 0xef)
        n = 3;
    else if (c >= 0xf0 && c <= 0xf4)
        n = 4;
    else
        return 0;
    if (c == 0xe0)
        low = 0xa0;
    else if (c == 0xed)
        high = 0x9f;
    else if (c == 0xf0)
        low = 0x90;
    else if (c == 0xf4)
        high = 0x8f;
    if (n > left || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* C0 and C1 controls and DEL. */
static bool is_control(const unsigned char *at, size_t n)
{
    return at[0] < 0x20 || at[0] == 0x7f ||
           (n == 2 && at[0] == 0xc2 && at[1] < 0xa0);
}

bool text_is_name(const char *text, size_t n_bytes)
{
    if (n_bytes == 0 || n_bytes > LIMIT_NAME_BYTES)
        return false;
    while (n_bytes > 0) {
        size_t n = text_character_bytes(text, n_bytes);
        if (n == 0 || is_control((const unsigned char *)text, n))
            return false;
        text += n;
        n_bytes -= n;
    }
    return true;
}

char *text_printable(char *buffer, size_t buffer_bytes, const char *text)
{
    size_t n = 0;
    for (; n + 1 < buffer_bytes && text[n]; n++)
        buffer[n] = (char)(text[n] >= 0x20 && text[n] < 0x7f ? text[n] : '?');
    buffer[n] = 0;
    return buffer;
}
