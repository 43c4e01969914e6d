/* doctor_reference.c: the likelihood of a reference conversation, if one lies
 * beside the model: against the same frames in another order, and under other
 * delays. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "lab/doctor_work.h"
#include "lab/likelihood.h"

#define REFERENCE_NAME "reference.safetensors"
#define FRAMES_MAX 64  /* five seconds */
#define FRAMES_LEAST 16
#define SIGMAS 4.0
#define DELAYS_TRIED 2 /* to either side */

/* Every frame once, in an order that keeps no two neighbours together. */
static void shuffle(size_t *order, size_t n)
{
    uint32_t state = 12345;
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n - 1; i > 0; i--) {
        state = state * 1664525u + 1013904223u;
        size_t j = (state >> 8) % (i + 1), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

/* How much likelier a is than b, per step, in standard errors. */
static double sigmas(const double *a, const double *b, size_t n)
{
    double sum = 0, squares = 0, m = (double)n;
    for (size_t i = 0; i < n; i++) {
        double gain = b[i] - a[i];
        sum += gain;
        squares += gain * gain;
    }
    double variance = (squares - sum * sum / m) / (m - 1);
    double error = sqrt((variance > 0 ? variance : 0) / m);
    return error > 0 ? sum / m / error : sum > 0 ? INFINITY : 0;
}

/* All that is measured; steps are [T] each. */
typedef struct measures {
    likelihood real, shuffled, delayed;
    double *steps[3]; /* owned */
    size_t *order;    /* owned */
} measures;

static bool measures_init(measures *m, size_t T)
{
    *m = (measures){.order = memory_calloc(T, sizeof *m->order)};
    bool ok = m->order != NULL;
    for (int i = 0; i < 3; i++)
        ok = (m->steps[i] = memory_calloc(T, sizeof **m->steps)) && ok;
    m->real.steps = m->steps[0];
    m->shuffled.steps = m->steps[1];
    m->delayed.steps = m->steps[2];
    if (ok)
        shuffle(m->order, T);
    return ok;
}

static void measures_release(measures *m)
{
    for (int i = 0; i < 3; i++)
        memory_free(m->steps[i]);
    memory_free(m->order);
}

static void report_shuffle(doctor *d, const measures *m, size_t T)
{
    double s = sigmas(m->real.steps, m->shuffled.steps, T);
    doctor_finding f = {"likelihood: reference", LAB_MODEL_CODE, DOCTOR_OK,
                        "a real conversation is likelier than its frames in "
                        "another order, by more than 4 standard errors",
                        "the numbers of this model do not come out as they "
                        "were trained: compare a trace with another engine's"};
    if (s < SIGMAS)
        f.status = DOCTOR_FAULT;
    doctor_add(d, f, "%zu frames: text %.2f nats (shuffled %.2f), semantic "
               "%.2f (%.2f), acoustic %.2f (%.2f); %.1f standard errors", T,
               m->real.text, m->shuffled.text, m->real.semantic,
               m->shuffled.semantic, m->real.acoustic, m->shuffled.acoustic,
               s);
}

/* Is another acoustic delay likelier than the one in force? */
static moshi_status check_delays(doctor *d, const conversation *c, measures *m)
{
    /* The model's, which an option may have changed, not the file's. */
    const lm_config *config = &d->model->lm->config;
    int in_force = lm_config_acoustic_delay(config), best = in_force;
    double best_sigmas = 0, guess = log((double)config->card);
    doctor_finding f = {"likelihood: delay", LAB_TIMELINE, DOCTOR_OK,
                        "the delay in force is the likeliest",
                        "use the delays that the model was trained with"};
    for (int delay = in_force - DELAYS_TRIED; delay <= in_force + DELAYS_TRIED;
         delay++) {
        lm_config other = *config;
        if (delay < 0 || delay > LIMIT_DELAY || delay == in_force)
            continue;
        lm_config_set_delay(&other, delay);
        moshi_status status = likelihood_measure(&m->delayed, d->model, c,
                                                 NULL, other.delays,
                                                 &d->ignored);
        if (status != MOSHI_OK)
            return status;
        double s = sigmas(m->delayed.steps, m->real.steps, c->T);
        /* Under the right delay the acoustic tokens are foreseen; where they
         * are not, one that is less wrong says nothing of delays. */
        if (s > SIGMAS && s > best_sigmas && m->delayed.acoustic < guess) {
            best = delay;
            best_sigmas = s;
        }
    }
    if (best != in_force) {
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "an acoustic delay of %d is likelier than the %d in "
                   "force, by %.1f standard errors", best, in_force,
                   best_sigmas);
    } else {
        doctor_add(d, f, "none of the delays %d to %d is likelier than %d",
                   in_force > DELAYS_TRIED ? in_force - DELAYS_TRIED : 0,
                   in_force + DELAYS_TRIED, in_force);
    }
    return MOSHI_OK;
}

static moshi_status examine(doctor *d, const conversation *c)
{
    measures m;
    doctor_announce(d, "likelihood of %zu frames, six times", c->T);
    moshi_status status = measures_init(&m, c->T) ? MOSHI_OK : MOSHI_NO_MEMORY;
    if (status == MOSHI_OK)
        status = likelihood_measure(&m.real, d->model, c, NULL, NULL,
                                    &d->ignored);
    if (status == MOSHI_OK)
        status = likelihood_measure(&m.shuffled, d->model, c, m.order, NULL,
                                    &d->ignored);
    if (status == MOSHI_OK) {
        /* A wrong delay blurs the first measure too, and explains it. */
        status = c->own > 1 ? check_delays(d, c, &m) : MOSHI_OK;
        report_shuffle(d, &m, c->T);
    }
    measures_release(&m);
    return status;
}

void doctor_reference_check(doctor *d)
{
    char path[4096];
    moshi_error err = {0};
    conversation c = {0};
    doctor_finding f = {"likelihood: reference", LAB_MODEL_CODE,
                        DOCTOR_SKIPPED, "", ""};
    if (!d->model) {
        doctor_add(d, f, "the model cannot be opened");
        return;
    }
    if (!doctor_beside(d, REFERENCE_NAME, path, sizeof path)) {
        doctor_add(d, f, "no " REFERENCE_NAME " lies beside the model");
        return;
    }
    if (conversation_open(&c, path, &d->lm, FRAMES_MAX, &err) != MOSHI_OK) {
        f.status = DOCTOR_WARNING;
        f.about = LAB_FILE;
        f.advice = "take the reference of this very model";
        doctor_add_error(d, f, &err);
        return;
    }
    if (c.T < FRAMES_LEAST)
        doctor_add(d, f, "%zu frames are too few", c.T);
    else if (examine(d, &c) != MOSHI_OK)
        d->report->failed = true;
    conversation_release(&c);
}
