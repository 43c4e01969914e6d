/* engine.h: the one thread that runs the model, for all conversations.
 *
 * Each conversation has a seat with two queues of fixed size: samples that
 * wait to be heard, and answers that wait to be sent. In each round the engine
 * runs one frame of every seat that has one ready and room for its answer; who
 * is not ready is not waited for. A seat whose queue of answers is full rests
 * until somebody takes them, and its samples back up to the caller: nothing is
 * dropped, and nobody else waits. A seat is heard at most `speed_max` times
 * as fast as real time, so that one client cannot use up the machine.
 *
 * Thread-safety: the functions belong to one thread (the network's); the
 * engine's own thread is inside. `wake` is called in the engine's thread. */
#ifndef MOSHI_SERVE_ENGINE_H
#define MOSHI_SERVE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include <moshi/error.h>

#include "serve/metrics.h"
#include "tasks/dialogue.h"

typedef struct engine engine;
typedef struct engine_seat engine_seat;

typedef struct engine_params {
    moshi_model *model; /* borrowed */
    int seats;          /* conversations at once: 1 … LIMIT_LANES */
    bool guided;        /* all conversations are, or none */
    double speed_max;   /* times real time; 0: no limit */
    metrics *metrics;   /* borrowed */
    void (*wake)(void *user); /* there are answers to take */
    void *user;
} engine_params;

moshi_status engine_open(engine **out, const engine_params *params,
                         moshi_error *err);
/* Seconds of one frame of one conversation, as measured when it opened. */
double engine_frame_seconds(const engine *e);
/* MOSHI_OK, or why no frame can be run any more: a GPU was lost. Then the
 * engine's thread has woken its owner for the last time. From any thread. */
moshi_status engine_failure(const engine *e, moshi_error *err);
/* End the engine's thread, after which nobody is woken; seats stay valid. */
void engine_stop(engine *e);
/* All seats must have been left. */
void engine_close(engine **e);

/* A seat for a conversation, which is taken over on success. MOSHI_FULL when
 * all are taken. */
moshi_status engine_sit(engine *e, dialogue **who, engine_seat **out);
/* Give the seat back; what waits in it is thrown away. */
void engine_leave(engine *e, engine_seat **seat);
/* Free what those have left behind whose frame was being computed when they
 * left. Call it after `wake`. */
void engine_sweep(engine *e);

/* Samples that can be heard now without overflow. */
size_t engine_room(engine *e, engine_seat *seat);
/* n ≤ engine_room finite samples, which came in at `now` (clock_seconds). */
void engine_hear(engine *e, engine_seat *seat, const float *pcm, size_t n,
                 double now);

typedef struct engine_answer {
    bool has_spoken;
    const float *spoken; /* frame_samples; borrowed until engine_taken */
    const char *text;    /* text_bytes of them; likewise */
    size_t text_bytes;
    double due;          /* when its frame's last sample came in, or should
                            have, if it came ahead of time (clock_seconds) */
    double model_seconds;
} engine_answer;

/* The oldest answer, or false. It stays until engine_taken. */
bool engine_answer_next(engine *e, engine_seat *seat, engine_answer *out);
void engine_answer_taken(engine *e, engine_seat *seat);

/* Nothing waits to be heard that makes a frame, and nothing to be sent. */
bool engine_idle(engine *e, engine_seat *seat);

#endif
