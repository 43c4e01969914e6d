/* origin.c: compare headers. */
#include "serve/origin.h"

#include <string.h>
#include <strings.h>

bool origin_is_loopback(const char *host)
{
    size_t n = strcspn(host, ":");
    if (host[0] == '[')
        return strncmp(host, "[::1]", 5) == 0 &&
               (host[5] == 0 || host[5] == ':');
    if (strcmp(host, "::1") == 0)
        return true;
    return (n == 9 && strncasecmp(host, "localhost", n) == 0) ||
           (n > 4 && strncmp(host, "127.", 4) == 0 &&
            strspn(host, "0123456789.") == n);
}

bool origin_is_one(const char *text)
{
    const char *name = strstr(text, "://");
    if (strcmp(text, "*") == 0)
        return true;
    return name && name > text && name[3] &&
           strcspn(name + 3, "/?#@ ") == strlen(name + 3);
}

static bool listed(const origin_rules *r, const char *origin)
{
    for (size_t i = 0; i < r->n_allowed; i++)
        if (strcmp(r->allowed[i], "*") == 0 ||
            strcasecmp(r->allowed[i], origin) == 0)
            return true;
    return false;
}

bool origin_allowed(const origin_rules *r, const char *origin,
                    const char *host)
{
    if (!*origin || listed(r, origin))
        return true;
    const char *name = strstr(origin, "://");
    if (!name || strcasecmp(name + 3, host) != 0)
        return false;
    return !r->loopback || origin_is_loopback(host);
}

static bool same(const char *wanted, const char *given)
{
    size_t n = strlen(wanted), m = strlen(given);
    unsigned char differ = n != m;
    for (size_t i = 0; i < n; i++)
        differ |= (unsigned char)(wanted[i] ^ given[m ? i % m : 0]);
    return differ == 0;
}

bool origin_token_matches(const char *wanted, const char *authorization,
                          const char *query_token)
{
    if (!wanted)
        return true;
    bool bearer = strncasecmp(authorization, "Bearer ", 7) == 0;
    bool in_header = same(wanted, bearer ? authorization + 7 : "");
    return same(wanted, query_token) || in_header;
}
