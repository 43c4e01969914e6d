/* ends.c: a recording in real time or a microphone on one side, a file or a
 * loudspeaker on the other. */
#include "cli/ends.h"

#include <string.h>

#include "audio/source_file.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

/* How often a microphone is asked. */
#define POLL_SECONDS 0.004

static moshi_status load(ends *e, const options *o, moshi_error *err)
{
    float *recorded = NULL;
    size_t n = 0, room;
    moshi_status status = source_file_load(options_text(o, "in"), e->rate_hz,
                                           &recorded, &n, err);
    if (status != MOSHI_OK)
        return status;
    size_t before = (size_t)(options_real(o, "lead-in") * e->rate_hz);
    size_t after = (size_t)(options_real(o, "tail") * e->rate_hz);
    e->frames = (before + n + after + e->frame_samples - 1) /
                e->frame_samples;
    if (size_mul(e->frames, e->frame_samples, &room))
        e->recording = memory_calloc(room, sizeof *e->recording);
    if (e->recording)
        memcpy(e->recording + before, recorded, n * sizeof *recorded);
    else
        status = error_no_memory(err, "the recording");
    memory_free(recorded);
    return status;
}

static moshi_status open_live(ends *e, const options *o, moshi_error *err)
{
    live_sound_params p = {
        .card = {.input = options_text(o, "microphone"),
                 .output = options_text(o, "loudspeaker"),
                 .no_input = e->recorded,
                 .no_output = e->sink != NULL,
                 .rate_hz = e->rate_hz},
        .frame_samples = e->frame_samples,
        .echo_cancel = !options_flag(o, "no-echo-cancel"),
    };
    return live_sound_open(&e->live, &p, err);
}

moshi_status ends_open(ends *e, const options *o, int rate_hz,
                       size_t frame_samples, moshi_error *err)
{
    *e = (ends){.frame_samples = frame_samples,
                .rate_hz = rate_hz,
                .speed = options_real(o, "speed"),
                .recorded = options_given(o, "in"),
                .started = -1};
    moshi_status status = e->recorded ? load(e, o, err) : MOSHI_OK;
    if (status == MOSHI_OK && options_given(o, "out"))
        status = sink_file_open(&e->sink, options_text(o, "out"), rate_hz,
                                SINK_PCM16, err);
    if (status == MOSHI_OK && (!e->recorded || !e->sink))
        status = open_live(e, o, err);
    return status;
}

void ends_release(ends *e)
{
    live_sound_close(&e->live);
    sink_file_close(&e->sink);
    memory_free(e->recording);
    *e = (ends){0};
}

void ends_start(ends *e)
{
    e->started = clock_seconds();
}

static double recording_due(const ends *e)
{
    return e->started + ends_seconds(e, e->next * e->frame_samples) /
                            e->speed;
}

double ends_wait(const ends *e)
{
    double left = e->recorded && e->started >= 0
                      ? recording_due(e) - clock_seconds()
                      : POLL_SECONDS;
    return left > 0 ? left : 0;
}

moshi_status ends_check(const ends *e, moshi_error *err)
{
    return e->live ? live_sound_check(e->live, err) : MOSHI_OK;
}

bool ends_done(const ends *e)
{
    return e->recorded && e->next == e->frames;
}

bool ends_take(ends *e, float *frame, double *due)
{
    double late, now = clock_seconds();
    if (e->started < 0)
        return false;
    if (!e->recorded) {
        if (!live_sound_take(e->live, frame, &late))
            return false;
        *due = now - late;
        return true;
    }
    if (ends_done(e) || recording_due(e) > now)
        return false;
    *due = recording_due(e);
    memcpy(frame, e->recording + e->next * e->frame_samples,
           e->frame_samples * sizeof *frame);
    e->next++;
    return true;
}

moshi_status ends_give(ends *e, const float *pcm, size_t n, moshi_error *err)
{
    e->spoken_samples += n;
    return e->sink ? sink_file_write(e->sink, pcm, n, err)
                   : live_sound_give(e->live, pcm, n, err);
}

moshi_status ends_finish(ends *e, moshi_error *err)
{
    return e->sink ? sink_file_finish(e->sink, err) : MOSHI_OK;
}

double ends_seconds(const ends *e, size_t samples)
{
    return (double)samples / e->rate_hz;
}
