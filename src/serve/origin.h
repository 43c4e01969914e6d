/* origin.h: may a page from there talk to this server? Pure.
 *
 * Browsers let any page open a WebSocket to any server, and say in the Origin
 * header which page it was. Programs send no origin. */
#ifndef MOSHI_SERVE_ORIGIN_H
#define MOSHI_SERVE_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

typedef struct origin_rules {
    bool loopback; /* the server is bound to this machine only: its name must
                      be one of this machine, or a page could reach it under a
                      name of its own (DNS rebinding) */
    const char *const *allowed; /* origins, "https://example.org"; "*": all */
    size_t n_allowed;
} origin_rules;

/* origin and host: the headers, "" when absent. */
bool origin_allowed(const origin_rules *rules, const char *origin,
                    const char *host);

/* Can a browser name such an origin: "https://example.org", "http://host:80",
 * nothing behind it; or is it "*"? */
bool origin_is_one(const char *text);

/* "localhost", "127.…" or "[::1]", with or without a port. */
bool origin_is_loopback(const char *host);

/* Does the request carry the token: as "Bearer …", or in its query? Takes the
 * same time wherever they differ. wanted NULL: always. */
bool origin_token_matches(const char *wanted, const char *authorization,
                          const char *query_token);

#endif
