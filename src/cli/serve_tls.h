/* serve_tls.h: which certificate moshi serve shows: the user's, or one that it
 * makes for itself when it is first needed. */
#ifndef MOSHI_CLI_SERVE_TLS_H
#define MOSHI_CLI_SERVE_TLS_H

#include "base/limits.h"
#include "cli/options.h"

typedef struct serve_tls {
    const char *certificate, *key; /* NULL: no TLS */
    char own_certificate[LIMIT_PATH_BYTES], own_key[LIMIT_PATH_BYTES];
    bool made; /* just now */
} serve_tls;

/* From --tls, --certificate, --key (the caller has seen that the last two come
 * together); host is the address to listen on. Errors: MOSHI_IO,
 * MOSHI_LACKING. */
moshi_status serve_tls_find(serve_tls *t, const options *o, const char *host,
                            moshi_error *err);

#endif
