/* known_files.h: published files by size and SHA-256.
 *
 * A file that the table knows is whole, bit for bit; one that bears the name
 * or the size of a published file and has another hash is damaged, or another
 * version. The values are those that the publishers' repositories give. */
#ifndef MOSHI_LAB_KNOWN_FILES_H
#define MOSHI_LAB_KNOWN_FILES_H

#include <stdint.h>

typedef struct known_file {
    const char *name;   /* as published */
    const char *of;     /* repository or model */
    uint64_t bytes;     /* 0: not recorded */
    const char *sha256; /* 64 digits, or the first of them */
} known_file;

/* By the hash of a whole file (64 digits); NULL if the table has none. */
const known_file *known_files_by_hash(const char *sha256);

/* The published file that this one claims to be, by a name that only one
 * publication bears, or else by the exact size; NULL: none. */
const known_file *known_files_claimed(const char *name, uint64_t bytes);

#endif
