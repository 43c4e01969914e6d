/* chat_run.c: the loop of moshi chat: a frame heard, a frame spoken. */
#include <math.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/chat_work.h"

/* Keys and the status line are looked after at least so often. */
#define LOOK_SECONDS 0.02

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static double level_dbfs(const float *pcm, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)pcm[i] * pcm[i];
    return 10 * log10(sum / (double)n + 1e-12);
}

static bool note_times(chat_work *w, const frame_times *t, double all)
{
    const double seconds[TIMING_COUNT] = {
        [TIMING_ENCODE] = t->encode,
        [TIMING_TEMPORAL] = t->temporal,
        [TIMING_DEPFORMER] = t->depformer,
        [TIMING_LM] = t->temporal + t->depformer,
        [TIMING_DECODE] = t->decode,
        [TIMING_FRAME] = all,
    };
    w->recent.seconds[w->recent.count++ % CHAT_RECENT] = all;
    return timing_add(&w->times, seconds);
}

/* A frame is late when its answer is not there by the time that the next
 * frame has been heard in full. */
static bool is_late(chat_work *w, double due, double now)
{
    double frame = ends_seconds(&w->ends, w->frame_samples) /
                   (w->ends.recorded ? w->ends.speed : 1);
    double lateness = now - due - frame;
    if (w->frames == 0 || lateness > w->lateness_max)
        w->lateness_max = lateness;
    return lateness > 0;
}

static moshi_status answer(chat_work *w, double due, moshi_error *err)
{
    char text[WORDS_BYTES_MAX];
    frame_result r = {.pcm = w->spoken};
    if (w->muted)
        memset(w->heard, 0, w->frame_samples * sizeof *w->heard);
    double start = clock_seconds();
    speech_to_speech_frame(w->task, w->heard, &r);
    double now = clock_seconds();
    moshi_status status = backend_failure(w->model->backend, err);
    if (status != MOSHI_OK)
        return status;
    bool late = is_late(w, due, now);
    w->frames++;
    w->late += late;
    if (!note_times(w, &r.times, now - start))
        return error_no_memory(err, "the times of the frames");
    w->level_in = level_dbfs(w->heard, w->frame_samples);
    if (r.spoken) {
        w->level_out = level_dbfs(w->spoken, w->frame_samples);
        status = ends_give(&w->ends, w->spoken, w->frame_samples, err);
    }
    if (!timing_series_add(&w->added, clock_seconds() - due - (now - start)))
        return error_no_memory(err, "the times of the frames");
    if (words_hear(&w->words, w->model, r.tokens[0], text) > 0)
        chat_screen_say(w, text);
    if (status == MOSHI_OK)
        status = chat_record_frame(w, &r, late, text, err);
    return status;
}

static void rest(double seconds)
{
    struct timespec t = {.tv_nsec = (long)(seconds * 1e9)};
    nanosleep(&t, NULL);
}

moshi_status chat_run(chat_work *w, moshi_error *err)
{
    moshi_status status = MOSHI_OK;
    double due;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    words_init(&w->words);
    ends_start(&w->ends);
    w->started = clock_seconds();
    while (status == MOSHI_OK && !w->quit && !interrupted) {
        chat_screen_look(w);
        if (ends_take(&w->ends, w->heard, &due)) {
            status = answer(w, due, err);
            continue;
        }
        if (ends_done(&w->ends))
            break;
        status = ends_check(&w->ends, err);
        double wait = ends_wait(&w->ends);
        rest(wait < LOOK_SECONDS ? wait : LOOK_SECONDS);
    }
    w->took = clock_seconds() - w->started;
    return status;
}
