/* sha256.c: SHA-256 by OpenSSL's libcrypto, which uses the processor's own
 * instructions for it: a model of 15 GB is read no slower than the disk. */
#include "files/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/error.h"
#include "base/memory.h"

#define PIECE_BYTES ((size_t)1 << 18)

static moshi_status hash_all(EVP_MD_CTX *context, int fd, void *piece,
                             const char *path, moshi_error *err)
{
    for (;;) {
        ssize_t n = read(fd, piece, PIECE_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, MOSHI_IO, "cannot read '%s': %s", path,
                             strerror(errno));
        if (n == 0)
            return MOSHI_OK;
        if (!EVP_DigestUpdate(context, piece, (size_t)n))
            return error_no_memory(err, "a hash");
    }
}

moshi_status sha256_hex_of_file(const char *path, char out[SHA256_HEX_BYTES],
                                moshi_error *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    moshi_status status = MOSHI_OK;
    EVP_MD_CTX *context = NULL;
    void *piece = NULL;
    /* A pipe must not hold us up: it reads as empty. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set(err, MOSHI_IO, "cannot open '%s': %s", path,
                         strerror(errno));
    context = EVP_MD_CTX_new();
    piece = memory_calloc(1, PIECE_BYTES);
    if (!context || !piece ||
        !EVP_DigestInit_ex(context, EVP_sha256(), NULL))
        status = error_no_memory(err, "a hash");
    if (status == MOSHI_OK)
        status = hash_all(context, fd, piece, path, err);
    if (status == MOSHI_OK && !EVP_DigestFinal_ex(context, digest, &n))
        status = error_no_memory(err, "a hash");
    for (unsigned i = 0; status == MOSHI_OK && i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    memory_free(piece);
    EVP_MD_CTX_free(context);
    close(fd);
    return status;
}
