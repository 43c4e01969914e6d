/* server.h: a server of conversations: what the command `serve` runs.
 *
 * Three parts: server.c (routes, who may enter, the clock), session.c (one
 * connection: its messages), engine.c (the model's thread). The network has
 * one thread, in which server_run stays.
 *
 * What slows a client slows nobody else: each has queues of fixed size, and
 * one whose queues are full is not read from (counted as a pause) until there
 * is room. Nothing is dropped; who does not take what is said to him for
 * stall_seconds is disconnected. */
#ifndef MOSHI_SERVE_SERVER_H
#define MOSHI_SERVE_SERVER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include <moshi/moshi.h>

#include "serve/metrics.h"

typedef struct server server;

typedef struct server_params {
    moshi_model *model;              /* borrowed */
    moshi_stream_params stream;      /* where a client has no wish */
    bool seeded;                     /* stream.seed for who names none;
                                        otherwise random ones */
    const char *host;                /* an address */
    int port;                        /* 0: the system chooses */
    int sessions;                    /* conversations at once */
    double speed_max;                /* times real time; 0: no limit */
    double session_seconds;          /* the longest dialogue */
    double idle_seconds;             /* without a sound from the client */
    double stall_seconds;            /* without taking what is sent */
    double grace_seconds;            /* for running ones, when stopping */
    size_t message_bytes_max;
    const char *token;               /* NULL: everybody may enter */
    const char *const *origins;      /* beside the server's own */
    size_t n_origins;
    const char *certificate, *key;   /* PEM files; NULL: no TLS */
    const char *instance_name;
    const volatile sig_atomic_t *stop; /* 1: end gracefully; 2: now */
    void (*log)(void *user, const char *line); /* NULL: nobody cares */
    void *user;
} server_params;

/* Errors: MOSHI_LACKING (built without what it needs), MOSHI_IO (cannot
 * listen), MOSHI_UNSUPPORTED (a model that cannot converse),
 * MOSHI_NO_MEMORY. */
moshi_status server_open(server **out, const server_params *params,
                         moshi_error *err);
int server_port(const server *s);
const metrics *server_metrics(const server *s);
/* What a frame of one conversation takes this machine; above 80 ms it cannot
 * keep up. */
double server_frame_seconds(const server *s);
/* Until *stop, or until no frame can be run any more, because the GPU was lost:
 * then all are told so and sent away, and the answer is why (MOSHI_LACKING,
 * MOSHI_NO_MEMORY). */
moshi_status server_run(server *s, moshi_error *err);
void server_close(server **s);

#endif
