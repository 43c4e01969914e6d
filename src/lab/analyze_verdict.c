/* analyze_verdict.c: from measures to findings, to a score and one class. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/analyze_work.h"

/* Less sound than this shows no fault and proves no health. */
#define SECONDS_MIN       1.0
#define ACTIVE_SECONDS_MIN 1.2

/* Neighbouring 16-bit samples of speech correlate by 0.8 … 0.99 at 24 kHz. */
#define NOISY  0.4
#define SMOOTH 0.8

/* Contrast that makes even quiet sound speech. */
#define QUIET_CONTRAST_DB 20

/* Cuts at frames alone leave no mark in step with strides up to this. */
#define STRIDE_FINE 120

#define NO_SPEECH 90 /* penalty of what has nothing to score */

static bool inside(const analyze_report *r, analyze_measure m)
{
    const analyze_measure_info *about = analyze_measure_about(m);
    double v = r->measure[m];
    return isnan(v) || (v >= about->low && v <= about->high);
}

/* --- measures --- */

static double to_db(double mean_square)
{
    return mean_square > 0 ? 10 * log10(mean_square) : -INFINITY;
}

static void read_level(analyze_work *w)
{
    double *v = w->report->measure, n = (double)w->level.n;
    v[ANALYZE_SECONDS] = n / w->level.rate_hz;
    v[ANALYZE_FRAMES] = (double)w->samples / ANALYZE_FRAME;
    v[ANALYZE_RATE] = w->level.rate_hz;
    v[ANALYZE_PEAK] = to_db(w->level.peak * w->level.peak);
    v[ANALYZE_RMS] = to_db(w->level.square / n);
    v[ANALYZE_DC] = w->level.sum / n;
    v[ANALYZE_CLIPPED] = (double)w->level.clipped / n;
    v[ANALYZE_GAPS] = (double)w->level.gaps;
    v[ANALYZE_ACTIVE] = w->best.active_dbfs;
    v[ANALYZE_CONTRAST] = w->best.range_db;
    v[ANALYZE_ACTIVE_SHARE] = (double)w->active_samples /
                              (double)(w->samples ? w->samples : 1);
}

static void read_strides(analyze_work *w)
{
    double *v = w->report->measure;
    stride_measures m = stride_read(&w->strides);
    v[ANALYZE_STRIDE_4] = m.surprise[0];
    v[ANALYZE_STRIDE_20] = m.surprise[1];
    v[ANALYZE_STRIDE_120] = m.surprise[2];
    v[ANALYZE_STRIDE_960] = m.surprise[3];
    v[ANALYZE_FLUX] = m.flux;
}

static void read_measures(analyze_work *w)
{
    double *v = w->report->measure;
    speech_measures s = speech_meter_read(&w->speech);
    read_level(w);
    read_strides(w);
    v[ANALYZE_MODULATION] = s.modulation_4hz;
    v[ANALYZE_FRAME_RATE] = s.modulation_12hz;
    v[ANALYZE_VOICED] = s.voiced_share;
    v[ANALYZE_PITCH] = s.pitch_hz;
    v[ANALYZE_ASYMMETRY] = s.attack_decay;
    v[ANALYZE_DIRECTION] = direction_read(&w->direction);
    v[ANALYZE_CUT_EVIDENCE] = w->grid.evidence;
    v[ANALYZE_REPEATED] = (double)w->repeats;
    if (w->grid.evidence >= 1) {
        v[ANALYZE_CUT_OFFSET] = (double)w->grid.offset;
        v[ANALYZE_CUTS] = (double)w->grid.cut;
    }
}

static bool too_little(const analyze_work *w)
{
    const double *v = w->report->measure;
    return v[ANALYZE_SECONDS] < SECONDS_MIN ||
           (double)w->active_samples <
               ACTIVE_SECONDS_MIN * ANALYZE_RATE_HZ;
}

/* --- findings --- */

/* What the input of a model must not be, a recording may: quiet. */
static bool is_speech(const analyze_work *w)
{
    return w->best.speech_likely ||
           (w->best.seconds >= SECONDS_MIN &&
            w->best.range_db >= QUIET_CONTRAST_DB &&
            w->best.active_dbfs >=
                analyze_measure_about(ANALYZE_ACTIVE)->low);
}

static void find_input(analyze_work *w)
{
    analyze_report *r = w->report;
    double smooth = level_meter_smooth(&w->level);
    double swapped = level_meter_smooth_swapped(&w->level);
    if (smooth < NOISY && swapped > SMOOTH)
        analyze_add(r, LAB_INPUT, NO_SPEECH, ANALYZE_RMS,
            "noise, which becomes sound when the two bytes of each sample are "
            "exchanged: wrong byte order (correlation %.2f, then %.2f)",
            smooth, swapped);
    if (!is_speech(w) && w->is_of_codes)
        analyze_add(r, LAB_CANNOT_TELL, NO_SPEECH, ANALYZE_CONTRAST,
                    "no speech (%s), and the codes sound just so: the model "
                    "said nothing, or heard nothing", w->best.reason);
    else if (!is_speech(w))
        analyze_add(r, LAB_INPUT, NO_SPEECH, ANALYZE_CONTRAST, "no speech: %s",
                    w->best.reason);
    if (!inside(r, ANALYZE_DC))
        analyze_add(r, LAB_INPUT, 15, ANALYZE_DC,
            "a constant offset lies under the sound");
    if (!inside(r, ANALYZE_CLIPPED))
        analyze_add(r, LAB_INPUT, 25, ANALYZE_CLIPPED,
            "samples are clipped at the limits of the file");
    if (is_speech(w) && !inside(r, ANALYZE_PITCH))
        analyze_add(r, LAB_INPUT, 25, ANALYZE_PITCH,
            "the voice is too %s for a person: another sample rate than the "
            "file says?", r->measure[ANALYZE_PITCH] > 100 ? "high" : "low");
}

/* Silence in whole frames replaces frames; of any length it is what a sound
 * card plays when it is given nothing in time. */
static void find_gaps(analyze_work *w)
{
    analyze_report *r = w->report;
    const level_meter *m = &w->level;
    size_t kept = m->gaps < LEVEL_GAPS_MAX ? (size_t)m->gaps : LEVEL_GAPS_MAX;
    size_t whole = 0;
    double frame = (double)m->rate_hz * ANALYZE_FRAME_MS / 1000;
    /* Frames in a wrong order stop in full swing too. */
    if (inside(r, ANALYZE_GAPS) || w->grid.evidence >= 1 || w->is_of_codes)
        return;
    for (size_t i = 0; i < kept; i++) {
        double frames = (double)m->gap[i].samples / frame;
        double scale = (double)ANALYZE_RATE_HZ / m->rate_hz;
        whole += frames > 0.9 && fabs(frames - round(frames)) < 0.02;
        analyze_flag_add(r, (size_t)((double)m->gap[i].at * scale),
                         (size_t)((double)m->gap[i].samples * scale));
    }
    if (2 * whole > kept)
        analyze_add(r, LAB_TIMELINE, 60, ANALYZE_GAPS,
            "frames are missing: the sound stops in full swing for a whole "
            "number of frames");
    else
        analyze_add(r, LAB_SPEED, 60, ANALYZE_GAPS,
            "the sound stops in full swing: whatever played it was not given "
            "the next piece in time");
}

/* Frames in reverse order, and frames reversed inside, have the same joints
 * read the other way: only the direction of time tells them apart. */
static order_name name_order(const analyze_work *w)
{
    double forwards = w->report->measure[ANALYZE_DIRECTION];
    double clear = -analyze_measure_about(ANALYZE_DIRECTION)->low;
    if (w->order == ORDER_REVERSED && forwards > clear)
        return ORDER_BACKWARDS;
    if (w->order == ORDER_REVERSED && forwards < -clear)
        return ORDER_REVERSED_INSIDE;
    return w->order;
}

/* The stride whose mark is furthest above its limit, or STRIDES. */
static int marked_stride(const analyze_report *r)
{
    int worst = STRIDES;
    double most = 1;
    for (int s = 0; s < STRIDES; s++) {
        analyze_measure m = (analyze_measure)(ANALYZE_STRIDE_4 + s);
        double over = r->measure[m] / analyze_measure_about(m)->high;
        if (over > most) {
            most = over;
            worst = s;
        }
    }
    return worst;
}

/* A frame's boundary is a place of the longest stride and of the flux too: cut
 * frames mark both, and are named by their cuts. Returns whether the cuts are
 * explained. */
static bool find_strides(analyze_work *w)
{
    analyze_report *r = w->report;
    int s = marked_stride(r);
    bool in_step = w->grid.evidence >= 1;
    if (s < STRIDES && !(in_step && stride_samples[s] > STRIDE_FINE)) {
        analyze_add(r, LAB_CODEC, 55, (analyze_measure)(ANALYZE_STRIDE_4 + s),
                    "marks in step with %zu samples, an inner stride of the "
                    "codec: a state is lost there, or pieces overlap wrongly",
                    stride_samples[s]);
        return true;
    }
    if (!in_step && !inside(r, ANALYZE_FLUX))
        analyze_add(r, LAB_CODEC, 55, ANALYZE_FLUX, "the spectrum jumps at one "
                    "place of every frame: a state of the decoder is lost");
    return false;
}

/* What the codes say just so is no fault of what plays them: the model that
 * made them is, or the way they were put together. */
static lab_class about_frames(const analyze_work *w, lab_class about)
{
    return w->is_of_codes ? LAB_CANNOT_TELL : about;
}

static void find_cuts(analyze_work *w)
{
    const grid *g = &w->grid;
    lab_class about = w->order == ORDER_EMPTY_START ? LAB_CODEC : LAB_TIMELINE;
    double at = (double)(w->grid_start + g->offset +
                         g->first * ANALYZE_FRAME) / ANALYZE_RATE_HZ;
    analyze_add(w->report, about_frames(w, about), 60, ANALYZE_CUT_EVIDENCE,
                "the sound is cut at %zu of %zu boundaries of frames%s, from "
                "%.2f s on: %s%s", g->cut, g->active,
                g->period == 1 ? "" : " at even distances", at,
                w->is_of_codes ? "and so the codes sound"
                               : order_text(name_order(w)),
                w->is_of_codes ? ": look at what made them" : "");
}

static void find_timeline(analyze_work *w)
{
    analyze_report *r = w->report;
    bool explained = find_strides(w);
    if (w->repeats > 0)
        analyze_add(r, about_frames(w, LAB_TIMELINE), 55, ANALYZE_REPEATED,
                    "frames come twice");
    if (!explained && w->grid.evidence >= 1)
        find_cuts(w);
    if (w->grid.evidence < 1 && is_speech(w) && !too_little(w) &&
        !inside(r, ANALYZE_DIRECTION))
        analyze_add(r, about_frames(w, LAB_TIMELINE), 55, ANALYZE_DIRECTION,
                    "the pulses of the voice rise slowly and end at once: it "
                    "is played backwards");
}

/* --- score and verdict --- */

static void judge(analyze_work *w)
{
    analyze_report *r = w->report;
    int score = 100;
    const analyze_finding *worst = NULL;
    for (size_t i = 0; i < r->findings; i++) {
        score -= r->finding[i].penalty;
        if (!worst || r->finding[i].penalty > worst->penalty)
            worst = &r->finding[i];
    }
    r->score = score < 0 ? 0 : score;
    if (worst && (worst->penalty >= 50 || !too_little(w))) {
        r->verdict = worst->about;
        snprintf(r->line, sizeof r->line, "%s", worst->what);
    } else if (too_little(w)) {
        r->verdict = LAB_CANNOT_TELL;
        snprintf(r->line, sizeof r->line, "too little sound: %.1f s, of which "
                 "%.1f s could show a fault",
                 r->measure[ANALYZE_SECONDS],
                 (double)w->active_samples / ANALYZE_RATE_HZ);
    } else {
        r->verdict = LAB_OK;
        snprintf(r->line, sizeof r->line, "nothing found");
    }
    /* What holds no speech has no quality to score. */
    r->scored = r->verdict != LAB_CANNOT_TELL &&
                !(worst && worst->penalty >= NO_SPEECH);
}

void analyze_conclude(analyze_work *w)
{
    read_measures(w);
    if (w->report->measure[ANALYZE_SECONDS] >= SECONDS_MIN)
        find_input(w);
    find_gaps(w);
    find_timeline(w);
    if (!inside(w->report, ANALYZE_TEXT_RATE))
        analyze_add(w->report, LAB_CANNOT_TELL, 25, ANALYZE_TEXT_RATE,
                    "the text says %g word(s), which the sound is too %s for",
                    w->report->measure[ANALYZE_TEXT_WORDS],
                    w->report->measure[ANALYZE_TEXT_RATE] >
                            analyze_measure_about(ANALYZE_TEXT_RATE)->high
                        ? "short" : "long");
    if (!inside(w->report, ANALYZE_REF_STOI))
        analyze_add(w->report, LAB_CODEC, 45, ANALYZE_REF_STOI,
            "it says something else than the reference, which should be of "
            "the same codes");
    judge(w);
}
