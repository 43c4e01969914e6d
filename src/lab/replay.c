/* replay.c: run the views, weigh them against each other, say what follows. */
#include "lab/replay.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* Neighbouring frames share their sound, so the spread is taken over blocks
 * of them: 0.4 s. */
#define BLOCK_FRAMES 5

/* Some hundred views are compared: chance alone takes one of them over three
 * standard errors. */
#define SIGMAS 4.0

/* And a difference that is sure may still be too small to mean anything. */
#define GAIN_LEAST 0.02
#define ECHO_LEAST 0.05

/* Tokens that stand still (silence, a model that is stuck) look consistent in
 * some view or other, whatever it is. */
#define VARIETY_LEAST 8

/* How often the semantic code changes: silence does so seldom. */
static size_t variety(const int32_t *codes, int K, size_t first, size_t n)
{
    size_t changes = 0;
    for (size_t f = first + 1; f < first + n; f++)
        changes += codes[f * (size_t)K] != codes[(f - 1) * (size_t)K];
    return changes;
}

/* Frames in which something happens: a frame like the one before it (silence)
 * looks consistent in many views, and says nothing. */
static bool is_active(const replay *r, size_t f)
{
    const int32_t *row = r->codes + f * (size_t)r->K;
    return memcmp(row, row - r->K, (size_t)r->K * sizeof *row) != 0;
}

/* The rows of active frames, moved to the front. */
static void keep_active(const replay *r, int32_t *rows, int K)
{
    size_t n = 0;
    for (size_t f = 0; f < r->n; f++)
        if (is_active(r, r->first + f))
            memmove(rows + n++ * (size_t)K, rows + f * (size_t)K,
                    (size_t)K * sizeof *rows);
}

/* The stretch in which most happens: speech, not the silence around it. */
static void choose_frames(replay *r)
{
    size_t usable = r->T - 2 * REPLAY_SHIFT, most = 0;
    r->n = r->params.frames_max < usable ? r->params.frames_max : usable;
    r->first = REPLAY_SHIFT;
    for (size_t f = REPLAY_SHIFT; f + r->n <= REPLAY_SHIFT + usable;
         f += r->n / 4 + 1) {
        size_t v = variety(r->codes, r->K, f, r->n);
        if (v > most) {
            most = v;
            r->first = f;
        }
    }
    for (size_t f = 0; f < r->n; f++)
        r->active += is_active(r, r->first + f);
}

moshi_status replay_open(replay **out, const int32_t *codes, int K, size_t T,
                         const replay_params *params, moshi_error *err)
{
    replay_view *views = NULL;
    if (T < REPLAY_FRAMES_LEAST + 2 * REPLAY_SHIFT ||
        params->frames_max < REPLAY_FRAMES_LEAST) {
        error_set(err, MOSHI_ARGUMENT,
                  "%zu frames are too few to compare views of them", T);
        return error_hint(err, "at least %d frames (%.1f s) are needed",
                          REPLAY_FRAMES_LEAST + 2 * REPLAY_SHIFT,
                          0.08 * (REPLAY_FRAMES_LEAST + 2 * REPLAY_SHIFT));
    }
    replay *r = memory_calloc(1, sizeof *r);
    if (!r)
        return error_no_memory(err, "a replay");
    *r = (replay){.K = K, .T = T, .codes = codes, .params = *params,
                  .verdict = LAB_CANNOT_TELL};
    choose_frames(r);
    moshi_status status = replay_views_make(params->delays, params->orders, K,
                                            &views, &r->n_rows, err);
    if (status == MOSHI_OK) {
        r->rows = memory_calloc(r->n_rows, sizeof *r->rows);
        if (!r->rows)
            status = error_no_memory(err, "a replay");
    }
    for (size_t i = 0; status == MOSHI_OK && i < r->n_rows; i++) {
        r->rows[i].view = views[i];
        r->rows[i].frames = memory_calloc(r->n, sizeof(float));
        if (!r->rows[i].frames)
            status = error_no_memory(err, "a replay");
    }
    memory_free(views);
    if (status != MOSHI_OK) {
        replay_close(&r);
        return status;
    }
    *out = r;
    return MOSHI_OK;
}

void replay_close(replay **handle)
{
    replay *r = *handle;
    if (!r)
        return;
    for (size_t i = 0; r->rows && i < r->n_rows; i++)
        memory_free(r->rows[i].frames);
    memory_free(r->rows);
    memory_free(r);
    *handle = NULL;
}

/* --- weighing --- */

static double advantage(const echo_score *s)
{
    return s->share - s->by_chance;
}

/* Standard error of the mean of a - b (b may be NULL), over blocks. */
static double standard_error(const float *a, const float *b, size_t n)
{
    double sum = 0, squares = 0;
    size_t blocks = n / BLOCK_FRAMES;
    for (size_t i = 0; i < blocks; i++) {
        double mean = 0;
        for (size_t f = i * BLOCK_FRAMES; f < (i + 1) * BLOCK_FRAMES; f++)
            mean += (double)a[f] - (b ? (double)b[f] : 0);
        mean /= BLOCK_FRAMES;
        sum += mean;
        squares += mean * mean;
    }
    double m = (double)blocks, variance = squares - sum * sum / m;
    return sqrt((variance > 0 ? variance : 0) / (m * (m - 1)));
}

static bool beyond(double gain, double se, double least)
{
    return gain > least && gain > SIGMAS * se;
}

/* --- running --- */

/* A run's rows have one number of codebooks; `buffer` holds ECHO_LANES tables
 * and as many echoes, each of n frames of K codes. */
static moshi_status run_batch(replay *r, echo_codec codec, replay_row **rows,
                              int count, int32_t *buffer, moshi_error *err)
{
    const int32_t *codes[ECHO_LANES];
    int32_t *back[ECHO_LANES];
    int K = rows[0]->view.K;
    size_t table = r->n * (size_t)r->K;
    for (int i = 0; i < count; i++) {
        int32_t *in = buffer + 2 * (size_t)i * table;
        replay_view_fill(&rows[i]->view, r->codes, r->K, r->T, r->first, r->n,
                         in);
        codes[i] = in;
        back[i] = in + table;
    }
    moshi_status status = codec.run(codec.user, codes, count, K, r->n, back,
                                    err);
    for (int i = 0; i < count && status == MOSHI_OK; i++) {
        keep_active(r, buffer + 2 * (size_t)i * table, K);
        keep_active(r, back[i], K);
        echo_compare(codes[i], back[i], K, r->active, &rows[i]->score,
                     rows[i]->frames);
    }
    return status;
}

static moshi_status run_views(replay *r, echo_codec codec, moshi_error *err)
{
    moshi_status status = MOSHI_OK;
    int32_t *buffer = memory_calloc(2 * ECHO_LANES * r->n * (size_t)r->K,
                                    sizeof *buffer);
    if (!buffer)
        return error_no_memory(err, "a replay");
    for (size_t i = 0; i < r->n_rows && status == MOSHI_OK;) {
        replay_row *rows[ECHO_LANES];
        int count = 0;
        while (i < r->n_rows && count < ECHO_LANES &&
               (!count || r->rows[i].view.K == rows[0]->view.K))
            rows[count++] = &r->rows[i++];
        status = run_batch(r, codec, rows, count, buffer, err);
        if (r->params.progress)
            r->params.progress(r->params.user, i, r->n_rows);
    }
    memory_free(buffer);
    return status;
}

static moshi_status run_control(replay *r, echo_codec codec,
                                const int32_t *codes, int K, size_t T,
                                moshi_error *err)
{
    int32_t *back = memory_calloc(T * (size_t)K, sizeof *back);
    float *frames = memory_calloc(T, sizeof *frames);
    moshi_status status = back && frames ? MOSHI_OK
                                         : error_no_memory(err, "a replay");
    if (status == MOSHI_OK)
        status = codec.run(codec.user, &codes, 1, K, T, &back, err);
    if (status == MOSHI_OK) {
        echo_compare(codes, back, K, T, &r->control, frames);
        r->control_se = standard_error(frames, NULL, T);
        r->has_control = true;
    }
    memory_free(back);
    memory_free(frames);
    return status;
}

/* --- the verdict --- */

static void weigh(replay *r)
{
    const replay_row *recorded = &r->rows[0];
    for (size_t i = 0; i < r->n_rows; i++) {
        replay_row *row = &r->rows[i];
        row->gain = advantage(&row->score) - advantage(&recorded->score);
        row->gain_se = standard_error(row->frames, recorded->frames, r->active);
        if (row->gain > r->rows[r->best].gain)
            r->best = i;
    }
}

/* Views that would make another sound altogether: when the codec cannot tell
 * these from the recorded one, its verdict on the recorded one is worth
 * nothing. Speech backwards, and two late codebooks exchanged, are nearly as
 * good a sound as any. */
static bool must_differ(const replay_view *v)
{
    return v->kind == VIEW_SHIFT_ACOUSTIC || v->kind == VIEW_REVERSED_BOOKS ||
           v->kind == VIEW_TRANSPOSED || (v->kind == VIEW_SWAP && v->a == 0);
}

static const replay_row *not_told_apart(const replay *r)
{
    for (size_t i = 1; i < r->n_rows; i++)
        if (must_differ(&r->rows[i].view) &&
            !beyond(-r->rows[i].gain, r->rows[i].gain_se, GAIN_LEAST))
            return &r->rows[i];
    return NULL;
}

static void say(replay *r, lab_class verdict, const char *advice,
                const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void say(replay *r, lab_class verdict, const char *advice,
                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->line, sizeof r->line, format, args);
    va_end(args);
    r->verdict = verdict;
    snprintf(r->advice, sizeof r->advice, "%s", advice);
}

/* No view comes back: is it the codec, or are these not its codes? */
static void say_no_echo(replay *r, const echo_score *best)
{
    const echo_score *c = &r->control;
    if (r->has_control && beyond(advantage(c), r->control_se, ECHO_LEAST))
        say(r, LAB_CANNOT_TELL,
            "decode codes that this codec made of a recording ('moshi codec "
            "encode'); if those sound right, look at what produced these",
            "the codec returns %.0f %% of its own codes of a test sound but "
            "%.0f %% of these, however they are seen: they are not the codes "
            "of a sound, or not of this codec", 100 * c->share,
            100 * best->share);
    else
        say(r, LAB_CANNOT_TELL,
            "run this with the codec that the codes were made with; a codec "
            "with random weights has no echo",
            "echo is no measure for this codec: of its own codes of a test "
            "sound it returns %.1f %%, by chance it would be %.1f %%",
            100 * c->share, 100 * c->by_chance);
}

static void conclude(replay *r)
{
    size_t changes = variety(r->codes, r->K, r->first, r->n);
    const replay_row *best = &r->rows[r->best], *recorded = &r->rows[0];
    double se = standard_error(best->frames, NULL, r->active);
    char meaning[192];
    replay_view_meaning(&best->view, meaning, sizeof meaning);
    if (changes < VARIETY_LEAST || r->active < REPLAY_FRAMES_LEAST) {
        say(r, LAB_CANNOT_TELL, "record something in which somebody speaks",
            "the codes stand still: the semantic code changes %zu times in "
            "%zu frames", changes, r->n);
    } else if (!beyond(advantage(&best->score), se, ECHO_LEAST)) {
        say_no_echo(r, &best->score);
    } else if (beyond(best->gain, best->gain_se, GAIN_LEAST)) {
        say(r, LAB_TIMELINE,
            "compare the delays and the order of codebooks of what wrote this "
            "file with those of the model",
            "%s: %.0f %% of the codes come back so, %.0f %% as recorded (by "
            "chance %.0f %%)", meaning, 100 * best->score.share,
            100 * recorded->score.share, 100 * recorded->score.by_chance);
    } else {
        const replay_row *other = not_told_apart(r);
        if (other)
            say(r, LAB_CANNOT_TELL,
                "try a longer recording, or one with more speech in it",
                "'%s' and 'as recorded' are within noise of each other "
                "(%.1f %% and %.1f %% of the codes come back)",
                other->view.name, 100 * other->score.share,
                100 * recorded->score.share);
        else
            say(r, LAB_OK,
                "the codec and the timeline are not the cause; look at the "
                "model, its input and its sampling",
                "as recorded is the most consistent view: %.0f %% of the codes "
                "come back (by chance %.0f %%)", 100 * recorded->score.share,
                100 * recorded->score.by_chance);
    }
}

moshi_status replay_run(replay *r, echo_codec codec, const int32_t *control,
                        int control_K, size_t control_frames,
                        moshi_error *err)
{
    moshi_error cause = {0};
    moshi_status status = MOSHI_OK;
    if (control)
        status = run_control(r, codec, control, control_K, control_frames,
                             &cause);
    if (status == MOSHI_OK)
        status = run_views(r, codec, &cause);
    if (status == MOSHI_MISMATCH) {
        say(r, LAB_CODEC, "run 'moshi doctor' on the codec's file", "%s",
            cause.message);
        return MOSHI_OK;
    }
    if (status != MOSHI_OK)
        return error_set(err, status, "%s", cause.message);
    weigh(r);
    conclude(r);
    return MOSHI_OK;
}
