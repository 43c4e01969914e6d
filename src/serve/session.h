/* session.h: one connection to /api/chat, from its opening to its end.
 *
 *   message -> protocol_read -> source_opus -> engine_hear
 *   engine_answer -> sink_opus -> protocol_write -> message
 *
 * Thread-safety: the network's thread. */
#ifndef MOSHI_SERVE_SESSION_H
#define MOSHI_SERVE_SESSION_H

#include "audio/sink_opus.h"
#include "audio/source_opus.h"
#include "serve/engine.h"
#include "serve/metrics.h"
#include "serve/query.h"
#include "serve/text_buffer.h"
#include "serve/websocket.h"

/* What all sessions of a server share. */
typedef struct session_rules {
    moshi_model *model;         /* borrowed, as the next two */
    engine *engine;
    metrics *metrics;
    moshi_stream_params stream; /* where a client has no wish */
    bool seeded;
    double speed_max, session_seconds, idle_seconds, stall_seconds;
    const char *instance_name;
} session_rules;

/* Messages and bytes that may come in: a bucket that fills with time. */
typedef struct session_bucket {
    double messages, bytes;
    double filled_at;
} session_bucket;

typedef struct session {
    struct session *before, *after; /* the server's list */
    const session_rules *rules;
    web_peer *peer;         /* borrowed */
    unsigned number;        /* for the log */
    engine_seat *seat;      /* NULL: refused, or ended */
    source_opus *source;    /* owned, as the next */
    sink_opus *sink;
    text_buffer metadata;   /* to be sent, then empty */
    bool handshake;         /* to be sent */
    char error[256];        /* to be sent; "" for none */
    bool spoken_sent;       /* of the oldest answer, its sound was sent */
    bool timing;            /* the message on its way is that sound */
    double timing_due, timing_model; /* of that frame */
    bool paused;            /* not read from: its queue is full */
    bool ended;             /* is closing */
    uint64_t damaged;       /* counted so far */
    uint64_t steps, steps_max;
    session_bucket bucket;
    double opened_at, heard_at, asked_at, sent_at; /* clock_seconds */
} session;

/* Opens a conversation with what q asks for. It always succeeds in making a
 * session (NULL only without memory): one that is refused says so to its
 * peer, and closes; err then says more. */
session *session_open(const session_rules *rules, web_peer *peer,
                      const query *q, unsigned number, moshi_error *err);
void session_close(session **s);

void session_message(session *s, const unsigned char *bytes, size_t n,
                     bool binary);
void session_oversized(session *s);
size_t session_next(session *s, unsigned char *out, size_t cap);
void session_sent(session *s);

/* The engine has something new. */
void session_woken(session *s);
/* Look at the clock: pings, limits. */
void session_tick(session *s, double now);

/* Say why (a message of type 5) and close. */
void session_end(session *s, metrics_counter why, int code, const char *text);

#endif
