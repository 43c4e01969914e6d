/* websocket.h: HTTP and WebSocket, as a loop that calls back.
 *
 * One web is one loop in one thread: a server that listens, or a client of
 * one connection. All callbacks come from web_run, in its thread. Messages to
 * send are asked for when the socket can take one (`next`), so that no queue
 * stands between a slow peer and whoever makes the messages.
 *
 * One file stands behind this header (libwebsockets); built without it,
 * opening answers MOSHI_LACKING.
 *
 * Thread-safety: everything belongs to the loop's thread, but web_wake, which
 * may be called from any. */
#ifndef MOSHI_SERVE_WEBSOCKET_H
#define MOSHI_SERVE_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include <moshi/error.h>

/* The longest message that `next` may write. */
#define WEB_MESSAGE_OUT_MAX ((size_t)1 << 14)

/* Closing codes of RFC 6455 and of its registry. */
enum {
    WEB_CLOSE_NORMAL = 1000,
    WEB_CLOSE_GOING_AWAY = 1001,
    WEB_CLOSE_POLICY = 1008,
    WEB_CLOSE_TOO_BIG = 1009,
    WEB_CLOSE_FAULT = 1011,
    WEB_CLOSE_TRY_LATER = 1013
};

typedef struct web web;
typedef struct web_peer web_peer;

/* A request's parts; "" for what it lacks. Borrowed for the callback. */
typedef struct web_request {
    const char *path, *query; /* without the '?' */
    const char *host, *origin, *authorization;
    bool get;      /* GET or HEAD */
} web_request;

typedef struct web_header {
    const char *name, *value; /* name with its colon: "etag:" */
} web_header;

#define WEB_HEADERS_MAX 16

typedef struct web_reply {
    int status;
    const char *type;  /* of the body; static */
    const void *body;  /* static, or `owned` */
    size_t bytes;
    void *owned;       /* memory_free'd when it has been sent */
    web_header headers[WEB_HEADERS_MAX]; /* static strings */
    size_t n_headers;
} web_reply;

typedef struct web_handlers {
    /* Server: fill the reply to a request. */
    void (*request)(void *user, const web_request *request, web_reply *reply);
    /* Server: may this become a WebSocket? If not, fill the reply. */
    bool (*upgrade)(void *user, const web_request *request, web_reply *reply);
    /* A WebSocket is open; the result is given to the three below. NULL
     * closes it. Client: request is NULL. */
    void *(*opened)(void *user, web_peer *peer, const web_request *request);
    /* A whole message; bytes are borrowed. */
    void (*message)(void *session, const unsigned char *bytes, size_t n,
                    bool binary);
    /* The peer sends a message longer than message_bytes_max. */
    void (*oversized)(void *session);
    /* Write the next message to send (cap is WEB_MESSAGE_OUT_MAX); its bytes,
     * or 0 when there is none. */
    size_t (*next)(void *session, unsigned char *out, size_t cap);
    /* The message that `next` gave has been handed to the system. */
    void (*sent)(void *session);
    void (*closed)(void *session);
    /* Client: there is no connection, and why; status: of an answer over
     * HTTP, which was no WebSocket, else 0. */
    void (*failed)(void *user, const char *reason, int status);
    void (*woken)(void *user); /* after web_wake */
    void (*tick)(void *user);  /* every tick_ms */
} web_handlers;

typedef struct web_params {
    web_handlers handlers;
    void *user;
    int tick_ms;
    size_t message_bytes_max; /* of a message that comes in */
    /* Server: */
    const char *host;         /* address to bind to; "0.0.0.0" for all */
    int port;                 /* 0: the system chooses */
    int send_buffer_bytes;    /* of the system, for each connection; 0: its
                                 own choice */
    const char *certificate, *key; /* PEM files; NULL: no TLS */
} web_params;

/* Errors: MOSHI_LACKING, MOSHI_IO (the address cannot be bound to, a
 * certificate cannot be read). */
moshi_status web_listen(web **out, const web_params *params,
                        moshi_error *err);
int web_port(const web *w);

typedef struct web_target {
    bool tls;
    bool insecure;     /* accept any certificate */
    const char *authority; /* PEM file of one to trust besides; NULL: none */
    const char *host;
    int port;
    const char *path;  /* with the query: "/api/chat?…" */
} web_target;

/* Begin to connect; `opened` or `failed` follows from web_run. */
moshi_status web_connect(web **out, const web_params *params,
                         const web_target *target, moshi_error *err);

void web_close(web **w);

/* Until web_stop. */
void web_run(web *w);
void web_stop(web *w);
void web_wake(web *w);

/* There is something to send: `next` will be asked. */
void web_peer_send(web_peer *peer);
/* Stop (or go on) taking messages from this peer. */
void web_peer_pause(web_peer *peer, bool pause);
/* Send what `next` still gives, then a closing message, and close. A peer
 * that does not take it within five seconds is cut off. */
void web_peer_close(web_peer *peer, int code, const char *reason);
/* At once, without a word. */
void web_peer_drop(web_peer *peer);

#endif
