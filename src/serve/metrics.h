/* metrics.h: what the server counts, and how Prometheus reads it.
 *
 * Any thread may count; reading is not a snapshot of one moment. */
#ifndef MOSHI_SERVE_METRICS_H
#define MOSHI_SERVE_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "serve/text_buffer.h"

/* X(NAME, prometheus name, help) */
#define METRICS_COUNTERS(X)                                                 \
    X(CONVERSATIONS, "conversations_total", "Conversations that began.")    \
    X(REFUSED_FULL, "refused_total{reason=\"full\"}",                       \
      "Connections that got no conversation.")                              \
    X(REFUSED_STOPPING, "refused_total{reason=\"stopping\"}", "")           \
    X(REFUSED_TOKEN, "refused_total{reason=\"token\"}", "")                 \
    X(REFUSED_ORIGIN, "refused_total{reason=\"origin\"}", "")               \
    X(REFUSED_REQUEST, "refused_total{reason=\"request\"}", "")             \
    X(REFUSED_CONNECTIONS, "refused_total{reason=\"connections\"}", "")     \
    X(REFUSED_MEMORY, "refused_total{reason=\"memory\"}", "")               \
    X(REFUSED_FAULT, "refused_total{reason=\"fault\"}", "")                 \
    X(ENDED_CLIENT, "ended_total{reason=\"client\"}",                       \
      "Conversations that ended, and why.")                                 \
    X(ENDED_IDLE, "ended_total{reason=\"idle\"}", "")                       \
    X(ENDED_STALLED, "ended_total{reason=\"stalled\"}", "")                 \
    X(ENDED_LENGTH, "ended_total{reason=\"length\"}", "")                   \
    X(ENDED_MESSAGE_SIZE, "ended_total{reason=\"message_size\"}", "")       \
    X(ENDED_RATE, "ended_total{reason=\"rate\"}", "")                       \
    X(ENDED_STOPPING, "ended_total{reason=\"stopping\"}", "")               \
    X(ENDED_FAULT, "ended_total{reason=\"fault\"}", "")                     \
    X(FRAMES, "frames_total", "Frames of 80 ms heard, of all conversations.") \
    X(FRAMES_LATE, "frames_late_total",                                     \
      "Frames answered more than 80 ms after they were due.")               \
    X(BYTES_IN, "bytes_total{direction=\"in\"}",                            \
      "Payload of WebSocket messages.")                                     \
    X(BYTES_OUT, "bytes_total{direction=\"out\"}", "")                      \
    X(MESSAGES_IN, "messages_total{direction=\"in\"}",                      \
      "WebSocket messages.")                                                \
    X(MESSAGES_OUT, "messages_total{direction=\"out\"}", "")                \
    X(MESSAGES_IGNORED, "messages_ignored_total",                           \
      "Messages of a type that the server has no use for.")                 \
    X(DAMAGED, "damaged_total",                                             \
      "Ogg pages and Opus packets that were damaged, and skipped.")         \
    X(PAUSES, "pauses_total",                                               \
      "Times that a client was not read from because its queue was full.")  \
    X(REQUESTS, "http_requests_total", "HTTP requests, upgrades not counted.")

#define METRICS_GAUGES(X)                                                   \
    X(SESSIONS, "sessions", "Conversations in progress.")                   \
    X(SESSIONS_MAX, "sessions_max", "Conversations at once, at most.")      \
    X(CONNECTIONS, "connections", "WebSocket connections.")                 \
    X(QUEUE_IN, "queue_frames{queue=\"in\"}",                               \
      "Frames that wait to be heard, and to be sent.")                      \
    X(QUEUE_OUT, "queue_frames{queue=\"out\"}", "")

#define METRICS_HISTOGRAMS(X)                                               \
    X(FRAME, "frame_seconds",                                               \
      "Time of the model for one frame of all who had one ready.")          \
    X(DELAY, "added_delay_seconds",                                         \
      "From a frame's last byte received to its answer sent, without the "  \
      "model's own time.")

typedef enum metrics_counter {
#define METRICS_ENUM(name, text, help) METRICS_##name,
    METRICS_COUNTERS(METRICS_ENUM)
    METRICS_N_COUNTERS
} metrics_counter;

typedef enum metrics_gauge {
    METRICS_GAUGES(METRICS_ENUM)
    METRICS_N_GAUGES
} metrics_gauge;

typedef enum metrics_histogram {
    METRICS_HISTOGRAMS(METRICS_ENUM)
#undef METRICS_ENUM
    METRICS_N_HISTOGRAMS
} metrics_histogram;

#define METRICS_BUCKETS 16 /* the last is for everything */

typedef struct metrics {
    atomic_uint_fast64_t counters[METRICS_N_COUNTERS];
    atomic_int_fast64_t gauges[METRICS_N_GAUGES];
    struct {
        atomic_uint_fast64_t buckets[METRICS_BUCKETS];
        atomic_uint_fast64_t sum_ns;
    } histograms[METRICS_N_HISTOGRAMS];
} metrics;

void metrics_count(metrics *m, metrics_counter counter, uint64_t n);
void metrics_set(metrics *m, metrics_gauge gauge, int64_t value);
void metrics_observe(metrics *m, metrics_histogram histogram, double seconds);

/* The upper end of the bucket in which the quantile q (0 … 1) lies, seconds;
 * 0 without observations, infinite beyond the last end. */
double metrics_quantile(const metrics *m, metrics_histogram histogram,
                        double q);
uint64_t metrics_counted(const metrics *m, metrics_counter counter);

/* The text that Prometheus reads. */
void metrics_write(const metrics *m, text_buffer *out);

#endif
