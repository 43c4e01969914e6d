/* websocket.c: the one file that touches libwebsockets.
 *
 * Every connection that matters has an exchange: a reply on its way, or a
 * WebSocket. It hangs on the library's connection as its "opaque" data and
 * goes when that is destroyed. */
#include "serve/websocket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "base/error.h"
#include "base/memory.h"

#define CLOSE_SECONDS 5
#define REQUEST_SECONDS 5  /* for all of a request */
#define CONNECT_SECONDS 10 /* for an answer to ours */
#define CHUNK_BYTES ((size_t)1 << 13)
#define REASON_BYTES 120
/* Connections that have asked for nothing yet, at most. */
#define SILENT_MAX 128

struct web {
    web_params params;
    struct lws_context *context; /* owned */
    struct lws_vhost *host;      /* the context's */
    struct lws_protocols protocols[2];
    lws_sorted_usec_list_t ticker;
    bool stop;
    bool connected; /* client: told of its connection's end */
    struct lws *silent[SILENT_MAX]; /* oldest first */
    size_t n_silent;
};

/* One request, and what becomes of it. */
struct web_peer {
    web *web;
    struct lws *wsi;
    /* A reply: */
    web_reply reply;
    size_t at; /* bytes of the body that are sent */
    /* A WebSocket: */
    bool open;
    void *session;      /* NULL after closing */
    unsigned char *in;  /* owned: a message that is not yet whole */
    size_t in_bytes, in_room;
    bool in_dropped;    /* the rest of a message that was too long */
    bool closing;
    int close_code;
    char reason[REASON_BYTES];
    /* For `opened`, which comes after the headers are gone: */
    char *path, *query;
    unsigned char out[LWS_PRE + WEB_MESSAGE_OUT_MAX];
};

/* What the library first complained of, for the messages of errors. */
static _Thread_local char complaint[200];

static void hear_complaint(int level, const char *line)
{
    (void)level;
    if (complaint[0])
        return;
    snprintf(complaint, sizeof complaint, "%s", line);
    complaint[strcspn(complaint, "\n")] = 0;
}

static web_peer *peer_of(struct lws *wsi)
{
    return lws_get_opaque_user_data(wsi);
}

static void peer_free(web_peer *p)
{
    if (!p)
        return;
    memory_free(p->reply.owned);
    memory_free(p->in);
    memory_free(p->path);
    memory_free(p->query);
    memory_free(p);
}

static web_peer *peer_new(web *w, struct lws *wsi)
{
    web_peer *p = memory_calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->web = w;
    p->wsi = wsi;
    lws_set_opaque_user_data(wsi, p);
    return p;
}

/* --- connections that say nothing --- */

static void silent_remove(web *w, struct lws *wsi)
{
    for (size_t i = 0; i < w->n_silent; i++) {
        if (w->silent[i] != wsi)
            continue;
        w->n_silent--;
        memmove(w->silent + i, w->silent + i + 1,
                (w->n_silent - i) * sizeof *w->silent);
        return;
    }
}

/* A request comes right behind its connection. Who opens many and asks for
 * nothing must not keep others out until their time is over: when there are
 * too many, the oldest goes. */
static void silent_add(web *w, struct lws *wsi)
{
    if (w->n_silent == SILENT_MAX) {
        lws_set_timeout(w->silent[0], PENDING_TIMEOUT_HTTP_CONTENT,
                        LWS_TO_KILL_ASYNC);
        silent_remove(w, w->silent[0]);
    }
    w->silent[w->n_silent++] = wsi;
}

/* --- requests --- */

#define FIELD_BYTES 2048

typedef struct request_text {
    char path[FIELD_BYTES], query[FIELD_BYTES], host[FIELD_BYTES];
    char origin[FIELD_BYTES], authorization[FIELD_BYTES];
} request_text;

/* False when the field is there and does not fit. */
static bool copy_field(struct lws *wsi, char *out, enum lws_token_indexes t)
{
    out[0] = 0;
    return lws_hdr_total_length(wsi, t) == 0 ||
           lws_hdr_copy(wsi, out, FIELD_BYTES, t) >= 0;
}

/* Append a fragment as it would stand in a query. */
static size_t encode(char *out, size_t room, const char *text)
{
    size_t at = 0;
    for (; *text && at + 4 < room; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = c > ' ' && c < 127 && !strchr("%&+#", c);
        at += (size_t)snprintf(out + at, room - at, plain ? "%c" : "%%%02X",
                               c);
    }
    return *text ? room : at;
}

/* The library has taken the query apart at each '&' and decoded the parts. */
static bool copy_query(struct lws *wsi, char *out)
{
    char part[FIELD_BYTES];
    size_t at = 0;
    out[0] = 0;
    for (int i = 0;; i++) {
        int n = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (n <= 0)
            return true;
        if (lws_hdr_copy_fragment(wsi, part, sizeof part,
                                  WSI_TOKEN_HTTP_URI_ARGS, i) < 0)
            return false;
        if (i > 0 && at + 1 < FIELD_BYTES)
            out[at++] = '&';
        at += encode(out + at, FIELD_BYTES - at, part);
        if (at >= FIELD_BYTES)
            return false;
    }
}

static bool read_request(struct lws *wsi, request_text *t, web_request *out)
{
    bool head = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
    bool get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0;
    bool fits = true;
    t->path[0] = 0;
    if (head || get)
        fits = copy_field(wsi, t->path,
                          get ? WSI_TOKEN_GET_URI : WSI_TOKEN_HEAD_URI);
    fits = fits && copy_query(wsi, t->query) &&
           copy_field(wsi, t->host, WSI_TOKEN_HOST) &&
           copy_field(wsi, t->origin, WSI_TOKEN_ORIGIN) &&
           copy_field(wsi, t->authorization, WSI_TOKEN_HTTP_AUTHORIZATION);
    *out = (web_request){.path = t->path,
                         .query = t->query,
                         .host = t->host,
                         .origin = t->origin,
                         .authorization = t->authorization,
                         .get = head || get};
    return fits;
}

static int send_head(web_peer *p)
{
    unsigned char buffer[LWS_PRE + 4096], *start = buffer + LWS_PRE;
    unsigned char *at = start, *end = buffer + sizeof buffer;
    const web_reply *r = &p->reply;
    if (lws_add_http_common_headers(p->wsi, (unsigned)r->status,
                                    r->type ? r->type : "text/plain",
                                    r->bytes, &at, end))
        return -1;
    for (size_t i = 0; i < r->n_headers; i++)
        if (lws_add_http_header_by_name(
                p->wsi, (const unsigned char *)r->headers[i].name,
                (const unsigned char *)r->headers[i].value,
                (int)strlen(r->headers[i].value), &at, end))
            return -1;
    return lws_finalize_write_http_header(p->wsi, start, &at, end);
}

static int end_transaction(web_peer *p)
{
    struct lws *wsi = p->wsi;
    lws_set_opaque_user_data(wsi, NULL);
    peer_free(p);
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int on_request(web *w, struct lws *wsi)
{
    request_text *text = memory_calloc(1, sizeof *text);
    web_peer *p = peer_of(wsi);
    web_request request;
    peer_free(p);
    lws_set_opaque_user_data(wsi, NULL);
    p = text ? peer_new(w, wsi) : NULL;
    if (!p) {
        memory_free(text);
        return -1;
    }
    bool head_only = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
    if (read_request(wsi, text, &request))
        w->params.handlers.request(w->params.user, &request, &p->reply);
    else
        p->reply.status = HTTP_STATUS_REQ_URI_TOO_LONG;
    memory_free(text);
    if (send_head(p))
        return -1;
    if (head_only || p->reply.bytes == 0)
        return end_transaction(p);
    lws_callback_on_writable(wsi);
    return 0;
}

static int on_body(web_peer *p)
{
    size_t left = p->reply.bytes - p->at;
    size_t n = left < CHUNK_BYTES ? left : CHUNK_BYTES;
    memcpy(p->out + LWS_PRE, (const char *)p->reply.body + p->at, n);
    if (lws_write(p->wsi, p->out + LWS_PRE, n,
                  n == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
        return -1;
    p->at += n;
    if (n == left)
        return end_transaction(p);
    lws_callback_on_writable(p->wsi);
    return 0;
}

/* 0: let it become a WebSocket; 1: the refusal is sent. */
static int on_upgrade(web *w, struct lws *wsi)
{
    request_text *text = memory_calloc(1, sizeof *text);
    web_peer *p = text ? peer_new(w, wsi) : NULL;
    web_request request;
    int result = -1;
    if (!p) {
        memory_free(text);
        return -1;
    }
    p->reply.status = HTTP_STATUS_REQ_URI_TOO_LONG;
    if (read_request(wsi, text, &request) &&
        w->params.handlers.upgrade(w->params.user, &request, &p->reply)) {
        p->path = memory_strdup(text->path);
        p->query = memory_strdup(text->query);
        result = p->path && p->query ? 0 : -1;
    } else if (send_head(p) == 0) {
        /* Refusals are short. */
        size_t n = p->reply.bytes < CHUNK_BYTES ? p->reply.bytes
                                                : CHUNK_BYTES;
        if (n > 0)
            memcpy(p->out + LWS_PRE, p->reply.body, n);
        result = lws_write(p->wsi, p->out + LWS_PRE, n,
                           LWS_WRITE_HTTP_FINAL) < 0 ? -1 : 1;
    }
    memory_free(text);
    return result;
}

/* --- WebSockets --- */

static void set_send_buffer(web_peer *p)
{
    int bytes = p->web->params.send_buffer_bytes;
    if (bytes > 0)
        setsockopt(lws_get_socket_fd(p->wsi), SOL_SOCKET, SO_SNDBUF, &bytes,
                   sizeof bytes);
}

static int on_open(web_peer *p, bool client)
{
    const web_handlers *h = &p->web->params.handlers;
    web_request request = {.path = p->path ? p->path : "",
                           .query = p->query ? p->query : "",
                           .host = "",
                           .origin = "",
                           .authorization = "",
                           .get = true};
    p->open = true;
    set_send_buffer(p);
    p->session = h->opened(p->web->params.user, p, client ? NULL : &request);
    return p->session ? 0 : -1;
}

/* Fragments of a message; lws_is_final_fragment speaks of WebSocket frames,
 * lws_remaining_packet_payload of what is left of this one. */
static int on_fragment(web_peer *p, const void *bytes, size_t n)
{
    const web_handlers *h = &p->web->params.handlers;
    if (!p->session || p->closing)
        return 0;
    if (lws_is_first_fragment(p->wsi)) {
        p->in_bytes = 0;
        p->in_dropped = false;
    }
    if (p->in_dropped)
        return 0;
    if (n > p->web->params.message_bytes_max - p->in_bytes) {
        p->in_dropped = true;
        h->oversized(p->session);
        return 0;
    }
    if (n > 0) {
        if (!memory_grow((void **)&p->in, &p->in_room, p->in_bytes + n, 1))
            return -1;
        memcpy(p->in + p->in_bytes, bytes, n);
        p->in_bytes += n;
    }
    if (lws_is_final_fragment(p->wsi) &&
        lws_remaining_packet_payload(p->wsi) == 0)
        h->message(p->session, p->in, p->in_bytes,
                   lws_frame_is_binary(p->wsi));
    return 0;
}

static int on_writable(web_peer *p)
{
    const web_handlers *h = &p->web->params.handlers;
    size_t n = p->session ? h->next(p->session, p->out + LWS_PRE,
                                    WEB_MESSAGE_OUT_MAX)
                          : 0;
    if (n > 0) {
        if (lws_write(p->wsi, p->out + LWS_PRE, n, LWS_WRITE_BINARY) < 0)
            return -1;
        h->sent(p->session);
        lws_callback_on_writable(p->wsi);
        return 0;
    }
    if (!p->closing)
        return 0;
    lws_close_reason(p->wsi, (enum lws_close_status)p->close_code,
                     (unsigned char *)p->reason, strlen(p->reason));
    return -1;
}

static void end_session(web_peer *p)
{
    void *session = p->session;
    p->session = NULL;
    if (session)
        p->web->params.handlers.closed(session);
}

static void client_failed(web *w, const char *reason, size_t n, int status)
{
    char text[200];
    if (w->connected)
        return;
    w->connected = true;
    snprintf(text, sizeof text, "%.*s", (int)(n < 150 ? n : 150),
             reason ? reason : "");
    w->params.handlers.failed(w->params.user,
                              reason && n ? text : "the connection failed",
                              status);
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason,
                    void *user, void *in, size_t n)
{
    struct lws_context *context = wsi ? lws_get_context(wsi) : NULL;
    web *w = context ? lws_context_user(context) : NULL;
    web_peer *p = wsi ? peer_of(wsi) : NULL;
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        silent_add(w, wsi);
        return 0;
    case LWS_CALLBACK_HTTP:
        silent_remove(w, wsi);
        return on_request(w, wsi);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return p ? on_body(p) : 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        silent_remove(w, wsi);
        return on_upgrade(w, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        return p ? on_open(p, false) : -1;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        w->connected = true;
        return p ? on_open(p, true) : -1;
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return p ? on_fragment(p, in, n) : 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return p ? on_writable(p) : 0;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLIENT_CLOSED:
        if (p)
            end_session(p);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        client_failed(w, in, n, (int)lws_http_client_http_response(wsi));
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        if (w)
            silent_remove(w, wsi);
        if (p) {
            end_session(p);
            lws_set_opaque_user_data(wsi, NULL);
            peer_free(p);
        }
        return 0;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        if (w && w->params.handlers.woken)
            w->params.handlers.woken(w->params.user);
        return 0;
    default:
        return 0;
    }
}

/* --- the loop --- */

/* Connections are watched over by what they say, not by pings of the
 * library's own, which one official server takes for messages. */
static const lws_retry_bo_t no_pings = {
    .secs_since_valid_ping = 60000,
    .secs_since_valid_hangup = 60001,
};

static void on_tick(lws_sorted_usec_list_t *ticker)
{
    web *w = lws_container_of(ticker, web, ticker);
    w->params.handlers.tick(w->params.user);
    lws_sul_schedule(w->context, 0, &w->ticker, on_tick,
                     w->params.tick_ms * (lws_usec_t)1000);
}

static web *web_new(const web_params *params)
{
    web *w = memory_calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->params = *params;
    w->protocols[0] = (struct lws_protocols){.name = "moshi",
                                             .callback = callback,
                                             .rx_buffer_size = 4096};
    lws_set_log_level(LLL_ERR | LLL_WARN, hear_complaint);
    complaint[0] = 0;
    return w;
}

/* The library's complaints are of its own parts; those that people meet, in
 * other words. "ERROR on binding fd 5 to port 80 (-1 98)": 98 is an errno. */
static const char *plain_complaint(void)
{
    const char *number = strstr(complaint, "(-1 ");
    int code = number ? atoi(number + 4) : 0;
    if (strstr(complaint, "DOESN'T EXIST") || code == EADDRNOTAVAIL)
        return "this machine has no such address";
    if (code == EADDRINUSE)
        return "the port is taken";
    return code ? strerror(code) : complaint;
}

static moshi_status web_begin(web *w, struct lws_context_creation_info *info,
                              const char *what, moshi_error *err)
{
    info->user = w;
    info->protocols = w->protocols;
    info->retry_and_idle_policy = &no_pings;
    info->gid = info->uid = -1;
    info->options |= LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    w->context = lws_create_context(info);
    if (w->context)
        w->host = lws_create_vhost(w->context, info);
    if (!w->host)
        return error_set(err, MOSHI_IO, "cannot %s%s%s", what,
                         complaint[0] ? ": " : "", plain_complaint());
    lws_sul_schedule(w->context, 0, &w->ticker, on_tick,
                     w->params.tick_ms * (lws_usec_t)1000);
    return MOSHI_OK;
}

/* The library's own words for it would not name the file. */
static moshi_status check_file(const char *path, moshi_error *err)
{
    return !path || access(path, R_OK) == 0
               ? MOSHI_OK
               : error_set(err, MOSHI_IO, "cannot read '%s': %s", path,
                           strerror(errno));
}

moshi_status web_listen(web **out, const web_params *params, moshi_error *err)
{
    char what[300];
    if (check_file(params->certificate, err) != MOSHI_OK ||
        check_file(params->key, err) != MOSHI_OK)
        return MOSHI_IO;
    struct lws_context_creation_info info = {0};
    web *w = web_new(params);
    if (!w)
        return error_no_memory(err, "the server");
    bool all = strcmp(params->host, "0.0.0.0") == 0 ||
               strcmp(params->host, "::") == 0;
    info.port = params->port;
    info.iface = all ? NULL : params->host;
    info.options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
    if (!strchr(params->host, ':'))
        info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
    if (params->certificate) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_cert_filepath = params->certificate;
        info.ssl_private_key_filepath = params->key;
    }
    info.alpn = "http/1.1";
    info.timeout_secs = REQUEST_SECONDS;
    info.timeout_secs_ah_idle = REQUEST_SECONDS;
    info.keepalive_timeout = REQUEST_SECONDS;
    info.max_http_header_data = 8192;
    info.max_http_header_pool = 256;
    info.server_string = "moshi";
    snprintf(what, sizeof what, "listen on %s port %d", params->host,
             params->port);
    moshi_status status = web_begin(w, &info, what, err);
    if (status != MOSHI_OK) {
        error_hint(err, "the address must be one of this machine's, and the "
                   "port free");
        web_close(&w);
        return status;
    }
    *out = w;
    return MOSHI_OK;
}

int web_port(const web *w)
{
    return lws_get_vhost_listen_port(w->host);
}

moshi_status web_connect(web **out, const web_params *params,
                         const web_target *target, moshi_error *err)
{
    struct lws_context_creation_info info = {0};
    struct lws_client_connect_info to = {0};
    char host[300];
    if (check_file(target->authority, err) != MOSHI_OK)
        return MOSHI_IO;
    web *w = web_new(params);
    if (!w)
        return error_no_memory(err, "a connection");
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.connect_timeout_secs = CONNECT_SECONDS;
    info.timeout_secs = CONNECT_SECONDS;
    if (target->tls) {
        info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.client_ssl_ca_filepath = target->authority;
    }
    moshi_status status = web_begin(w, &info, "open a connection", err);
    web_peer *p = NULL;
    if (status == MOSHI_OK) {
        p = memory_calloc(1, sizeof *p);
        if (!p)
            status = error_no_memory(err, "a connection");
    }
    if (status != MOSHI_OK) {
        web_close(&w);
        return status;
    }
    p->web = w;
    to.context = w->context;
    to.vhost = w->host;
    snprintf(host, sizeof host, "%s:%d", target->host, target->port);
    to.address = target->host;
    to.host = host;
    to.port = target->port;
    to.path = target->path;
    to.alpn = "http/1.1";
    to.opaque_user_data = p;
    to.pwsi = &p->wsi;
    to.retry_and_idle_policy = &no_pings;
    to.local_protocol_name = "moshi";
    if (target->tls)
        to.ssl_connection = LCCSCF_USE_SSL;
    if (target->insecure)
        to.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED |
                             LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK |
                             LCCSCF_ALLOW_EXPIRED | LCCSCF_ALLOW_INSECURE;
    /* When this fails at once, the callback has told and freed. */
    if (!lws_client_connect_via_info(&to))
        client_failed(w, NULL, 0, 0);
    *out = w;
    return MOSHI_OK;
}

void web_close(web **handle)
{
    web *w = *handle;
    if (!w)
        return;
    if (w->context)
        lws_context_destroy(w->context);
    memory_free(w);
    *handle = NULL;
}

void web_run(web *w)
{
    while (!w->stop && lws_service(w->context, 0) >= 0)
        ;
}

void web_stop(web *w)
{
    w->stop = true;
    lws_cancel_service(w->context);
}

void web_wake(web *w)
{
    lws_cancel_service(w->context);
}

void web_peer_send(web_peer *p)
{
    lws_callback_on_writable(p->wsi);
}

void web_peer_pause(web_peer *p, bool pause)
{
    lws_rx_flow_control(p->wsi, !pause);
}

void web_peer_close(web_peer *p, int code, const char *reason)
{
    if (p->closing)
        return;
    p->closing = true;
    p->close_code = code;
    snprintf(p->reason, sizeof p->reason, "%s", reason);
    lws_set_timeout(p->wsi, PENDING_TIMEOUT_CLOSE_SEND, CLOSE_SECONDS);
    lws_callback_on_writable(p->wsi);
}

void web_peer_drop(web_peer *p)
{
    p->closing = true;
    lws_set_timeout(p->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}
