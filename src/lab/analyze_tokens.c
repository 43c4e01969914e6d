/* analyze_tokens.c: echo, codes and text of a recording. */
#include "lab/analyze_tokens.h"

#include <stdio.h>
#include <string.h>

#include "audio/source_file.h"
#include "base/memory.h"
#include "lab/echo.h"
#include "lab/sound_match.h"
#include "lab/trace_tokens.h"
#include "text/tokenizer.h"

#define SECONDS_MAX 600
#define ECHO_FRAMES 125
#define LOUD_LEAST  25   /* frames of which the echo is counted: 2 s */

typedef struct sound {
    float *pcm; /* owned */
    size_t n, frames, samples; /* whole frames, and samples of one */
} sound;

/* --- token echo --- */

static bool is_loud(const sound *s, size_t f)
{
    return sound_match_is_loud(s->pcm + f * s->samples, s->samples);
}

/* The ten seconds with the most frames that can be heard. */
static size_t where_loud(const sound *s, size_t n)
{
    size_t count = 0, best = 0, at = 0;
    for (size_t f = 0; f < s->frames; f++) {
        count += is_loud(s, f);
        count -= f >= n && is_loud(s, f - n);
        if (f + 1 >= n && count > best) {
            best = count;
            at = f + 1 - n;
        }
    }
    return at;
}

static moshi_status count_echo(analyze_work *w, const sound *s, size_t first,
                               size_t n, echo_mimi *echo, int K,
                               moshi_error *err)
{
    size_t row = (size_t)K, loud = 0;
    int32_t *heard = memory_calloc(n * row, sizeof *heard);
    int32_t *again = memory_calloc(n * row, sizeof *again);
    float *shares = memory_calloc(n, sizeof *shares);
    moshi_status status = heard && again && shares
                              ? MOSHI_OK : error_no_memory(err, "the echo");
    if (status == MOSHI_OK) {
        const int32_t *codes = heard;
        echo_codec codec = echo_mimi_codec(echo);
        echo_mimi_encode(echo, s->pcm + first * s->samples, n, heard);
        status = codec.run(codec.user, &codes, 1, K, n, &again, err);
    }
    for (size_t f = 0; status == MOSHI_OK && f < n; f++) {
        if (!is_loud(s, first + f))
            continue;
        memmove(heard + loud * row, heard + f * row, row * sizeof *heard);
        memmove(again + loud++ * row, again + f * row, row * sizeof *again);
    }
    if (status == MOSHI_OK && loud >= LOUD_LEAST) {
        echo_score score;
        echo_compare(heard, again, K, loud, &score, shares);
        w->report->measure[ANALYZE_ECHO] = score.share;
        w->report->measure[ANALYZE_ECHO_CHANCE] = score.by_chance;
    }
    memory_free(heard);
    memory_free(again);
    memory_free(shares);
    return status;
}

static moshi_status take_echo(analyze_work *w, const sound *s,
                              moshi_error *err)
{
    const analyze_model *m = w->params->model;
    echo_mimi *echo = NULL;
    size_t n = s->frames < ECHO_FRAMES ? s->frames : ECHO_FRAMES;
    if (n == 0)
        return MOSHI_OK;
    moshi_status status = echo_mimi_open(&echo, m->codec, m->backend, err);
    if (status == MOSHI_OK)
        status = count_echo(w, s, where_loud(s, n), n, echo,
                            m->codec->codebooks, err);
    echo_mimi_close(&echo);
    return status;
}

/* --- the recorded codes --- */

static void flag_frames(analyze_work *w, const sound_match *m, size_t samples)
{
    for (size_t f = 0; f < m->frames; f++) {
        long at = (long)(f * samples) + m->lag;
        if (at >= 0 && m->place[f] != PLACE_QUIET && m->place[f] != PLACE_RIGHT)
            analyze_flag_add(w->report, (size_t)at, samples);
    }
}

static void what_moved(const sound_match *m, char *out, size_t room)
{
    if (m->backwards > m->moved)
        snprintf(out, room, "%zu are played backwards", m->backwards);
    else if (m->back > m->moved / 4)
        snprintf(out, room, "frames stand in another order, %zu times a later "
                 "one comes first", m->back);
    else if (m->twice || m->lost)
        snprintf(out, room, "%zu are missing, %zu come twice", m->lost,
                 m->twice);
    else
        snprintf(out, room, "%zu stand elsewhere", m->moved);
}

static void judge_match(analyze_work *w, const sound_match *m)
{
    char text[128];
    analyze_report *r = w->report;
    if (m->loud < SOUND_MATCH_LEAST && m->spoken < SOUND_MATCH_LEAST) {
        w->is_of_codes = true; /* both are silent */
        return;
    }
    if (m->loud < SOUND_MATCH_LEAST) {
        r->measure[ANALYZE_CODES_RIGHT] = 0;
        analyze_add(r, LAB_CODEC, 70, ANALYZE_CODES_RIGHT, "the codes can be "
                    "heard in %zu frames, the sound in %zu: whatever decoded "
                    "them is at fault", m->spoken, m->loud);
        return;
    }
    double right = (double)m->right / (double)m->loud;
    r->measure[ANALYZE_CODES_RIGHT] = right;
    w->is_of_codes = right > SOUND_MATCH_RIGHT;
    if (w->is_of_codes)
        return;
    if (m->unlike > m->loud / 2) {
        analyze_add(r, LAB_CODEC, 70, ANALYZE_CODES_RIGHT, "%zu of %zu frames "
                    "are not what the codes sound like, in any order: whatever "
                    "decoded them is at fault", m->unlike, m->loud);
    } else {
        what_moved(m, text, sizeof text);
        analyze_add(r, LAB_TIMELINE, 70, ANALYZE_CODES_RIGHT, "of %zu frames "
                    "that can be heard %zu are those of the codes in their "
                    "place: %s", m->loud, m->right, text);
    }
}

static moshi_status hold_against_codes(analyze_work *w, const sound *s,
                                       moshi_error *err)
{
    const analyze_model *m = w->params->model;
    trace_tokens codes = {0};
    sound_match match = {0};
    moshi_status status = trace_tokens_open_codes(&codes, w->params->codes,
                                                  err);
    size_t most = (size_t)SECONDS_MAX * (size_t)m->codec->config.sample_rate_hz;
    if (status == MOSHI_OK)
        status = trace_tokens_check_codes(&codes, m->codec->codebooks,
                                          m->codec->config.bins, err);
    if (status == MOSHI_OK) {
        size_t frames = codes.steps, whole = most / s->samples;
        frames = frames < whole ? frames : whole;
        status = sound_match_run(&match, m->codec, m->backend, codes.decoded,
                                 codes.own, frames, s->pcm, s->n, err);
    }
    if (status == MOSHI_OK) {
        judge_match(w, &match);
        if (!w->is_of_codes)
            flag_frames(w, &match, s->samples);
    }
    sound_match_release(&match);
    trace_tokens_release(&codes);
    return status;
}

/* --- the model's own text --- */

/* Does this piece begin a word? After itself a piece that does has a space. */
static bool begins_word(const tokenizer *t, int32_t token)
{
    char piece[64];
    return tokenizer_piece(t, token, token, piece, sizeof piece) > 0 &&
           piece[0] == ' ';
}

static void judge_text(analyze_work *w, const trace_tokens *run)
{
    const analyze_model *m = w->params->model;
    analyze_report *r = w->report;
    size_t width = 1 + (size_t)run->own, words = 0;
    int32_t most;
    size_t count = trace_tokens_most(run, &most);
    double seconds = (double)w->active_samples / ANALYZE_RATE_HZ;
    bool padding = most == m->lm->text_pad || most == m->lm->text_end_pad;
    r->measure[ANALYZE_TEXT_STANDING] =
        padding ? 0 : (double)count / (double)run->steps;
    if (r->measure[ANALYZE_TEXT_STANDING] >
        analyze_measure_about(ANALYZE_TEXT_STANDING)->high) {
        analyze_add(r, LAB_SAMPLING, 95, ANALYZE_TEXT_STANDING, "text token %d "
                    "stands on %zu of %zu steps: it was forced, and is all "
                    "that the model can speak about", most, count, run->steps);
        return;
    }
    if (!m->tokenizer)
        return;
    for (size_t s = 0; s < run->steps; s++) {
        int32_t token = run->tokens[s * width];
        bool said = token != m->lm->text_pad && token != m->lm->text_end_pad;
        words += said && begins_word(m->tokenizer, token);
    }
    r->measure[ANALYZE_TEXT_WORDS] = (double)words;
    if (seconds >= 1)
        r->measure[ANALYZE_TEXT_RATE] = (double)words / seconds;
}

static moshi_status read_text(analyze_work *w, moshi_error *err)
{
    moshi_error none = {0};
    trace_tokens run = {0};
    moshi_status status = trace_tokens_open(&run, w->params->codes, &none);
    if (status == MOSHI_MISMATCH) /* codes alone */
        return MOSHI_OK;
    if (status == MOSHI_OK)
        status = trace_tokens_check(&run, w->params->model->lm, &none);
    if (status == MOSHI_OK)
        judge_text(w, &run);
    else
        error_set(err, status, "%s", none.message);
    trace_tokens_release(&run);
    return status;
}

moshi_status analyze_tokens(analyze_work *w, moshi_error *err)
{
    const analyze_model *m = w->params->model;
    sound s = {.samples = (size_t)m->codec->config.frame_samples};
    int rate_hz = m->codec->config.sample_rate_hz;
    size_t most = (size_t)SECONDS_MAX * (size_t)rate_hz;
    moshi_status status = source_file_load(w->params->path, rate_hz, &s.pcm,
                                           &s.n, err);
    if (status == MOSHI_OK) {
        s.n = s.n < most ? s.n : most;
        s.frames = s.n / s.samples;
        status = take_echo(w, &s, err);
    }
    if (status == MOSHI_OK && w->params->codes)
        status = hold_against_codes(w, &s, err);
    memory_free(s.pcm);
    if (status == MOSHI_OK && w->params->codes && m->lm)
        status = read_text(w, err);
    return status;
}
