/* session.c: what a client says to the engine, what the engine says to it. */
#include "serve/session.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "audio/opus_packets.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "serve/metadata.h"
#include "serve/protocol.h"

/* Official web clients hang up after ten seconds without a message. */
#define PING_SECONDS 5

/* At real time a browser sends 25 messages and some 5 KB a second. */
#define MESSAGES_PER_SECOND 200.0
#define BYTES_PER_SECOND (64.0 * 1024)
#define BURST_SECONDS 5.0

/* --- opening --- */

static uint64_t random_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        seed = (uint64_t)(clock_seconds() * 1e9);
    return seed;
}

static int32_t top_k_of(uint64_t wanted)
{
    /* 0: among all. */
    return wanted == 0 || wanted > INT32_MAX ? -1 : (int32_t)wanted;
}

/* The server's choice, with the client's wishes in its place. */
static moshi_status wished_sampling(const session_rules *r, const query *q,
                                    sampler *out, moshi_error *err)
{
    moshi_status status = dialogue_sampling(r->model, &r->stream, out,
                                            err);
    if (status != MOSHI_OK)
        return status;
    if (!r->seeded) {
        out->text.seed = random_seed();
        out->audio.seed = random_seed();
    }
    if (q->has_text_temperature)
        out->text.temperature = (float)q->text_temperature;
    if (q->has_audio_temperature)
        out->audio.temperature = (float)q->audio_temperature;
    if (q->has_text_topk)
        out->text.top_k = top_k_of(q->text_topk);
    if (q->has_audio_topk)
        out->audio.top_k = top_k_of(q->audio_topk);
    out->bend = (sampler_bend){
        .pad = r->model->lm->config.text_pad,
        .end_pad = r->model->lm->config.text_end_pad,
        .pad_mult = (float)q->pad_mult};
    /* As the official server has it: both, or nothing. */
    if (q->has_penalty && q->has_penalty_context) {
        uint64_t most = SAMPLER_SAID_MAX;
        out->bend.penalty = (float)q->penalty;
        out->bend.context = (int32_t)(q->penalty_context < most
                                          ? q->penalty_context : most);
    }
    if (q->has_text_seed)
        out->text.seed = q->text_seed;
    if (q->has_audio_seed)
        out->audio.seed = q->audio_seed;
    return MOSHI_OK;
}

static moshi_status sit_down(session *s, const query *q, moshi_error *err)
{
    const session_rules *r = s->rules;
    dialogue *who = NULL;
    sampler sampling;
    moshi_status status = wished_sampling(r, q, &sampling, err);
    if (status == MOSHI_OK)
        status = source_opus_open(&s->source, err);
    if (status == MOSHI_OK)
        status = sink_opus_open(&s->sink, err);
    if (status == MOSHI_OK)
        status = dialogue_open(&who, r->model, &r->stream, &sampling,
                               err);
    if (status == MOSHI_OK) {
        status = engine_sit(r->engine, &who, &s->seat);
        dialogue_close(&who);
    }
    if (status == MOSHI_OK)
        metadata_write(&s->metadata, r->model, &sampling, q,
                       r->instance_name);
    return status;
}

session *session_open(const session_rules *rules, web_peer *peer,
                      const query *q, unsigned number, moshi_error *err)
{
    session *s = memory_calloc(1, sizeof *s);
    if (!s)
        return NULL;
    double now = clock_seconds();
    s->rules = rules;
    s->peer = peer;
    s->number = number;
    s->opened_at = s->heard_at = s->asked_at = s->sent_at = now;
    s->bucket = (session_bucket){.messages = MESSAGES_PER_SECOND *
                                             BURST_SECONDS,
                                 .bytes = BYTES_PER_SECOND * BURST_SECONDS,
                                 .filled_at = now};
    s->steps_max = q->has_max_steps ? q->max_steps : UINT64_MAX;
    moshi_status status = sit_down(s, q, err);
    if (status == MOSHI_OK) {
        s->handshake = true;
        metrics_count(rules->metrics, METRICS_CONVERSATIONS, 1);
        web_peer_send(peer);
    } else if (status == MOSHI_FULL) {
        error_set(err, status, "the server is full");
        session_end(s, METRICS_REFUSED_FULL, WEB_CLOSE_TRY_LATER,
                    "the server is full; please try again later");
    } else if (status == MOSHI_NO_MEMORY) {
        /* Others may leave, and then there is some. */
        session_end(s, METRICS_REFUSED_MEMORY, WEB_CLOSE_TRY_LATER,
                    "the server has no memory for another conversation; "
                    "please try again later");
    } else {
        session_end(s, METRICS_REFUSED_FAULT, WEB_CLOSE_FAULT, err->message);
    }
    return s;
}

static void leave(session *s)
{
    engine_leave(s->rules->engine, &s->seat);
}

void session_close(session **handle)
{
    session *s = *handle;
    if (!s)
        return;
    if (!s->ended)
        metrics_count(s->rules->metrics, METRICS_ENDED_CLIENT, 1);
    leave(s);
    source_opus_close(&s->source);
    sink_opus_close(&s->sink);
    text_buffer_release(&s->metadata);
    memory_free(s);
    *handle = NULL;
}

void session_end(session *s, metrics_counter why, int code, const char *text)
{
    if (s->ended)
        return;
    s->ended = true;
    metrics_count(s->rules->metrics, why, 1);
    snprintf(s->error, sizeof s->error, "%s", text);
    leave(s);
    web_peer_close(s->peer, code, text);
}

/* --- from the client --- */

static void pause_peer(session *s, bool pause)
{
    if (s->paused == pause)
        return;
    s->paused = pause;
    if (pause)
        metrics_count(s->rules->metrics, METRICS_PAUSES, 1);
    web_peer_pause(s->peer, pause);
}

/* Decode into the engine's queue what has room there. What has not stays in
 * the Ogg reader, and the client is not read from until it has. */
static void hear(session *s, double now)
{
    float pcm[OPUS_PACKET_SAMPLES_MAX];
    moshi_status status = MOSHI_OK;
    while (status == MOSHI_OK) {
        size_t got, room = engine_room(s->rules->engine, s->seat);
        if (room < OPUS_PACKET_SAMPLES_MAX)
            break;
        status = source_opus_pull(s->source, pcm, OPUS_PACKET_SAMPLES_MAX,
                                  &got);
        if (status == MOSHI_OK)
            engine_hear(s->rules->engine, s->seat, pcm, got, now);
    }
    uint64_t damaged = source_opus_damaged(s->source);
    metrics_count(s->rules->metrics, METRICS_DAMAGED, damaged - s->damaged);
    s->damaged = damaged;
    pause_peer(s, status == MOSHI_OK);
}

/* False when a client sends more than any honest one could. */
static bool within_rate(session *s, size_t bytes, double now)
{
    session_bucket *b = &s->bucket;
    double speed = s->rules->speed_max;
    if (speed <= 0)
        return true;
    speed = speed > 1 ? speed : 1;
    double messages = MESSAGES_PER_SECOND * speed;
    double flow = BYTES_PER_SECOND * speed, passed = now - b->filled_at;
    b->filled_at = now;
    b->messages += messages * passed;
    b->bytes += flow * passed;
    if (b->messages > messages * BURST_SECONDS)
        b->messages = messages * BURST_SECONDS;
    if (b->bytes > flow * BURST_SECONDS)
        b->bytes = flow * BURST_SECONDS;
    b->messages -= 1;
    b->bytes -= (double)bytes;
    return b->messages >= 0 && b->bytes >= 0;
}

void session_message(session *s, const unsigned char *bytes, size_t n,
                     bool binary)
{
    metrics *m = s->rules->metrics;
    double now = clock_seconds();
    metrics_count(m, METRICS_MESSAGES_IN, 1);
    metrics_count(m, METRICS_BYTES_IN, n);
    if (s->ended)
        return;
    if (!within_rate(s, n, now)) {
        session_end(s, METRICS_ENDED_RATE, WEB_CLOSE_POLICY,
                    "too many messages");
        return;
    }
    protocol_message message = protocol_read(bytes, binary ? n : 0);
    if (message.type != PROTOCOL_AUDIO) {
        metrics_count(m, METRICS_MESSAGES_IGNORED, 1);
        return;
    }
    if (message.bytes > 0)
        s->heard_at = now;
    if (source_opus_push(s->source, message.payload, message.bytes) !=
        MOSHI_OK) {
        session_end(s, METRICS_ENDED_FAULT, WEB_CLOSE_FAULT,
                    "the server is out of memory");
        return;
    }
    hear(s, now);
}

void session_oversized(session *s)
{
    session_end(s, METRICS_ENDED_MESSAGE_SIZE, WEB_CLOSE_TOO_BIG,
                "the message is too long");
}

/* --- to the client --- */

static size_t next_error(session *s, unsigned char *out)
{
    size_t n = protocol_write(out, PROTOCOL_ERROR, s->error,
                              strlen(s->error));
    s->error[0] = 0;
    return n;
}

static size_t next_greeting(session *s, unsigned char *out, size_t cap)
{
    size_t n = s->metadata.bytes;
    if (n > 0 && n < cap && !s->metadata.failed) {
        n = protocol_write(out, PROTOCOL_METADATA, s->metadata.text, n);
        text_buffer_release(&s->metadata);
        return n;
    }
    s->handshake = false;
    protocol_write_handshake(out);
    return PROTOCOL_HANDSHAKE_BYTES;
}

/* An answer's sound, then its text, each as a message of its own. */
static size_t next_answer(session *s, unsigned char *out, size_t cap)
{
    engine *e = s->rules->engine;
    unsigned char pages[SINK_OPUS_FRAME_BYTES_MAX];
    engine_answer a;
    size_t n = 0;
    while (n == 0 && engine_answer_next(e, s->seat, &a)) {
        if (a.has_spoken && !s->spoken_sent) {
            size_t bytes;
            s->spoken_sent = true;
            if (sink_opus_frame(s->sink, a.spoken,
                                2 * SINK_OPUS_PACKET_SAMPLES, pages,
                                &bytes) != MOSHI_OK)
                continue;
            s->timing = true;
            s->timing_due = a.due;
            s->timing_model = a.model_seconds;
            n = protocol_write(out, PROTOCOL_AUDIO, pages, bytes);
            if (a.text_bytes > 0)
                break;
        } else if (a.text_bytes > 0 && a.text_bytes < cap) {
            n = protocol_write(out, PROTOCOL_TEXT, a.text, a.text_bytes);
        }
        engine_answer_taken(e, s->seat);
        s->spoken_sent = false;
        s->steps++;
    }
    return n;
}

size_t session_next(session *s, unsigned char *out, size_t cap)
{
    size_t n = 0;
    double now = clock_seconds();
    assert(cap >= WEB_MESSAGE_OUT_MAX);
    s->asked_at = now;
    s->timing = false;
    if (s->error[0])
        n = next_error(s, out);
    else if (s->handshake)
        n = next_greeting(s, out, cap);
    else if (s->seat)
        n = next_answer(s, out, cap);
    if (n == 0 && s->seat && now - s->sent_at >= PING_SECONDS)
        n = protocol_write(out, PROTOCOL_PING, NULL, 0);
    if (n == 0)
        return 0;
    s->sent_at = now;
    metrics_count(s->rules->metrics, METRICS_MESSAGES_OUT, 1);
    metrics_count(s->rules->metrics, METRICS_BYTES_OUT, n);
    return n;
}

void session_sent(session *s)
{
    if (s->timing)
        metrics_observe(s->rules->metrics, METRICS_DELAY,
                        clock_seconds() - s->timing_due - s->timing_model);
    s->timing = false;
}

/* --- the clock --- */

static bool has_answers(session *s)
{
    engine_answer a;
    return s->seat && engine_answer_next(s->rules->engine, s->seat, &a);
}

void session_woken(session *s)
{
    if (!s->seat)
        return;
    if (s->paused)
        hear(s, clock_seconds());
    if (has_answers(s))
        web_peer_send(s->peer);
}

void session_tick(session *s, double now)
{
    const session_rules *r = s->rules;
    if (s->ended)
        return;
    if (s->paused)
        hear(s, now);
    if (!has_answers(s)) {
        if (now - s->sent_at >= PING_SECONDS)
            web_peer_send(s->peer);
        s->asked_at = now; /* nothing waits for it */
    } else if (now - s->asked_at > r->stall_seconds) {
        /* It would not take a word of farewell either. */
        s->ended = true;
        metrics_count(r->metrics, METRICS_ENDED_STALLED, 1);
        leave(s);
        web_peer_drop(s->peer);
        return;
    }
    if (!s->paused && now - s->heard_at > r->idle_seconds)
        session_end(s, METRICS_ENDED_IDLE, WEB_CLOSE_POLICY,
                    "nothing was heard for too long");
    else if (now - s->opened_at > r->session_seconds ||
             s->steps >= s->steps_max)
        session_end(s, METRICS_ENDED_LENGTH, WEB_CLOSE_NORMAL,
                    "the conversation has reached its greatest length");
}
