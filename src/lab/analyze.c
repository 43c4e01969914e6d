/* analyze.c: read a recording and judge it segment by segment. */
#include "lab/analyze.h"

#include <math.h>
#include <string.h>

#include "audio/resample.h"
#include "audio/source_file.h"
#include "base/memory.h"
#include "lab/analyze_ref.h"
#include "lab/analyze_tokens.h"
#include "lab/analyze_work.h"

#define CHUNK 4096

/* --- one segment --- */

/* More segments, more chances for something rare: the limit grows by the
 * logarithm of their number, so that an hour raises no more false alarms. */
static double allow_for(double evidence, size_t segments)
{
    return evidence / (1 + log((double)segments) / GRID_LIMIT_WHOLE);
}

static void flag_cuts(analyze_work *w, const grid *g, const cut_list *cuts)
{
    for (size_t k = g->first; k <= g->last; k += g->period) {
        size_t at = g->offset + k * ANALYZE_FRAME;
        if (grid_cut_at(cuts, at))
            analyze_flag_add(w->report, w->samples + at, 0);
    }
}

static moshi_status look_for_cuts(analyze_work *w, const float *pcm, size_t n,
                                  moshi_error *err)
{
    cut_list cuts = {0};
    grid g = {0};
    moshi_status status = cuts_find(&cuts, pcm, n, err);
    if (status == MOSHI_OK)
        status = grid_find(&g, &cuts, n, err);
    if (status == MOSHI_OK) {
        g.evidence = allow_for(g.evidence, w->segments);
        w->active_samples += cuts.active_samples;
        if (g.evidence >= 1)
            flag_cuts(w, &g, &cuts);
        bool worst = g.evidence > w->grid.evidence;
        if (w->params->picture && (w->segments == 1 || worst))
            status = analyze_picture_draw(&w->report->picture, pcm, n,
                                          w->samples, err);
        if (worst) {
            w->grid = g;
            w->grid_start = w->samples;
            if (status == MOSHI_OK && g.evidence >= 1)
                status = order_find(&w->order, &g, pcm, n, err);
        }
    }
    cut_list_release(&cuts);
    return status;
}

static void look_for_repeats(analyze_work *w, const float *pcm, size_t n)
{
    repeat found[64];
    size_t count = repeats_find(found, sizeof found / sizeof *found, pcm, n);
    for (size_t i = 0; i < count; i++) {
        w->repeats += found[i].frames;
        analyze_flag_add(w->report, w->samples + found[i].at,
                         found[i].frames * ANALYZE_FRAME);
    }
}

moshi_status analyze_segment(analyze_work *w, const float *pcm, size_t n,
                             moshi_error *err)
{
    speech_level l = speech_level_measure(pcm, n, ANALYZE_RATE_HZ);
    bool better = l.speech_likely > w->best.speech_likely ||
                  (l.speech_likely == w->best.speech_likely &&
                   l.active_dbfs > w->best.active_dbfs);
    w->segments++;
    if (w->segments == 1 || better)
        w->best = l;
    look_for_repeats(w, pcm, n);
    moshi_status status = speech_meter_push(&w->speech, pcm, n, err);
    if (status == MOSHI_OK)
        status = direction_push(&w->direction, pcm, n, err);
    if (status == MOSHI_OK)
        status = stride_push(&w->strides, pcm, n, err);
    if (status == MOSHI_OK)
        status = look_for_cuts(w, pcm, n, err);
    w->samples += n;
    return status;
}

/* --- the file, in chunks, at 24 kHz, in segments --- */

typedef struct feed {
    analyze_work *work;
    source_file *source;
    resample *to_24k;
    float *buffer; /* two segments */
    size_t have;
} feed;

static moshi_status push(feed *f, const float *in, size_t n, bool finish,
                         moshi_error *err)
{
    size_t taken = 0, used, got;
    for (;;) {
        size_t room = 2 * ANALYZE_SEGMENT - f->have;
        moshi_status status = resample_push(
            f->to_24k, in + taken, n - taken, finish, f->buffer + f->have,
            room < CHUNK ? room : CHUNK, &used, &got, err);
        if (status != MOSHI_OK)
            return status;
        for (size_t i = 0; i < got; i++)
            if (!isfinite(f->buffer[f->have + i]))
                return error_set(err, MOSHI_FORMAT,
                                 "samples are too large to be resampled");
        taken += used;
        f->have += got;
        if (f->have == 2 * ANALYZE_SEGMENT) {
            status = analyze_segment(f->work, f->buffer, ANALYZE_SEGMENT, err);
            if (status != MOSHI_OK)
                return status;
            f->have -= ANALYZE_SEGMENT;
            memmove(f->buffer, f->buffer + ANALYZE_SEGMENT,
                    f->have * sizeof *f->buffer);
        } else if (taken == n && got == 0) {
            return MOSHI_OK;
        }
    }
}

static moshi_status read_all(feed *f, const char *path, moshi_error *err)
{
    float chunk[CHUNK];
    size_t got;
    do {
        moshi_status status = source_file_read(f->source, chunk, CHUNK, &got,
                                               err);
        if (status != MOSHI_OK)
            return status;
        level_meter_push(&f->work->level, chunk, got);
        status = push(f, chunk, got, got == 0, err);
        if (status != MOSHI_OK) {
            error_context(err, "'%s'", path);
            return status;
        }
    } while (got > 0);
    return analyze_segment(f->work, f->buffer, f->have, err);
}

static moshi_status hold_against(analyze_report *r, const analyze_params *p,
                                 moshi_error *err)
{
    ref_result ref = {0};
    moshi_status status = ref_compare(&ref, p->path, p->reference, err);
    if (status != MOSHI_OK)
        return status;
    r->measure[ANALYZE_REF_LAG] = ref.lag_ms;
    r->measure[ANALYZE_REF_SNR] = ref.snr_db;
    r->measure[ANALYZE_REF_SPECTRUM] = ref.spectral_db;
    r->measure[ANALYZE_REF_STOI] = ref.stoi;
    return MOSHI_OK;
}

moshi_status analyze_run(analyze_report *out, const analyze_params *params,
                         moshi_error *err)
{
    analyze_work work = {.params = params, .report = out};
    feed f = {.work = &work};
    *out = (analyze_report){0};
    for (int i = 0; i < ANALYZE_MEASURE_COUNT; i++)
        out->measure[i] = NAN;
    moshi_status status = source_file_open(&f.source, params->path, err);
    if (status != MOSHI_OK)
        return status;
    int rate_hz = source_file_rate_hz(f.source);
    level_meter_init(&work.level, rate_hz);
    f.buffer = memory_calloc(2 * ANALYZE_SEGMENT, sizeof *f.buffer);
    if (!f.buffer)
        status = error_no_memory(err, "the analysis");
    if (status == MOSHI_OK) {
        status = resample_open(&f.to_24k, rate_hz, ANALYZE_RATE_HZ, err);
        if (status != MOSHI_OK)
            error_context(err, "'%s'", params->path);
    }
    if (status == MOSHI_OK)
        status = read_all(&f, params->path, err);
    if (status == MOSHI_OK && params->reference)
        status = hold_against(out, params, err);
    if (status == MOSHI_OK && params->model)
        status = analyze_tokens(&work, err);
    if (status == MOSHI_OK)
        analyze_conclude(&work);
    if (status != MOSHI_OK)
        analyze_report_release(out);
    speech_meter_release(&work.speech);
    stride_release(&work.strides);
    memory_free(f.buffer);
    resample_close(&f.to_24k);
    source_file_close(&f.source);
    return status;
}
