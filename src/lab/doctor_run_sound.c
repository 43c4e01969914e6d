/* doctor_run_sound.c: is a sound what its codes sound like, frame by frame?
 *
 * The codes are decoded here, and for each frame of the sound the decoded frame
 * that it is like is looked for nearby, forwards and backwards. What was done
 * to the frames after the decoder is seen so, whatever they say. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "audio/source_file.h"
#include "base/memory.h"
#include "lab/doctor_work.h"
#include "lab/trace_tokens.h"
#include "mimi/stream.h"

#define NEARBY 40      /* frames to either side */
#define ALIKE  0.95    /* correlation */
#define LOUD   1e-3    /* root mean square: -60 dBFS */
#define LOUD_LEAST 10  /* frames, to say anything */
#define RIGHT  0.9     /* share of loud frames */

typedef struct frames {
    float *pcm; /* owned */
    size_t n;   /* frames */
    size_t samples;
} frames;

static const float *frame(const frames *f, size_t i)
{
    return f->pcm + i * f->samples;
}

static double dot(const float *a, const float *b, size_t n, bool backwards)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * b[backwards ? n - 1 - i : i];
    return sum;
}

static double likeness(const frames *a, size_t i, const frames *b, size_t j,
                       bool backwards)
{
    const float *x = frame(a, i), *y = frame(b, j);
    double size = dot(x, x, a->samples, false) * dot(y, y, a->samples, false);
    return size > 0 ? dot(x, y, a->samples, backwards) / sqrt(size) : 0;
}

static moshi_status decode(frames *out, doctor *d, const trace_tokens *codes)
{
    const mimi_model *m = d->model->mimi;
    mimi_runner *runner = NULL;
    mimi_decoder *decoder = NULL;
    out->samples = (size_t)m->config.frame_samples;
    out->n = codes->steps;
    out->pcm = memory_calloc(out->n * out->samples, sizeof *out->pcm);
    moshi_status status = out->pcm ? mimi_runner_open(
                                         &runner, m, d->model->backend,
                                         MIMI_DECODE, 1, &d->ignored)
                                   : MOSHI_NO_MEMORY;
    if (status == MOSHI_OK)
        status = mimi_decoder_open(&decoder, m, d->model->backend,
                                   &d->ignored);
    for (size_t f = 0; f < out->n && status == MOSHI_OK; f++) {
        const int32_t *row = codes->decoded + f * (size_t)codes->own;
        float *pcm = out->pcm + f * out->samples;
        status = mimi_decode_frame(runner, &decoder, 1, &row, codes->own, &pcm,
                                   NULL);
    }
    mimi_decoder_close(&decoder);
    mimi_runner_close(&runner);
    return status;
}

/* --- where each frame comes from --- */

typedef struct counts {
    size_t loud, right, backwards, moved, unlike;
} counts;

/* The frame of `right` that frame i is likest, near `about`; *turned: played
 * backwards. Returns the likeness. */
static double find(const frames *sound, size_t i, const frames *right,
                   size_t about, size_t *at, bool *turned)
{
    size_t first = about > NEARBY ? about - NEARBY : 0;
    double best = -1;
    for (size_t j = first; j < right->n && j <= about + NEARBY; j++)
        for (int back = 0; back < 2; back++) {
            double c = likeness(sound, i, right, j, back);
            if (c > best) {
                best = c;
                *at = j;
                *turned = back;
            }
        }
    return best;
}

static counts count(const frames *sound, const frames *right)
{
    counts c = {0};
    size_t next = 0; /* where the frame after the last one found would be */
    for (size_t i = 0; i < sound->n; i++, next++) {
        const float *x = frame(sound, i);
        size_t at = i;
        bool turned = false;
        double power = dot(x, x, sound->samples, false);
        if (power < LOUD * LOUD * (double)sound->samples)
            continue;
        c.loud++;
        if (i < right->n && likeness(sound, i, right, i, false) > ALIKE) {
            c.right++;
            continue;
        }
        if (find(sound, i, right, next, &at, &turned) <= ALIKE) {
            c.unlike++;
            continue;
        }
        next = at;
        if (turned)
            c.backwards++;
        else
            c.moved++;
    }
    return c;
}

static void report(doctor *d, const counts *c, size_t n, size_t n_right)
{
    doctor_finding f = {"run: the sound", LAB_TIMELINE, DOCTOR_OK,
                        "each frame is what the decoder makes of its codes",
                        "look at what stands between decoder and file"};
    bool most = (double)c->right > RIGHT * (double)c->loud;
    if (c->loud < LOUD_LEAST) {
        f.status = DOCTOR_SKIPPED;
        doctor_add(d, f, "%zu frames can be heard: too few", c->loud);
        return;
    }
    if (!most && c->unlike > c->loud / 2) {
        f.about = LAB_CODEC;
        f.advice = "decode the codes with 'moshi codec decode': if that sounds "
                   "right, the decoder that made the sound is at fault";
    }
    if (!most)
        f.status = DOCTOR_FAULT;
    doctor_add(d, f, "of %zu frames that can be heard %zu are right, %zu are "
               "played backwards, %zu stand elsewhere, %zu are not of these "
               "codes; %zu frames, %zu decoded", c->loud, c->right,
               c->backwards, c->moved, c->unlike, n, n_right);
}

void doctor_run_sound(doctor *d, const trace_tokens *codes)
{
    frames sound = {0}, right = {0};
    moshi_error err = {0};
    const mimi_config *c = &d->model->mimi->config;
    doctor_finding f = {"run: the sound", LAB_FILE, DOCTOR_WARNING,
                        "a recording, and codes of this codec", ""};
    size_t n = 0;
    moshi_status status = trace_tokens_check_codes(
        codes, d->model->mimi->codebooks, c->bins, &err);
    if (status == MOSHI_OK)
        status = source_file_load(d->params->sound, c->sample_rate_hz,
                                  &sound.pcm, &n, &err);
    if (status != MOSHI_OK) {
        doctor_add_error(d, f, &err);
    } else if (decode(&right, d, codes) == MOSHI_OK) {
        sound.samples = right.samples;
        sound.n = n / sound.samples;
        counts found = count(&sound, &right);
        report(d, &found, sound.n, right.n);
    } else {
        d->report->failed = true;
    }
    memory_free(sound.pcm);
    memory_free(right.pcm);
}
