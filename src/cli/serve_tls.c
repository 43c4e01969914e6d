/* serve_tls.c: find or make a certificate. */
#include "cli/serve_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "serve/certificate.h"

#define NAMES_MAX 24
#define NAME_BYTES 256

typedef struct names {
    char text[NAMES_MAX][NAME_BYTES];
    const char *list[NAMES_MAX];
    size_t n;
} names;

static void add(names *all, const char *name)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->list[i], name) == 0)
            return;
    if (all->n == NAMES_MAX || !*name || strlen(name) >= NAME_BYTES)
        return;
    memcpy(all->text[all->n], name, strlen(name) + 1);
    all->list[all->n] = all->text[all->n];
    all->n++;
}

/* Under which names this machine can be reached by its neighbours. */
static void add_addresses(names *all)
{
    struct ifaddrs *first = NULL;
    char text[INET6_ADDRSTRLEN];
    if (getifaddrs(&first) != 0)
        return;
    for (struct ifaddrs *i = first; i; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET)
            continue;
        const struct sockaddr_in *a = (const void *)i->ifa_addr;
        if (inet_ntop(AF_INET, &a->sin_addr, text, sizeof text))
            add(all, text);
    }
    freeifaddrs(first);
}

static moshi_status make_folder(char *path, moshi_error *err)
{
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = 0;
        int failed = mkdir(path, 0700) != 0 && errno != EEXIST;
        if (slash)
            *slash = '/';
        if (failed)
            return error_set(err, MOSHI_IO, "cannot make the folder '%s': %s",
                             path, strerror(errno));
        if (!slash)
            return MOSHI_OK;
    }
}

/* $XDG_DATA_HOME/moshi, or ~/.local/share/moshi. */
static moshi_status own_paths(serve_tls *t, moshi_error *err)
{
    char folder[LIMIT_PATH_BYTES];
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int n = -1;
    if (data && data[0] == '/')
        n = snprintf(folder, sizeof folder, "%s/moshi", data);
    else if (home && home[0] == '/')
        n = snprintf(folder, sizeof folder, "%s/.local/share/moshi", home);
    if (n < 0 || (size_t)n + 16 >= sizeof folder) {
        error_set(err, MOSHI_IO, "there is no folder for a certificate: "
                  "neither HOME nor XDG_DATA_HOME names one");
        return error_hint(err, "give one with --certificate and --key");
    }
    snprintf(t->own_certificate, sizeof t->own_certificate, "%.*s/cert.pem",
             n, folder);
    snprintf(t->own_key, sizeof t->own_key, "%.*s/key.pem", n, folder);
    return make_folder(folder, err);
}

static moshi_status use_own(serve_tls *t, const char *host, moshi_error *err)
{
    names all = {0};
    char machine[NAME_BYTES] = "";
    moshi_status status = own_paths(t, err);
    if (status != MOSHI_OK)
        return status;
    t->certificate = t->own_certificate;
    t->key = t->own_key;
    if (certificate_usable(t->certificate) && access(t->key, R_OK) == 0)
        return MOSHI_OK;
    add(&all, "localhost");
    add(&all, "127.0.0.1");
    add(&all, "::1");
    if (strcmp(host, "0.0.0.0") != 0 && strcmp(host, "::") != 0)
        add(&all, host);
    if (gethostname(machine, sizeof machine - 1) == 0)
        add(&all, machine);
    add_addresses(&all);
    t->made = true;
    return certificate_make(t->certificate, t->key, all.list, all.n, err);
}

moshi_status serve_tls_find(serve_tls *t, const options *o, const char *host,
                            moshi_error *err)
{
    *t = (serve_tls){.certificate = options_text(o, "certificate"),
                     .key = options_text(o, "key")};
    if (t->certificate || !options_flag(o, "tls"))
        return MOSHI_OK;
    return use_own(t, host, err);
}
