/* client.h: the other end of /api/chat: a client of our server and of the
 * official ones.
 *
 *   speak -> sink_opus -> message        message -> source_opus -> heard
 *
 * It sends sound from the handshake on (Python servers queue what comes
 * before, and answer it late), two pages a message, and nothing else, since
 * one official server ends a session at a message that it does not know.
 *
 * Thread-safety: callbacks come from client_run, in its thread, and all the
 * functions belong there. */
#ifndef MOSHI_SERVE_CLIENT_H
#define MOSHI_SERVE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

#include "serve/url.h"

#define CLIENT_FRAME_SAMPLES 1920

typedef struct client client;

typedef struct client_handlers {
    void (*begun)(void *user); /* the server has taken us: speak */
    /* The next frame to send, if there is one now; asked every few
     * milliseconds once it has begun. */
    bool (*speak)(void *user, float frame[CLIENT_FRAME_SAMPLES]);
    void (*heard)(void *user, const float *pcm, size_t n);
    void (*text)(void *user, const char *text, size_t n);
    void (*metadata)(void *user, const char *json, size_t n);
    void (*tick)(void *user); /* every few milliseconds */
} client_handlers;

typedef struct client_params {
    url url;
    bool insecure;         /* accept any certificate */
    const char *authority; /* PEM file of one to trust; NULL: none */
    client_handlers handlers;
    void *user;
} client_params;

/* How it ended. */
typedef struct client_end {
    bool connected; /* there was a WebSocket */
    int refused;    /* status of the HTTP answer in its place, else 0 */
    bool begun;     /* and a handshake */
    bool finished;  /* it was us who ended it */
    uint64_t damaged;  /* pages and packets that could not be used */
    char reason[256];  /* why not, or what the server said */
} client_end;

/* MOSHI_LACKING, MOSHI_NO_MEMORY, MOSHI_IO (a certificate). */
moshi_status client_open(client **out, const client_params *params,
                         moshi_error *err);
void client_close(client **c);

/* Until the connection ends. */
client_end client_run(client *c);
/* From a callback: end it. */
void client_finish(client *c);

#endif
