/* server.c: routes, who may enter, and the clock. */
#include "serve/server.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "serve/entry.h"
#include "serve/pages.h"
#include "serve/session.h"

#define TICK_MS 50
#define CHAT_PATH "/api/chat"
/* Connections beside the conversations: those that are told it is full. */
#define EXTRA_CONNECTIONS 32
/* Of the system, for each connection: some seconds of sound, so that a client
 * that takes none is noticed. */
#define SEND_BUFFER_BYTES 16384
#define LOG_BYTES 400
/* For the farewells, when it is to end at once. */
#define FAREWELL_SECONDS 0.5

struct server {
    server_params params;
    metrics metrics;
    session_rules rules;
    entry_rules entry;
    engine *engine; /* owned */
    web *web;       /* owned */
    session *first; /* list of all */
    int connections;
    unsigned number;
    bool stopping;
    bool failed;         /* for good; stopping, too */
    moshi_error failure; /* why */
    double stop_at; /* then running ones are sent away */
    double cut_at;  /* and then cut off, where somebody is in a hurry; else 0 */
};

static void say(server *s, const char *format, ...) ERROR_PRINTF(2, 3);

static void say(server *s, const char *format, ...)
{
    char line[LOG_BYTES];
    va_list args;
    if (!s->params.log)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    s->params.log(s->params.user, line);
}

static int conversations(const server *s)
{
    int n = 0;
    for (const session *at = s->first; at; at = at->after)
        n += at->seat != NULL;
    return n;
}

static void count_sessions(server *s)
{
    metrics_set(&s->metrics, METRICS_SESSIONS, conversations(s));
    metrics_set(&s->metrics, METRICS_CONNECTIONS, s->connections);
}

/* --- requests --- */

static void add_header(web_reply *r, const char *name, const char *text)
{
    r->headers[r->n_headers++] = (web_header){name, text};
}

static void plain(web_reply *r, int status, const char *text)
{
    r->status = status;
    r->type = "text/plain; charset=utf-8";
    r->body = text;
    r->bytes = strlen(text);
    add_header(r, "cache-control:", "no-store");
    add_header(r, "x-content-type-options:", "nosniff");
}

/* As plain, of a text that does not stay. */
static void plain_copy(web_reply *r, int status, const char *text)
{
    r->owned = memory_strdup(text);
    plain(r, status, r->owned ? r->owned : "");
    if (status == 401)
        add_header(r, "www-authenticate:", "Bearer");
}

static void say_failure(const server *s, web_reply *r)
{
    char line[sizeof s->failure.message + 1];
    snprintf(line, sizeof line, "%s\n", s->failure.message);
    plain_copy(r, 503, line);
}

/* The page needs nothing from outside and may not ask for it. */
static void send_page(web_reply *r, const page *p)
{
    r->status = 200;
    r->type = p->type;
    r->body = p->bytes;
    r->bytes = p->n_bytes;
    add_header(r, "content-security-policy:",
               "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
               "style-src 'self'; img-src 'self' data: blob:; "
               "media-src 'self' blob:; connect-src 'self'; "
               "worker-src 'self' blob:; manifest-src 'self'; "
               "base-uri 'none'; form-action 'none'; "
               "frame-ancestors 'none'");
    add_header(r, "permissions-policy:", "microphone=(self)");
    add_header(r, "cross-origin-opener-policy:", "same-origin");
    add_header(r, "cross-origin-resource-policy:", "same-origin");
    add_header(r, "referrer-policy:", "no-referrer");
    add_header(r, "x-content-type-options:", "nosniff");
    add_header(r, "cache-control:", "no-cache");
}

static void send_metrics(server *s, const web_request *q, web_reply *r)
{
    text_buffer text = {0};
    entry_verdict v = entry_judge_token(&s->entry, q);
    if (v.status) {
        plain_copy(r, v.status, v.text);
        return;
    }
    count_sessions(s);
    metrics_write(&s->metrics, &text);
    if (text.failed) {
        text_buffer_release(&text);
        plain(r, 500, "out of memory\n");
        return;
    }
    r->status = 200;
    r->type = "text/plain; version=0.0.4; charset=utf-8";
    r->body = r->owned = text.text;
    r->bytes = text.bytes;
    add_header(r, "cache-control:", "no-store");
}

/* Why there would be no WebSocket, or that there would be one. */
static void explain_chat(server *s, const web_request *q, web_reply *r)
{
    entry_verdict v = entry_judge(&s->entry, q);
    if (v.status)
        plain_copy(r, v.status, v.text);
    else if (s->stopping)
        plain(r, 503, "the server is stopping\n");
    else if (conversations(s) >= s->params.sessions)
        plain(r, 503, "the server is full\n");
    else
        plain(r, 426, "a WebSocket is needed here\n");
}

static void on_request(void *user, const web_request *q, web_reply *r)
{
    server *s = user;
    const page *p = pages_find(q->path);
    metrics_count(&s->metrics, METRICS_REQUESTS, 1);
    if (!q->get)
        plain(r, 405, "only GET and HEAD are known here\n");
    else if (s->failed && (strcmp(q->path, "/healthz") == 0 ||
                           strcmp(q->path, "/readyz") == 0))
        say_failure(s, r);
    else if (strcmp(q->path, "/healthz") == 0)
        plain(r, 200, "ok\n");
    else if (strcmp(q->path, "/readyz") == 0 && s->stopping)
        plain(r, 503, "stopping\n");
    else if (strcmp(q->path, "/readyz") == 0 &&
             conversations(s) >= s->params.sessions)
        plain(r, 503, "full\n");
    else if (strcmp(q->path, "/readyz") == 0)
        plain(r, 200, "ready\n");
    else if (strcmp(q->path, "/metrics") == 0)
        send_metrics(s, q, r);
    else if (strcmp(q->path, CHAT_PATH) == 0)
        explain_chat(s, q, r);
    else if (p)
        send_page(r, p);
    else
        plain(r, 404, "there is no such page\n");
}

static bool refuse(server *s, web_reply *r, metrics_counter why, int status,
                   const char *text)
{
    metrics_count(&s->metrics, why, 1);
    plain_copy(r, status, text);
    say(s, "refused (%d): %.*s", status, (int)strcspn(text, "\n"), text);
    return false;
}

static bool on_upgrade(void *user, const web_request *q, web_reply *r)
{
    server *s = user;
    if (strcmp(q->path, CHAT_PATH) != 0)
        return refuse(s, r, METRICS_REFUSED_REQUEST, 404,
                      "conversations are at " CHAT_PATH "\n");
    entry_verdict v = entry_judge(&s->entry, q);
    if (v.status)
        return refuse(s, r, v.why, v.status, v.text);
    if (s->stopping)
        return refuse(s, r, METRICS_REFUSED_STOPPING, 503,
                      "the server is stopping\n");
    if (s->connections >= s->params.sessions + EXTRA_CONNECTIONS)
        return refuse(s, r, METRICS_REFUSED_CONNECTIONS, 503,
                      "the server has too many connections\n");
    return true;
}

/* --- sessions --- */

static void *on_opened(void *user, web_peer *peer, const web_request *q)
{
    server *s = user;
    query wishes;
    if (query_parse(&wishes, q->query, NULL) != MOSHI_OK)
        return NULL; /* on_upgrade has refused it */
    moshi_error err = {0};
    session *new = session_open(&s->rules, peer, &wishes, ++s->number, &err);
    if (!new)
        return NULL;
    new->after = s->first;
    if (s->first)
        s->first->before = new;
    s->first = new;
    s->connections++;
    say(s, "%u: %s%s", new->number,
        new->seat ? "a conversation begins" : "refused: ", err.message);
    count_sessions(s);
    return new;
}

static server *server_of(session *at)
{
    /* rules is a member of the server. */
    return (server *)((char *)at->rules - offsetof(server, rules));
}

static void on_closed(void *which)
{
    session *at = which;
    server *s = server_of(at);
    if (at->before)
        at->before->after = at->after;
    else
        s->first = at->after;
    if (at->after)
        at->after->before = at->before;
    s->connections--;
    say(s, "%u: closed after %.1f s", at->number,
        clock_seconds() - at->opened_at);
    session_close(&at);
    count_sessions(s);
}

static void on_message(void *at, const unsigned char *bytes, size_t n,
                       bool binary)
{
    session_message(at, bytes, n, binary);
}

static void on_oversized(void *at)
{
    session_oversized(at);
}

static size_t on_next(void *at, unsigned char *out, size_t cap)
{
    return session_next(at, out, cap);
}

static void on_sent(void *at)
{
    session_sent(at);
}

/* Nothing that is going on can go on: whoever is there hears why. */
static void look_for_failure(server *s)
{
    char text[sizeof s->failure.message];
    if (s->failed || engine_failure(s->engine, &s->failure) == MOSHI_OK)
        return;
    double now = clock_seconds();
    s->failed = s->stopping = true;
    s->stop_at = now;
    s->cut_at = now + FAREWELL_SECONDS;
    snprintf(text, sizeof text, "the server must stop: %.*s",
             (int)sizeof text - 32, s->failure.message);
    for (session *at = s->first; at; at = at->after)
        session_end(at, METRICS_ENDED_FAULT, WEB_CLOSE_FAULT, text);
}

static void on_woken(void *user)
{
    server *s = user;
    if (!s->engine)
        return;
    look_for_failure(s);
    engine_sweep(s->engine);
    for (session *at = s->first; at; at = at->after)
        session_woken(at);
}

/* --- the clock --- */

static void begin_to_stop(server *s, double now)
{
    s->stopping = true;
    s->stop_at = now + s->params.grace_seconds;
    int left = conversations(s);
    if (left > 0)
        say(s, "stopping: %d conversation%s may go on for %.0f s", left,
            left == 1 ? "" : "s", s->params.grace_seconds);
    else
        say(s, "stopping");
}

static void send_all_away(server *s)
{
    for (session *at = s->first; at; at = at->after)
        session_end(at, METRICS_ENDED_STOPPING, WEB_CLOSE_GOING_AWAY,
                    "the server is stopping");
}

static void on_tick(void *user)
{
    server *s = user;
    double now = clock_seconds();
    int wish = s->params.stop ? *s->params.stop : 0;
    for (session *at = s->first; at; at = at->after)
        session_tick(at, now);
    look_for_failure(s);
    if (wish > 0 && !s->stopping)
        begin_to_stop(s, now);
    if (wish > 1 && s->cut_at <= 0) {
        s->stop_at = now;
        s->cut_at = now + FAREWELL_SECONDS;
    }
    if (s->stopping && now >= s->stop_at)
        send_all_away(s);
    if (s->stopping && (!s->first || (s->cut_at > 0 && now >= s->cut_at)))
        web_stop(s->web);
    count_sessions(s);
}

static void on_wake(void *user)
{
    web_wake(((server *)user)->web);
}

/* --- opening and closing --- */

static moshi_status listen_there(server *s, moshi_error *err)
{
    const server_params *p = &s->params;
    web_params params = {
        .handlers = {.request = on_request,
                     .upgrade = on_upgrade,
                     .opened = on_opened,
                     .message = on_message,
                     .oversized = on_oversized,
                     .next = on_next,
                     .sent = on_sent,
                     .closed = on_closed,
                     .woken = on_woken,
                     .tick = on_tick},
        .user = s,
        .tick_ms = TICK_MS,
        .message_bytes_max = p->message_bytes_max,
        .host = p->host,
        .port = p->port,
        .send_buffer_bytes = SEND_BUFFER_BYTES,
        .certificate = p->certificate,
        .key = p->key,
    };
    return web_listen(&s->web, &params, err);
}

moshi_status server_open(server **out, const server_params *params,
                         moshi_error *err)
{
    source_opus *needed = NULL;
    server *s = memory_calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "the server");
    s->params = *params;
    s->entry = (entry_rules){
        .origins = {.loopback = origin_is_loopback(params->host),
                    .allowed = params->origins,
                    .n_allowed = params->n_origins},
        .token = params->token};
    /* Say now, not to the first client, that the program lacks Opus. */
    moshi_status status = source_opus_open(&needed, err);
    source_opus_close(&needed);
    if (status == MOSHI_OK)
        status = listen_there(s, err);
    engine_params e = {.model = params->model,
                       .seats = params->sessions,
                       .guided = params->stream.guidance != 0 &&
                                 params->stream.guidance != 1.0f,
                       .speed_max = params->speed_max,
                       .metrics = &s->metrics,
                       .wake = on_wake,
                       .user = s};
    if (status == MOSHI_OK)
        status = engine_open(&s->engine, &e, err);
    if (status != MOSHI_OK) {
        server_close(&s);
        return status;
    }
    s->rules = (session_rules){.model = params->model,
                               .engine = s->engine,
                               .metrics = &s->metrics,
                               .stream = params->stream,
                               .seeded = params->seeded,
                               .speed_max = params->speed_max,
                               .session_seconds = params->session_seconds,
                               .idle_seconds = params->idle_seconds,
                               .stall_seconds = params->stall_seconds,
                               .instance_name = params->instance_name};
    *out = s;
    return MOSHI_OK;
}

int server_port(const server *s)
{
    return web_port(s->web);
}

const metrics *server_metrics(const server *s)
{
    return &s->metrics;
}

double server_frame_seconds(const server *s)
{
    return engine_frame_seconds(s->engine);
}

moshi_status server_run(server *s, moshi_error *err)
{
    web_run(s->web);
    if (s->failed && err)
        *err = s->failure;
    return s->failed ? s->failure.status : MOSHI_OK;
}

void server_close(server **handle)
{
    server *s = *handle;
    if (!s)
        return;
    if (s->engine)
        engine_stop(s->engine);
    /* Connections still open leave their seats here. */
    web_close(&s->web);
    engine_close(&s->engine);
    memory_free(s);
    *handle = NULL;
}
