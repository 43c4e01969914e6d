/* ends.c: a recording in real time on one side, a file on the other. */
#include "cli/ends.h"

#include <string.h>

#include "audio/source_file.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

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

moshi_status ends_open(ends *e, const options *o, int rate_hz,
                       size_t frame_samples, moshi_error *err)
{
    *e = (ends){.frame_samples = frame_samples,
                .rate_hz = rate_hz,
                .speed = options_real(o, "speed"),
                .started = -1};
    if (!options_given(o, "in") || !options_given(o, "out")) {
        error_set(err, MOSHI_LACKING, "this program was built without "
                  "PortAudio, which the microphone and the loudspeaker need");
        return error_hint(err, "give --in FILE and --out FILE");
    }
    moshi_status status = load(e, o, err);
    if (status == MOSHI_OK)
        status = sink_file_open(&e->sink, options_text(o, "out"), rate_hz,
                                SINK_PCM16, err);
    return status;
}

void ends_release(ends *e)
{
    sink_file_close(&e->sink);
    memory_free(e->recording);
    *e = (ends){0};
}

void ends_start(ends *e)
{
    e->started = clock_seconds();
}

double ends_wait(const ends *e)
{
    double due = e->started + ends_seconds(e, e->next * e->frame_samples) /
                                  e->speed;
    double left = due - clock_seconds();
    return left > 0 ? left : 0;
}

bool ends_done(const ends *e)
{
    return e->next == e->frames;
}

bool ends_take(ends *e, float *frame)
{
    if (e->started < 0 || ends_done(e) || ends_wait(e) > 0)
        return false;
    memcpy(frame, e->recording + e->next * e->frame_samples,
           e->frame_samples * sizeof *frame);
    e->next++;
    return true;
}

moshi_status ends_give(ends *e, const float *pcm, size_t n, moshi_error *err)
{
    e->spoken_samples += n;
    return sink_file_write(e->sink, pcm, n, err);
}

moshi_status ends_finish(ends *e, moshi_error *err)
{
    return sink_file_finish(e->sink, err);
}

double ends_seconds(const ends *e, size_t samples)
{
    return (double)samples / e->rate_hz;
}
