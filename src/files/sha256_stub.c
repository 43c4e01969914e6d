/* sha256_stub.c: stands in for sha256.c in a build without libcrypto. */
#include "files/sha256.h"

#include "base/error.h"

moshi_status sha256_hex_of_file(const char *path, char out[SHA256_HEX_BYTES],
                                moshi_error *err)
{
    (void)out;
    error_set(err, MOSHI_LACKING,
              "cannot hash '%s': this program was built without libcrypto",
              path);
    error_hint(err, "install libssl-dev and build again, or compare the "
                    "output of sha256sum by hand");
    return MOSHI_LACKING;
}
