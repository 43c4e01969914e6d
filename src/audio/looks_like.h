/* looks_like.h: what a file that is not readable audio seems to be.
 *
 * For error messages only: a guess from the first bytes, as a noun phrase
 * that fits after "it looks like". */
#ifndef MOSHI_AUDIO_LOOKS_LIKE_H
#define MOSHI_AUDIO_LOOKS_LIKE_H

#include <stddef.h>

/* Bytes worth showing to looks_like. */
#define LOOKS_LIKE_BYTES 512

/* head: the first n bytes. A static string; NULL when there is no guess. */
const char *looks_like(const unsigned char *head, size_t n);

#endif
