/* url.c: scheme, host, port, path. */
#include "serve/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "serve/origin.h"

#define CHAT_PATH "/api/chat"

static const struct scheme {
    const char *name;
    bool tls;
    int port;
} schemes[] = {
    {"ws://", false, 80},
    {"http://", false, 80},
    {"wss://", true, 443},
    {"https://", true, 443},
};

static moshi_status refuse(const char *text, moshi_error *err)
{
    error_set(err, MOSHI_ARGUMENT, "'%.200s' is no address of a server", text);
    return error_hint(err, "write it as ws://HOST:PORT or wss://HOST:PORT");
}

/* "host", "host:port", "[v6]" or "[v6]:port" in text[0 … n). */
static bool parse_authority(url *u, const char *text, size_t n)
{
    size_t begin = 0, end = strcspn(text, ":/?#"), port_at;
    if (text[0] == '[') {
        const char *bracket = memchr(text, ']', n);
        if (!bracket)
            return false;
        begin = 1;
        end = (size_t)(bracket - text);
        port_at = end + 1;
    } else {
        port_at = end;
    }
    if (end == begin || end > n || end - begin >= sizeof u->host)
        return false;
    memcpy(u->host, text + begin, end - begin);
    u->host[end - begin] = 0;
    if (port_at == n)
        return true;
    size_t digits = strspn(text + port_at + 1, "0123456789");
    if (text[port_at] != ':' || digits == 0 || digits > 5 ||
        port_at + 1 + digits != n)
        return false;
    u->port = atoi(text + port_at + 1);
    return u->port > 0 && u->port < 65536;
}

static bool parse_path(url *u, const char *text)
{
    size_t n = strcspn(text, "#");
    bool none = n == 0 || (n == 1 && *text == '/');
    const char *root = *text == '?' ? CHAT_PATH : "";
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 127)
            return false;
    int made = none ? snprintf(u->path, sizeof u->path, CHAT_PATH)
                    : snprintf(u->path, sizeof u->path, "%s%.*s", root,
                               (int)n, text);
    return n < sizeof u->path && made > 0 && (size_t)made < sizeof u->path;
}

moshi_status url_parse(url *out, const char *text, int default_port,
                       moshi_error *err)
{
    const char *rest = text;
    url u = {.port = default_port};
    bool named = false;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t n = strlen(schemes[i].name);
        if (strncasecmp(text, schemes[i].name, n) != 0)
            continue;
        u.tls = schemes[i].tls;
        u.port = schemes[i].port;
        rest = text + n;
        named = true;
        break;
    }
    size_t n = strcspn(rest, "/?#");
    if (!parse_authority(&u, rest, n) || !parse_path(&u, rest + n))
        return refuse(text, err);
    if (!named)
        u.tls = !origin_is_loopback(u.host);
    *out = u;
    return MOSHI_OK;
}

moshi_status url_add(url *u, const char *key, const char *value,
                     moshi_error *err)
{
    size_t at = strlen(u->path), room = sizeof u->path;
    int n = snprintf(u->path + at, room - at, "%c%s=",
                     strchr(u->path, '?') ? '&' : '?', key);
    at += n > 0 ? (size_t)n : 0;
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        bool bare = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                    (c >= 'A' && c <= 'Z') || strchr("-._~", c);
        if (at + 4 > room)
            return error_set(err, MOSHI_ARGUMENT,
                             "the server's address becomes too long");
        at += (size_t)snprintf(u->path + at, room - at, bare ? "%c" : "%%%02X",
                               c);
    }
    return MOSHI_OK;
}
