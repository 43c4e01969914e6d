/* doctor_run.c: judge a recorded run: what it heard, how its tokens were laid
 * out and drawn, how its codes were put together.
 *
 * The run may be anybody's, as long as it is of this model: the tables of
 * `moshi gen --codes`. Nothing of the program that made it is needed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "lab/doctor_work.h"
#include "lab/run_codes.h"
#include "lab/run_trial.h"

#define STEPS_MAX   128 /* ten seconds are tried */
#define STEPS_LEAST 24
#define SIGMAS 4.0
#define DELAY_MAX 3
#define STANDING 0.95   /* share of frames */
#define FITS 0.8        /* share of codes */
#define TEMPERATURE_MAX 1.5
#define CHOSEN      0.995 /* share of tokens, when a model chose them all */
#define CHOSEN_MORE 3     /* tokens, so that a near tie decides nothing */
#define TEXT_FORCED 50.0 /* per cent: a text of which less is the model's */

/* All that the checks share; owned. */
typedef struct record {
    trace_tokens run, codes;
    bool has_codes;
    size_t steps;         /* tried: the first ones */
    double *kept, *tried; /* [steps] */
    run_guess guess;      /* what was done, as far as can be told */
    run_fit fit;          /* under that guess; steps: kept */
} record;

/* --- what was heard --- */

static void check_heard(doctor *d, const record *r)
{
    const trace_tokens *t = &r->run;
    size_t user = (size_t)t->user, same = 0, zero = 0;
    doctor_finding f = {"run: what was heard", LAB_INPUT, DOCTOR_OK,
                        "codes that change, as those of a recording do",
                        "give the model a recording: 'moshi codec encode' "
                        "makes its codes, 'moshi analyze' says whether there "
                        "is speech in it"};
    for (size_t s = 0; s < t->steps; s++) {
        const int32_t *row = t->heard + s * user;
        size_t zeros = 0;
        for (size_t k = 0; k < user; k++)
            zeros += row[k] == 0;
        zero += zeros == user;
        same += s && memcmp(row, row - user, user * sizeof *row) == 0;
    }
    double n = (double)t->steps;
    if ((double)zero > STANDING * n) {
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "code 0 in every codebook of %zu of %zu frames: "
                   "nobody was heard, zeros were", zero, t->steps);
    } else if ((double)same > STANDING * n) {
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "%zu of %zu frames have the codes of the frame "
                   "before: one code is not a recording", same, t->steps);
    } else {
        doctor_add(d, f, "%zu frames, %zu of them like the one before",
                   t->steps, same);
    }
}

/* --- text --- */

static void check_text(doctor *d, const record *r)
{
    const trace_tokens *t = &r->run;
    const lm_config *c = &d->lm;
    doctor_finding f = {"run: text", LAB_SAMPLING, DOCTOR_OK,
                        "text tokens that the model chose",
                        "let the model choose its text: a token that is forced "
                        "on every frame is all that it can speak about"};
    int32_t most;
    size_t count = trace_tokens_most(t, &most);
    bool padding = most == c->text_pad || most == c->text_end_pad;
    if ((double)count > STANDING * (double)t->steps && !padding) {
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "token %d on %zu of %zu frames", most, count,
                   t->steps);
    } else {
        doctor_add(d, f, "%zu of %zu frames are %s%d", count, t->steps,
                   padding ? "padding, " : "token ", most);
    }
}

/* --- codes --- */

static void report_sources(doctor *d, const record *r)
{
    const lm_config *c = &d->lm;
    int wrong = 0, unknown = 0, K = r->codes.own;
    char text[200] = "";
    doctor_finding f = {"run: codes put together", LAB_TIMELINE, DOCTOR_OK,
                        "codebook k of a frame from the step that is its delay "
                        "later",
                        "undo the delays of the model, and keep the codebooks "
                        "in order"};
    for (int k = 0; k < K; k++) {
        run_source s = run_codes_source(&r->run, &r->codes, k,
                                        c->delays[1 + k]);
        if (s.share < FITS) {
            unknown++;
        } else if (s.book != k || s.delay != c->delays[1 + k]) {
            if (!wrong++)
                snprintf(text, sizeof text, "codebook %d is codebook %d of %d "
                         "steps later, not %d of %d", k, s.book, s.delay, k,
                         c->delays[1 + k]);
        }
    }
    if (wrong) {
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "%s; %d of %d codebooks are wrong", text, wrong, K);
    } else if (unknown && run_codes_transposed(&r->run, &r->codes,
                                               c->delays + 1) > FITS) {
        f.status = DOCTOR_FAULT;
        f.advice = "exchange the axes of the table: codebooks by frames";
        doctor_add(d, f, "the table is transposed: its numbers are those of "
                   "codebooks by frames, in the order of frames by codebooks");
    } else if (unknown) {
        f.status = DOCTOR_FAULT;
        f.about = LAB_CANNOT_TELL;
        doctor_add(d, f, "%d of %d codebooks are not in audio_tokens at all",
                   unknown, K);
    } else {
        doctor_add(d, f, "%d codebooks, each from its own steps", K);
    }
}

static void check_codes(doctor *d, const record *r)
{
    doctor_finding f = {"run: codes put together", LAB_TIMELINE,
                        DOCTOR_SKIPPED, "", ""};
    if (!r->has_codes)
        doctor_add(d, f, "the file has no codes_out");
    else if (r->codes.own != r->run.own)
        doctor_add(d, f, "codes_out has %d codebooks, audio_tokens %d",
                   r->codes.own, r->run.own);
    else
        report_sources(d, r);
}

/* --- how the steps were laid out --- */

/* How much likelier a is than b, per step, in standard errors. */
static double sigmas(const double *a, const double *b, size_t n)
{
    double sum = 0, squares = 0, m = (double)(n - RUN_FIRST);
    for (size_t i = RUN_FIRST; i < n; i++) {
        double gain = b[i] - a[i];
        sum += gain;
        squares += gain * gain;
    }
    double variance = (squares - sum * sum / m) / (m - 1);
    double error = sqrt((variance > 0 ? variance : 0) / m);
    return error > 0 ? sum / m / error : sum > 0 ? INFINITY : 0;
}

static double mean(const double *steps, size_t n)
{
    double sum = 0;
    for (size_t i = RUN_FIRST; i < n; i++)
        sum += steps[i];
    return sum / (double)(n - RUN_FIRST);
}

static void describe(run_guess g, char *text, size_t room)
{
    snprintf(text, room, "an acoustic delay of %d%s%s", g.delay,
             g.nobody ? ", hearing code 0 in every codebook" : "",
             g.exchanged ? ", own and heard codebooks exchanged" : "");
}

static size_t likeliest(const run_fit *fit, size_t *of)
{
    *of = fit->part[RUN_TEXT].count + fit->part[RUN_AUDIO].count;
    return fit->part[RUN_TEXT].likeliest + fit->part[RUN_AUDIO].likeliest;
}

/* Another guess is believed when the model would have chosen practically every
 * token under it, and not as things stand; or when the tokens, however they
 * were drawn, are likelier under it beyond doubt, cost half as much, and the
 * acoustic ones are foreseen at all. */
static bool is_better(const record *r, const run_fit *other, run_guess g,
                      size_t card)
{
    size_t all, of, now = likeliest(&r->fit, &of);
    size_t then = likeliest(other, &all);
    /* A model that says nothing is as if nobody had spoken, whatever ails it. */
    if (!g.nobody && (double)then > CHOSEN * (double)all &&
        then >= now + CHOSEN_MORE)
        return true;
    return sigmas(other->steps, r->kept, r->steps) > SIGMAS &&
           mean(other->steps, r->steps) < mean(r->kept, r->steps) / 2 &&
           other->acoustic < log((double)card);
}

static moshi_status try_guess(doctor *d, record *r, run_guess g)
{
    run_fit other = {.steps = r->tried};
    moshi_status status = run_trial(&other, d->model, &r->run, r->steps, g,
                                    false, &d->ignored);
    if (status == MOSHI_OK && is_better(r, &other, g, (size_t)d->lm.card)) {
        double *kept = r->kept;
        r->kept = r->tried;
        r->tried = kept;
        r->fit = other;
        r->guess = g;
    }
    return status;
}

static moshi_status check_layout(doctor *d, record *r)
{
    const lm_config *c = &d->lm;
    run_guess own = {.delay = lm_config_acoustic_delay(c)};
    char expected[96], text[160];
    double before;
    doctor_announce(d, "the model says %zu steps again, %d times", r->steps,
                    DELAY_MAX + 4);
    r->guess = own;
    r->fit.steps = r->kept;
    moshi_status status = run_trial(&r->fit, d->model, &r->run, r->steps, own,
                                    false, &d->ignored);
    before = mean(r->kept, r->steps);
    for (int delay = 0; delay <= DELAY_MAX && status == MOSHI_OK; delay++)
        if (delay != own.delay)
            status = try_guess(d, r, (run_guess){.delay = delay});
    run_guess nobody = own, exchanged = own;
    nobody.nobody = true;
    exchanged.exchanged = true;
    if (status == MOSHI_OK && r->run.user)
        status = try_guess(d, r, nobody);
    if (status == MOSHI_OK && r->run.user == r->run.own)
        status = try_guess(d, r, exchanged);
    if (status != MOSHI_OK)
        return status;
    describe(own, expected, sizeof expected);
    doctor_finding f = {"run: what the steps read", LAB_TIMELINE, DOCTOR_OK,
                        expected, "lay the tokens out as the model was "
                        "trained"};
    describe(r->guess, text, sizeof text);
    if (memcmp(&r->guess, &own, sizeof own) == 0) {
        doctor_add(d, f, "%s: %.2f nats a step, and no other way is likelier",
                   text, before);
    } else {
        f.status = DOCTOR_FAULT;
        if (r->guess.nobody)
            f.about = LAB_INPUT;
        doctor_add(d, f, "the run was made with %s: %.2f nats a step, against "
                   "%.2f as it should be", text, mean(r->kept, r->steps),
                   before);
    }
    return MOSHI_OK;
}

/* --- how the tokens were drawn --- */

static bool is_plausible(const run_part *p)
{
    return !p->count || run_temperatures[p->best] <= TEMPERATURE_MAX;
}

/* Are the ranks those of draws? 1.95 / sqrt(n) is passed by one in a thousand
 * of true draws. */
static bool is_drawn(const run_part *p)
{
    return p->unevenness < 1.95 / sqrt((double)p->count) &&
           p->drawn_at > TEMPERATURE_MAX;
}

static double percent(const run_part *p)
{
    return p->count ? 100.0 * (double)p->likeliest / (double)p->count : 100;
}

static void say(doctor *d, const record *r, doctor_status status,
                lab_class about, const char *advice, const char *what)
{
    doctor_finding f = {"run: how tokens were drawn", about, status,
                        "tokens that this model would choose, or draw at a "
                        "temperature up to 1.5", advice};
    doctor_add(d, f, "%s: %.0f %% of the text tokens and %.0f %% of the audio "
               "tokens are the likeliest", what,
               percent(&r->fit.part[RUN_TEXT]),
               percent(&r->fit.part[RUN_AUDIO]));
}

static moshi_status check_draws(doctor *d, record *r)
{
    char text[96];
    run_fit ranked = {.steps = r->tried};
    const run_part *audio = &ranked.part[RUN_AUDIO];
    if (is_plausible(&r->fit.part[RUN_AUDIO]) &&
        is_plausible(&r->fit.part[RUN_TEXT])) {
        say(d, r, DOCTOR_OK, LAB_SAMPLING, "", "as this model chooses");
        return MOSHI_OK;
    }
    moshi_status status = run_trial(&ranked, d->model, &r->run, r->steps,
                                    r->guess, true, &d->ignored);
    if (status != MOSHI_OK)
        return status;
    if (is_plausible(audio) && percent(&r->fit.part[RUN_TEXT]) < TEXT_FORCED) {
        say(d, r, DOCTOR_FAULT, LAB_SAMPLING, "let the model choose its text, "
            "at a text temperature of 0.7 or below",
            "the audio follows the text, but the text is not the model's");
    } else if (is_drawn(audio)) {
        snprintf(text, sizeof text, "drawn from this model at a temperature "
                 "of about %g", audio->drawn_at);
        say(d, r, DOCTOR_FAULT, LAB_SAMPLING, "lower the temperature: 0.8 for "
            "audio and 0.7 for text are published", text);
    } else {
        say(d, r, DOCTOR_FAULT, LAB_CANNOT_TELL, "the tokens come from other "
            "numbers than this model's: run 'moshi doctor' and 'moshi compare' "
            "on the program that made them",
            "neither chosen nor drawn from this model at any temperature");
    }
    return MOSHI_OK;
}

/* --- all of it --- */

static void examine(doctor *d, record *r)
{
    doctor_finding f = {"run: what the steps read", LAB_TIMELINE,
                        DOCTOR_SKIPPED, "", ""};
    if (r->run.user)
        check_heard(d, r);
    check_text(d, r);
    check_codes(d, r);
    if (d->params->sound && r->has_codes)
        doctor_run_sound(d, &r->codes);
    r->steps = r->run.steps < STEPS_MAX ? r->run.steps : STEPS_MAX;
    if (!r->run.user || !r->run.own) {
        doctor_add(d, f, "the file does not say what was heard (codes_in)");
        return;
    }
    if (r->steps < STEPS_LEAST) {
        doctor_add(d, f, "%zu steps are too few", r->steps);
        return;
    }
    r->kept = memory_calloc(r->steps, sizeof *r->kept);
    r->tried = memory_calloc(r->steps, sizeof *r->tried);
    if (!r->kept || !r->tried || check_layout(d, r) != MOSHI_OK ||
        check_draws(d, r) != MOSHI_OK)
        d->report->failed = true;
}

void doctor_run_check(doctor *d)
{
    record r = {0};
    moshi_error err = {0};
    doctor_finding f = {"run: file", LAB_CONFIG, DOCTOR_OK,
                        "text_tokens, audio_tokens and codes_in of this model",
                        "take the model that the run was made with, and the "
                        "tables of 'moshi gen --codes'"};
    if (!d->model) {
        f.status = DOCTOR_SKIPPED;
        doctor_add(d, f, "the model cannot be opened");
        return;
    }
    moshi_status status = trace_tokens_open(&r.run, d->params->run, &err);
    if (status == MOSHI_OK)
        status = trace_tokens_check(&r.run, &d->model->lm->config, &err);
    if (status == MOSHI_OK) {
        doctor_add(d, f, "%zu steps of %d own and %d heard codebooks",
                   r.run.steps, r.run.own, r.run.user);
        r.has_codes = trace_tokens_open_codes(&r.codes, d->params->run,
                                              &d->ignored) == MOSHI_OK;
        examine(d, &r);
    } else if (status == MOSHI_NO_MEMORY) {
        d->report->failed = true;
    } else {
        f.status = DOCTOR_FAULT;
        f.about = status == MOSHI_MISMATCH ? LAB_CONFIG : LAB_FILE;
        doctor_add_error(d, f, &err);
    }
    memory_free(r.kept);
    memory_free(r.tried);
    trace_tokens_release(&r.run);
    trace_tokens_release(&r.codes);
}
