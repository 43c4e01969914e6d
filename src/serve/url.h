/* url.h: where a client goes: "wss://host:port/path?query", in parts. Pure. */
#ifndef MOSHI_SERVE_URL_H
#define MOSHI_SERVE_URL_H

#include <stdbool.h>

#include <moshi/error.h>

#define URL_HOST_BYTES 256
#define URL_PATH_BYTES 1024

typedef struct url {
    bool tls;
    char host[URL_HOST_BYTES]; /* of an IPv6 address, without brackets */
    int port;
    char path[URL_PATH_BYTES]; /* with the query, if it has one */
} url;

/* ws, http: without TLS, wss, https: with; no scheme: without for names of
 * this machine, else with. No port: default_port without a scheme, else that
 * of the scheme (80, 443). No path: "/api/chat". MOSHI_ARGUMENT for what is
 * no such address. */
moshi_status url_parse(url *out, const char *text, int default_port,
                       moshi_error *err);

/* Put "key=value" behind the path; MOSHI_ARGUMENT when there is no room.
 * value is percent-encoded. */
moshi_status url_add(url *u, const char *key, const char *value,
                     moshi_error *err);

#endif
