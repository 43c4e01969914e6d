/* certificate_stub.c: stands in for certificate.c in a build without
 * libcrypto. */
#include "serve/certificate.h"

#include "base/error.h"

bool certificate_usable(const char *path)
{
    (void)path;
    return false;
}

moshi_status certificate_make(const char *certificate, const char *key,
                              const char *const *names, size_t n_names,
                              moshi_error *err)
{
    (void)certificate, (void)key, (void)names, (void)n_names;
    error_set(err, MOSHI_LACKING, "this program was built without libcrypto, "
              "so it cannot make a certificate");
    error_hint(err, "give one with --certificate and --key");
    return MOSHI_LACKING;
}
