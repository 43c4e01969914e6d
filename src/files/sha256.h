/* sha256.h: the SHA-256 of a file, as the publishers of models give it.
 *
 * One file stands in front of libcrypto; built without it, asking answers
 * MOSHI_LACKING.
 *
 * Thread-safety: may be called from any thread. */
#ifndef MOSHI_FILES_SHA256_H
#define MOSHI_FILES_SHA256_H

#include <moshi/error.h>

/* 64 hexadecimal digits in lower case, and the terminating 0. */
#define SHA256_HEX_BYTES 65

/* Reads the whole file, in pieces. Errors: MOSHI_IO, MOSHI_LACKING,
 * MOSHI_NO_MEMORY. */
moshi_status sha256_hex_of_file(const char *path, char out[SHA256_HEX_BYTES],
                                moshi_error *err);

#endif
