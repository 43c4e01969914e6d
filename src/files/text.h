/* text.h: strings from files, before they are believed or shown. */
#ifndef MOSHI_FILES_TEXT_H
#define MOSHI_FILES_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the well-formed UTF-8 character at `text`, which has left ≥ 1
 * bytes; 0 if there is none. */
size_t text_character_bytes(const char *text, size_t left);

/* True for a name: 1 to LIMIT_NAME_BYTES bytes of well-formed UTF-8 without
 * control characters. Such a name may be printed on a terminal. */
bool text_is_name(const char *text, size_t n_bytes);

/* Copy for a message: bytes that are not printable ASCII become '?'. The
 * result is always terminated; returns buffer. */
char *text_printable(char *buffer, size_t buffer_bytes, const char *text);

#endif
