/* engine.c: seats, queues, and the thread between them.
 *
 * One mutex guards all seats; it is never held while the model runs. A seat
 * that is left while its frame is being computed is free when that is done and
 * the network's thread has swept. */
#include "serve/engine.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#define HEARD_FRAMES 50  /* four seconds wait to be heard */
#define ANSWER_FRAMES 25 /* two seconds wait to be sent */
#define WARM_UP_FRAMES 4
#define FRAME_SECONDS(e) ((double)(e)->frame_samples / (e)->rate_hz)

typedef struct answer {
    bool has_spoken;
    size_t text_bytes;
    char text[WORDS_BYTES_MAX];
    double heard_at, due, model_seconds;
} answer;

struct engine_seat {
    dialogue *who; /* owned; NULL: the seat is free */
    bool running;      /* in the engine's hands */
    bool left;         /* nobody is there to hear the answer */
    float *heard;      /* owned ring of HEARD_FRAMES frames */
    size_t heard_first, heard_count; /* samples */
    double heard_at[HEARD_FRAMES];   /* by frame of the ring, when filled */
    float *spoken;     /* owned ring of ANSWER_FRAMES frames */
    answer answers[ANSWER_FRAMES];
    size_t answers_first, answers_count;
    uint64_t frames;   /* run so far */
    double started;    /* when the first frame was whole */
    double next_at;    /* not run before, for speed_max */
};

struct engine {
    engine_params params;
    dialogue_runner *runner; /* owned */
    engine_seat *seats;          /* owned; n_seats of them */
    int n_seats; /* twice as many as may be taken: one that was left stays
                    for the rest of its frame, and nobody has to wait for it */
    size_t frame_samples;
    double rate_hz;
    double frame_seconds; /* of the quickest frame of the warm-up */
    pthread_t thread;
    bool started, stop;
    pthread_mutex_t lock;
    pthread_cond_t work;
    /* The engine's thread alone: */
    float *pcm; /* [seats][frame_samples]: heard */
};

moshi_status engine_failure(const engine *e, moshi_error *err)
{
    return backend_failure(e->params.model->backend, err);
}

/* --- the engine's thread --- */

static size_t frames_ready(const engine *e, const engine_seat *s)
{
    return s->heard_count / e->frame_samples;
}

/* Can a frame of this seat run now? *when: the earliest time that one can,
 * lowered. */
static bool ready(const engine *e, const engine_seat *s, double now,
                  double *when)
{
    if (!s->who || s->left || frames_ready(e, s) == 0 ||
        s->answers_count == ANSWER_FRAMES)
        return false;
    if (now >= s->next_at)
        return true;
    if (s->next_at < *when)
        *when = s->next_at;
    return false;
}

/* When a frame should have been heard: not before it came in, and not before
 * its time if the client sends ahead of time. */
static double due(const engine *e, engine_seat *s, double heard_at)
{
    double in_time = s->started + (double)s->frames * FRAME_SECONDS(e);
    return heard_at > in_time ? heard_at : in_time;
}

/* Take the oldest frame of a seat out of its queue. */
static void take_frame(engine *e, engine_seat *s, float *pcm, double now)
{
    size_t index = s->heard_first / e->frame_samples;
    answer *a = &s->answers[(s->answers_first + s->answers_count) %
                            ANSWER_FRAMES];
    memcpy(pcm, s->heard + s->heard_first, e->frame_samples * sizeof *pcm);
    a->heard_at = s->heard_at[index];
    s->heard_first = (index + 1) % HEARD_FRAMES * e->frame_samples;
    s->heard_count -= e->frame_samples;
    if (s->frames == 0)
        s->started = a->heard_at;
    s->running = true;
    if (e->params.speed_max > 0) {
        /* After a pause a client may catch up by a second, not by more. */
        double step = FRAME_SECONDS(e) / e->params.speed_max;
        double earliest = now - 1;
        s->next_at = (s->next_at > earliest ? s->next_at : earliest) + step;
    }
}

static void put_answer(engine *e, engine_seat *s, const dialogue_frame *f,
                       double took)
{
    answer *a = &s->answers[(s->answers_first + s->answers_count) %
                            ANSWER_FRAMES];
    double now = clock_seconds();
    a->has_spoken = f->has_spoken;
    a->text_bytes = f->text_bytes;
    memcpy(a->text, f->text, f->text_bytes);
    a->model_seconds = took;
    a->due = due(e, s, a->heard_at);
    s->answers_count++;
    metrics_count(e->params.metrics, METRICS_FRAMES, 1);
    if (now - a->due > FRAME_SECONDS(e))
        metrics_count(e->params.metrics, METRICS_FRAMES_LATE, 1);
    s->frames++;
}

static void count_queues(engine *e)
{
    int64_t in = 0, out = 0;
    for (int i = 0; i < e->n_seats; i++) {
        if (!e->seats[i].who)
            continue;
        in += (int64_t)frames_ready(e, &e->seats[i]);
        out += (int64_t)e->seats[i].answers_count;
    }
    metrics_set(e->params.metrics, METRICS_QUEUE_IN, in);
    metrics_set(e->params.metrics, METRICS_QUEUE_OUT, out);
}

static void wait_for_work(engine *e, double now, double when)
{
    if (when == INFINITY) {
        pthread_cond_wait(&e->work, &e->lock);
        return;
    }
    struct timespec until;
    double left = when - now;
    clock_gettime(CLOCK_MONOTONIC, &until);
    long ns = until.tv_nsec + (long)(left * 1e9) % 1000000000;
    until.tv_sec += (time_t)left + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_cond_timedwait(&e->work, &e->lock, &until);
}

/* Run one frame of all who are ready; called with the lock, which is let go
 * while the model runs. */
static void run_round(engine *e, engine_seat **batch, int n)
{
    dialogue *who[LIMIT_LANES];
    dialogue_frame frames[LIMIT_LANES], *at[LIMIT_LANES];
    double now = clock_seconds();
    for (int i = 0; i < n; i++) {
        engine_seat *s = batch[i];
        size_t slot = (s->answers_first + s->answers_count) % ANSWER_FRAMES;
        float *pcm = e->pcm + (size_t)i * e->frame_samples;
        take_frame(e, s, pcm, now);
        frames[i] = (dialogue_frame){
            .heard = pcm, .spoken = s->spoken + slot * e->frame_samples};
        who[i] = s->who;
        at[i] = &frames[i];
    }
    pthread_mutex_unlock(&e->lock);
    double start = clock_seconds();
    dialogue_run(e->runner, who, at, n);
    double took = clock_seconds() - start;
    bool lost = engine_failure(e, NULL) != MOSHI_OK;
    if (!lost)
        metrics_observe(e->params.metrics, METRICS_FRAME, took);
    pthread_mutex_lock(&e->lock);
    for (int i = 0; i < n; i++) {
        batch[i]->running = false;
        if (!batch[i]->left && !lost)
            put_answer(e, batch[i], &frames[i], took);
    }
    count_queues(e);
}

static void *engine_main(void *argument)
{
    engine *e = argument;
    engine_seat *batch[LIMIT_LANES];
    pthread_mutex_lock(&e->lock);
    while (!e->stop && engine_failure(e, NULL) == MOSHI_OK) {
        int n = 0;
        double now = clock_seconds(), when = INFINITY;
        for (int i = 0; i < e->n_seats; i++)
            if (ready(e, &e->seats[i], now, &when))
                batch[n++] = &e->seats[i];
        if (n == 0) {
            wait_for_work(e, now, when);
            continue;
        }
        run_round(e, batch, n);
        pthread_mutex_unlock(&e->lock);
        e->params.wake(e->params.user);
        pthread_mutex_lock(&e->lock);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

/* --- opening and closing --- */

static moshi_status start_thread(engine *e, moshi_error *err)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int code = pthread_create(&e->thread, NULL, engine_main, e);
    if (code != 0) {
        pthread_cond_destroy(&e->work);
        pthread_mutex_destroy(&e->lock);
        return error_set(err, MOSHI_LACKING, "cannot start a thread: %s",
                         strerror(code));
    }
    e->started = true;
    return MOSHI_OK;
}

/* The first frames touch memory for the first time; they shall not be those of
 * a conversation. */
static moshi_status warm_up(engine *e, moshi_error *err)
{
    dialogue *who = NULL;
    moshi_stream_params p = {.guidance = e->params.guided ? 2.0f : 0};
    dialogue_frame frame = {.heard = e->pcm, .spoken = e->seats[0].spoken};
    dialogue_frame *at = &frame;
    moshi_status status = dialogue_open(&who, e->params.model, &p, NULL, err);
    e->frame_seconds = INFINITY;
    for (int i = 0; i < WARM_UP_FRAMES && status == MOSHI_OK; i++) {
        double start = clock_seconds();
        dialogue_run(e->runner, &who, &at, 1);
        e->frame_seconds = fmin(e->frame_seconds, clock_seconds() - start);
    }
    dialogue_close(&who);
    return status == MOSHI_OK ? engine_failure(e, err) : status;
}

double engine_frame_seconds(const engine *e)
{
    return e->frame_seconds;
}

moshi_status engine_open(engine **out, const engine_params *params,
                         moshi_error *err)
{
    const mimi_config *c = &params->model->mimi->config;
    size_t n = 2 * (size_t)params->seats, frame = (size_t)c->frame_samples;
    engine *e = memory_calloc(1, sizeof *e);
    if (!e)
        return error_no_memory(err, "the server");
    e->params = *params;
    e->n_seats = (int)n;
    e->frame_samples = frame;
    e->rate_hz = c->sample_rate_hz;
    e->seats = memory_calloc(n, sizeof *e->seats);
    e->pcm = memory_calloc(n / 2 * frame, sizeof *e->pcm);
    bool whole = e->seats && e->pcm;
    for (size_t i = 0; whole && i < n; i++) {
        engine_seat *s = &e->seats[i];
        s->heard = memory_calloc(HEARD_FRAMES * frame, sizeof *s->heard);
        s->spoken = memory_calloc(ANSWER_FRAMES * frame, sizeof *s->spoken);
        whole = s->heard && s->spoken;
    }
    moshi_status status = whole ? MOSHI_OK
                                : error_no_memory(err, "the server");
    if (status == MOSHI_OK)
        status = dialogue_runner_open(&e->runner, params->model,
                                      params->guided, params->seats, err);
    if (status == MOSHI_OK)
        status = warm_up(e, err);
    if (status == MOSHI_OK)
        status = start_thread(e, err);
    if (status != MOSHI_OK) {
        engine_close(&e);
        return status;
    }
    metrics_set(params->metrics, METRICS_SESSIONS_MAX, params->seats);
    *out = e;
    return MOSHI_OK;
}

void engine_stop(engine *e)
{
    if (!e->started)
        return;
    pthread_mutex_lock(&e->lock);
    bool running = !e->stop;
    e->stop = true;
    pthread_cond_signal(&e->work);
    pthread_mutex_unlock(&e->lock);
    if (running)
        pthread_join(e->thread, NULL);
}

void engine_close(engine **handle)
{
    engine *e = *handle;
    if (!e)
        return;
    engine_stop(e);
    if (e->started) {
        pthread_cond_destroy(&e->work);
        pthread_mutex_destroy(&e->lock);
    }
    for (int i = 0; e->seats && i < e->n_seats; i++) {
        dialogue_close(&e->seats[i].who);
        memory_free(e->seats[i].heard);
        memory_free(e->seats[i].spoken);
    }
    dialogue_runner_close(&e->runner);
    memory_free(e->seats);
    memory_free(e->pcm);
    memory_free(e);
    *handle = NULL;
}

/* --- the network's thread --- */

moshi_status engine_sit(engine *e, dialogue **who, engine_seat **out)
{
    engine_seat *s = NULL;
    int taken = 0;
    pthread_mutex_lock(&e->lock);
    for (int i = 0; i < e->n_seats; i++) {
        taken += e->seats[i].who && !e->seats[i].left;
        if (!e->seats[i].who)
            s = &e->seats[i];
    }
    if (taken == e->params.seats)
        s = NULL;
    if (s) {
        s->who = *who;
        s->heard_first = s->heard_count = 0;
        s->answers_first = s->answers_count = 0;
        s->frames = 0;
        s->next_at = 0;
        *who = NULL;
        *out = s;
    }
    pthread_mutex_unlock(&e->lock);
    return s ? MOSHI_OK : MOSHI_FULL;
}

void engine_leave(engine *e, engine_seat **seat)
{
    engine_seat *s = *seat;
    if (!s)
        return;
    pthread_mutex_lock(&e->lock);
    s->left = true;
    pthread_mutex_unlock(&e->lock);
    *seat = NULL;
    engine_sweep(e);
}

/* A conversation of a large model holds gigabytes, which take a while to give
 * back: not in the engine's thread, and not with the lock. */
void engine_sweep(engine *e)
{
    dialogue *left[2 * LIMIT_LANES];
    int n = 0;
    pthread_mutex_lock(&e->lock);
    for (int i = 0; i < e->n_seats; i++) {
        engine_seat *s = &e->seats[i];
        if (!s->left || s->running)
            continue;
        left[n++] = s->who;
        s->who = NULL;
        s->left = false;
    }
    count_queues(e);
    pthread_mutex_unlock(&e->lock);
    for (int i = 0; i < n; i++)
        dialogue_close(&left[i]);
}

size_t engine_room(engine *e, engine_seat *s)
{
    pthread_mutex_lock(&e->lock);
    size_t room = HEARD_FRAMES * e->frame_samples - s->heard_count;
    pthread_mutex_unlock(&e->lock);
    return room;
}

void engine_hear(engine *e, engine_seat *s, const float *pcm, size_t n,
                 double now)
{
    size_t ring = HEARD_FRAMES * e->frame_samples;
    pthread_mutex_lock(&e->lock);
    assert(n <= ring - s->heard_count);
    size_t before = frames_ready(e, s);
    for (size_t done = 0; done < n;) {
        size_t at = (s->heard_first + s->heard_count) % ring;
        size_t frame = at / e->frame_samples;
        size_t part = (frame + 1) * e->frame_samples - at;
        if (part > n - done)
            part = n - done;
        memcpy(s->heard + at, pcm + done, part * sizeof *pcm);
        s->heard_at[frame] = now;
        s->heard_count += part;
        done += part;
    }
    if (frames_ready(e, s) > before)
        pthread_cond_signal(&e->work);
    pthread_mutex_unlock(&e->lock);
}

bool engine_answer_next(engine *e, engine_seat *s, engine_answer *out)
{
    pthread_mutex_lock(&e->lock);
    bool found = s->answers_count > 0;
    if (found) {
        const answer *a = &s->answers[s->answers_first];
        *out = (engine_answer){
            .has_spoken = a->has_spoken,
            .spoken = s->spoken + s->answers_first * e->frame_samples,
            .text = a->text,
            .text_bytes = a->text_bytes,
            .due = a->due,
            .model_seconds = a->model_seconds,
        };
    }
    pthread_mutex_unlock(&e->lock);
    return found;
}

void engine_answer_taken(engine *e, engine_seat *s)
{
    pthread_mutex_lock(&e->lock);
    s->answers_first = (s->answers_first + 1) % ANSWER_FRAMES;
    s->answers_count--;
    pthread_cond_signal(&e->work);
    pthread_mutex_unlock(&e->lock);
}

bool engine_idle(engine *e, engine_seat *s)
{
    pthread_mutex_lock(&e->lock);
    bool idle = frames_ready(e, s) == 0 && s->answers_count == 0 &&
                !s->running;
    pthread_mutex_unlock(&e->lock);
    return idle;
}
