/* characters.h: cutting UTF-8 text between characters.
 *
 * Tokens may bring a character byte by byte, and a buffer may be smaller than
 * the text that waits for it. Bytes that are not UTF-8 count as characters of
 * their own. */
#ifndef MOSHI_TEXT_CHARACTERS_H
#define MOSHI_TEXT_CHARACTERS_H

#include <stddef.h>

/* n, or less if the last character of the n bytes has only begun. */
size_t characters_complete(const char *text, size_t n);

/* The most of the n bytes that fits into cap and ends between characters; cap
 * itself if the first character is longer than that. */
size_t characters_prefix(const char *text, size_t n, size_t cap);

#endif
