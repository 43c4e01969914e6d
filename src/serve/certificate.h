/* certificate.h: a certificate that the server makes for itself, so that
 * browsers (which give a page the microphone only over TLS, or on localhost)
 * and clients can reach it over a network.
 *
 * Nobody vouches for it: a browser asks once whether it is to be trusted.
 * One file stands behind this header; built without libcrypto, it answers
 * MOSHI_LACKING. */
#ifndef MOSHI_SERVE_CERTIFICATE_H
#define MOSHI_SERVE_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

#include <moshi/error.h>

/* Is there a certificate (PEM) that is valid for another week? */
bool certificate_usable(const char *path);

/* Make a key (P-256; only its owner may read the file) and a certificate for
 * these names ("localhost") and addresses ("192.168.1.2"), valid for 825 days,
 * which is as long as browsers accept. Errors: MOSHI_IO, MOSHI_LACKING. */
moshi_status certificate_make(const char *certificate, const char *key,
                              const char *const *names, size_t n_names,
                              moshi_error *err);

#endif
