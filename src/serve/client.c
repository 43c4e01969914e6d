/* client.c: one connection, driven by the loop of websocket.h. */
#include "serve/client.h"

#include <stdio.h>
#include <string.h>

#include "audio/opus_packets.h"
#include "audio/sink_opus.h"
#include "audio/source_opus.h"
#include "base/error.h"
#include "base/memory.h"
#include "serve/protocol.h"
#include "serve/websocket.h"

#define TICK_MS 5
/* Some servers send the metadata and several pages at once. */
#define MESSAGE_BYTES_MAX ((size_t)1 << 20)

struct client {
    client_params params;
    web *web;            /* owned, as the next two */
    source_opus *source;
    sink_opus *sink;
    web_peer *peer;      /* NULL: not connected */
    client_end end;
};

static void *on_opened(void *user, web_peer *peer, const web_request *request)
{
    client *c = user;
    (void)request;
    c->peer = peer;
    c->end.connected = true;
    return c;
}

static void hear(client *c, const protocol_message *m)
{
    float pcm[OPUS_PACKET_SAMPLES_MAX];
    size_t got;
    if (source_opus_push(c->source, m->payload, m->bytes) != MOSHI_OK) {
        snprintf(c->end.reason, sizeof c->end.reason, "out of memory");
        web_peer_drop(c->peer);
        return;
    }
    while (source_opus_pull(c->source, pcm, OPUS_PACKET_SAMPLES_MAX, &got) ==
           MOSHI_OK)
        c->params.handlers.heard(c->params.user, pcm, got);
}

static void on_message(void *session, const unsigned char *bytes, size_t n,
                       bool binary)
{
    client *c = session;
    const client_handlers *h = &c->params.handlers;
    protocol_message m = protocol_read(bytes, binary ? n : 0);
    const char *text = (const char *)m.payload;
    switch (m.type) {
    case PROTOCOL_HANDSHAKE:
        if (!c->end.begun) {
            c->end.begun = true;
            h->begun(c->params.user);
            web_peer_send(c->peer);
        }
        break;
    case PROTOCOL_AUDIO:
        hear(c, &m);
        break;
    case PROTOCOL_TEXT:
    case PROTOCOL_COLORED_TEXT:
        h->text(c->params.user, text, m.bytes);
        break;
    case PROTOCOL_METADATA:
        h->metadata(c->params.user, text, m.bytes);
        break;
    case PROTOCOL_ERROR:
        snprintf(c->end.reason, sizeof c->end.reason, "%.*s",
                 (int)(m.bytes < 250 ? m.bytes : 250), text);
        break;
    default:
        break;
    }
}

static void on_oversized(void *session)
{
    client *c = session;
    snprintf(c->end.reason, sizeof c->end.reason,
             "the server sent a message that is too long");
    web_peer_drop(c->peer);
}

static size_t on_next(void *session, unsigned char *out, size_t cap)
{
    client *c = session;
    float frame[CLIENT_FRAME_SAMPLES];
    unsigned char pages[SINK_OPUS_FRAME_BYTES_MAX];
    size_t bytes;
    if (!c->end.begun || c->end.finished ||
        !c->params.handlers.speak(c->params.user, frame))
        return 0;
    if (sink_opus_frame(c->sink, frame, CLIENT_FRAME_SAMPLES, pages, &bytes) !=
            MOSHI_OK || bytes >= cap) {
        snprintf(c->end.reason, sizeof c->end.reason, "encoding failed");
        web_peer_drop(c->peer);
        return 0;
    }
    return protocol_write(out, PROTOCOL_AUDIO, pages, bytes);
}

static void on_sent(void *session)
{
    (void)session;
}

static void on_closed(void *session)
{
    client *c = session;
    c->peer = NULL;
    web_stop(c->web);
}

static void on_failed(void *user, const char *reason, int status)
{
    client *c = user;
    c->end.refused = status;
    snprintf(c->end.reason, sizeof c->end.reason, "%s", reason);
    if (c->web)
        web_stop(c->web);
}

static void on_tick(void *user)
{
    client *c = user;
    if (c->peer && c->end.begun && !c->end.finished)
        web_peer_send(c->peer);
    c->params.handlers.tick(c->params.user);
}

moshi_status client_open(client **out, const client_params *params,
                         moshi_error *err)
{
    client *c = memory_calloc(1, sizeof *c);
    if (!c)
        return error_no_memory(err, "a connection");
    c->params = *params;
    web_params params_web = {.handlers = {.opened = on_opened,
                                   .message = on_message,
                                   .oversized = on_oversized,
                                   .next = on_next,
                                   .sent = on_sent,
                                   .closed = on_closed,
                                   .failed = on_failed,
                                   .tick = on_tick},
                      .user = c,
                      .tick_ms = TICK_MS,
                      .message_bytes_max = MESSAGE_BYTES_MAX};
    web_target target = {.tls = params->url.tls,
                         .insecure = params->insecure,
                         .authority = params->authority,
                         .host = c->params.url.host,
                         .port = params->url.port,
                         .path = c->params.url.path};
    moshi_status status = source_opus_open(&c->source, err);
    if (status == MOSHI_OK)
        status = sink_opus_open(&c->sink, err);
    if (status == MOSHI_OK)
        status = web_connect(&c->web, &params_web, &target, err);
    if (status != MOSHI_OK) {
        client_close(&c);
        return status;
    }
    *out = c;
    return MOSHI_OK;
}

void client_close(client **handle)
{
    client *c = *handle;
    if (!c)
        return;
    web_close(&c->web);
    source_opus_close(&c->source);
    sink_opus_close(&c->sink);
    memory_free(c);
    *handle = NULL;
}

client_end client_run(client *c)
{
    /* A failure that came before the loop has its reason already. */
    if (!c->end.reason[0])
        web_run(c->web);
    c->end.damaged = source_opus_damaged(c->source);
    return c->end;
}

void client_finish(client *c)
{
    if (c->end.finished || !c->peer)
        return;
    c->end.finished = true;
    web_peer_close(c->peer, WEB_CLOSE_NORMAL, "");
}
