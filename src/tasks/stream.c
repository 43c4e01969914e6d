/* stream.c: the public moshi_stream: samples in any pieces, frames inside.
 *
 * Three queues of fixed size stand around speech_to_speech: a frame being
 * filled, spoken samples, and text. A frame is run only when there is room for
 * what it may bring. */
#include <moshi/stream.h>

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "tasks/speech_to_speech.h"
#include "text/characters.h"

#define QUEUED_FRAMES 50      /* four seconds of speech */
#define QUEUED_TEXT_BYTES 8192
#define PIECE_BYTES 512       /* the longest piece of a tokenizer */

struct moshi_stream {
    speech_to_speech *task; /* owned */
    moshi_model *model;     /* borrowed */
    size_t frame_samples;
    float *frame;           /* owned: being filled */
    size_t filled;
    float *speech;          /* owned ring of QUEUED_FRAMES frames */
    size_t speech_room, speech_first, speech_count; /* samples */
    char text[QUEUED_TEXT_BYTES];
    size_t text_count;      /* bytes waiting, from text[0] */
    int32_t last_text;      /* token before, -1 at the start */
    bool finished;
};

moshi_status moshi_stream_open(moshi_stream **out, moshi_model *model,
                               const moshi_stream_params *params,
                               moshi_error *err)
{
    moshi_error ignored;
    err = err ? err : &ignored;
    moshi_stream *s = memory_calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "a stream");
    s->model = model;
    s->last_text = -1;
    s->frame_samples = (size_t)model->mimi->config.frame_samples;
    s->speech_room = QUEUED_FRAMES * s->frame_samples;
    s->frame = memory_calloc(s->frame_samples, sizeof *s->frame);
    s->speech = memory_calloc(s->speech_room, sizeof *s->speech);
    moshi_status status = MOSHI_OK;
    if (!s->frame || !s->speech)
        status = error_no_memory(err, "a stream");
    if (status == MOSHI_OK)
        status = speech_to_speech_open(&s->task, model, params, err);
    if (status != MOSHI_OK) {
        moshi_stream_close(&s);
        return status;
    }
    *out = s;
    return MOSHI_OK;
}

void moshi_stream_close(moshi_stream **handle)
{
    if (!handle || !*handle)
        return;
    moshi_stream *s = *handle;
    speech_to_speech_close(&s->task);
    memory_free(s->frame);
    memory_free(s->speech);
    memory_free(s);
    *handle = NULL;
}

void moshi_stream_reset(moshi_stream *s)
{
    speech_to_speech_reset(s->task);
    s->filled = s->speech_first = s->speech_count = s->text_count = 0;
    s->last_text = -1;
    s->finished = false;
}

static bool room_for_a_frame(const moshi_stream *s)
{
    return s->speech_room - s->speech_count >= s->frame_samples &&
           QUEUED_TEXT_BYTES - s->text_count >= PIECE_BYTES;
}

static void queue_text(moshi_stream *s, int32_t token)
{
    if (!s->model->tokenizer || !speech_to_speech_is_text(s->model, token))
        return;
    size_t room = QUEUED_TEXT_BYTES - s->text_count;
    char piece[PIECE_BYTES];
    size_t n = tokenizer_piece(s->model->tokenizer, s->last_text, token, piece,
                               sizeof piece);
    if (n >= sizeof piece)
        n = sizeof piece - 1;
    if (n > room)
        n = room;
    memcpy(s->text + s->text_count, piece, n);
    s->text_count += n;
    s->last_text = token;
}

/* Where the next frame of speech is decoded to. Everything before it was
 * written in whole frames and the ring holds whole frames, so a frame never
 * straddles the end. */
static float *speech_end(moshi_stream *s)
{
    return s->speech + (s->speech_first + s->speech_count) % s->speech_room;
}

/* MOSHI_LACKING when the GPU was lost: what came out is worth nothing. */
static moshi_status run_frame(moshi_stream *s)
{
    frame_result result;
    result.pcm = speech_end(s);
    speech_to_speech_frame(s->task, s->frame, &result);
    s->filled = 0;
    moshi_status status = backend_failure(s->model->backend, NULL);
    if (status != MOSHI_OK)
        return status;
    if (result.spoken)
        s->speech_count += s->frame_samples;
    queue_text(s, result.tokens[0]);
    return MOSHI_OK;
}

moshi_status moshi_stream_push(moshi_stream *s, const float *pcm, size_t n,
                               size_t *used)
{
    moshi_status status = MOSHI_OK;
    *used = 0;
    if (s->finished)
        return MOSHI_FINISHED;
    for (size_t i = 0; i < n && status == MOSHI_OK; i++, (*used)++) {
        if (!isfinite(pcm[i]))
            return MOSHI_ARGUMENT;
        if (s->filled == s->frame_samples - 1 && !room_for_a_frame(s))
            return MOSHI_FULL;
        s->frame[s->filled++] = pcm[i];
        if (s->filled == s->frame_samples)
            status = run_frame(s);
    }
    return status;
}

moshi_status moshi_stream_finish(moshi_stream *s)
{
    moshi_status status = MOSHI_OK;
    if (s->finished)
        return MOSHI_OK;
    if (s->filled > 0) {
        if (!room_for_a_frame(s))
            return MOSHI_FULL;
        memset(s->frame + s->filled, 0,
               (s->frame_samples - s->filled) * sizeof *s->frame);
        status = run_frame(s);
    }
    s->finished = true;
    return status;
}

moshi_status moshi_stream_pull_pcm(moshi_stream *s, float *out, size_t cap,
                                   size_t *got)
{
    size_t n = cap < s->speech_count ? cap : s->speech_count;
    for (*got = 0; *got < n;) {
        size_t at = s->speech_first, piece = s->speech_room - at;
        if (piece > n - *got)
            piece = n - *got;
        memcpy(out + *got, s->speech + at, piece * sizeof *out);
        s->speech_first = (at + piece) % s->speech_room;
        *got += piece;
    }
    s->speech_count -= n;
    if (n > 0)
        return MOSHI_OK;
    return s->finished && s->speech_count == 0 ? MOSHI_FINISHED : MOSHI_AGAIN;
}

moshi_status moshi_stream_pull_text(moshi_stream *s, char *out, size_t cap,
                                    size_t *got)
{
    /* A character may come byte by byte; after the end nothing more does. */
    size_t ready = s->finished ? s->text_count
                               : characters_complete(s->text, s->text_count);
    *got = characters_prefix(s->text, ready, cap);
    memcpy(out, s->text, *got);
    s->text_count -= *got;
    memmove(s->text, s->text + *got, s->text_count);
    if (*got > 0)
        return MOSHI_OK;
    return s->finished && s->text_count == 0 ? MOSHI_FINISHED : MOSHI_AGAIN;
}
