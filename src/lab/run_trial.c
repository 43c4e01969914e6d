/* run_trial.c: forced steps over rows that are laid out here. */
#include "lab/run_trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "lab/lm_trial.h"

#define TOP_K 250 /* of the published programs */

const double run_temperatures[RUN_TEMPERATURES_COUNT] = {
#define TEMPERATURE(t) t,
    RUN_TEMPERATURES(TEMPERATURE)
#undef TEMPERATURE
};

/* Drawn from all tokens, or from the 250 likeliest, as programs do. */
enum { FROM_ALL, FROM_250, FROMS };

/* Where tokens of one kind fall among those that could have been drawn, 0 … 1,
 * at each temperature. */
typedef struct ranks {
    double *at[FROMS][RUN_TEMPERATURES_COUNT]; /* owned: [room] each */
    size_t n, room;
} ranks;

typedef struct ear {
    const lm_trial *trial;
    const plan *plan;
    bool takes_ranks;
    run_fit *out;
    bool counts;             /* this step does */
    int32_t row[1 + 2 * LIMIT_CODEBOOKS];  /* what the step reads */
    int32_t said[1 + LIMIT_CODEBOOKS];     /* what is forced */
    float *logits, *sorted;  /* owned: the widest */
    ranks ranks[RUN_KINDS];
    double acoustic;
    size_t n_acoustic, step;
} ear;

/* --- one token --- */

static double cost_at(const float *logits, size_t n, float most, int32_t token,
                      double temperature)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += exp((logits[i] - most) / temperature);
    return log(sum) + (most - logits[token]) / temperature;
}

static int descending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

/* The share of the draws, among the k likeliest, that is likelier than this
 * token, and half of its own: even between 0 and 1 when it was drawn so. */
static double rank_of(const float *sorted, size_t k, float logit,
                      double temperature)
{
    double above = 0, own = 0, sum = 0;
    for (size_t i = 0; i < k; i++) {
        double p = exp((sorted[i] - sorted[0]) / temperature);
        sum += p;
        if (sorted[i] > logit)
            above += p;
        else if (sorted[i] == logit)
            own += p;
    }
    return (above + own / 2) / sum;
}

static void take_ranks(ear *e, ranks *r, size_t n, int32_t token)
{
    size_t top = n < TOP_K ? n : TOP_K;
    memcpy(e->sorted, e->logits, n * sizeof *e->sorted);
    qsort(e->sorted, n, sizeof *e->sorted, descending);
    for (int t = 0; t < RUN_TEMPERATURES_COUNT && r->n < r->room; t++)
        for (int from = 0; from < FROMS; from++)
            r->at[from][t][r->n] =
                rank_of(e->sorted, from == FROM_ALL ? n : top,
                        e->logits[token], run_temperatures[t]);
    r->n++;
}

static void take(ear *e, size_t n, int column)
{
    int32_t token = e->said[column];
    int kind = column ? RUN_AUDIO : RUN_TEXT;
    run_part *p = &e->out->part[kind];
    float most = e->logits[0];
    if (token < 0 || (size_t)token >= n)
        return; /* no token: nobody's choice */
    for (size_t i = 1; i < n; i++)
        most = e->logits[i] > most ? e->logits[i] : most;
    p->count++;
    p->likeliest += e->logits[token] == most;
    for (int t = 0; t < RUN_TEMPERATURES_COUNT; t++)
        p->cost[t] += cost_at(e->logits, n, most, token, run_temperatures[t]);
    double cost = cost_at(e->logits, n, most, token, 1);
    e->out->steps[e->step] += cost;
    if (column > 1) {
        e->acoustic += cost;
        e->n_acoustic++;
    }
    if (e->takes_ranks)
        take_ranks(e, &e->ranks[kind], n, token);
}

/* The first operation has read the text token, which no guess changes; the row
 * is then exchanged for ours before the codebooks are read. */
static void listen(void *user, plan_runner *runner, const plan_op *op)
{
    ear *e = user;
    const lm_stream *s = e->trial->stream;
    if (op == e->plan->ops)
        s->backend->write(runner, s->plan->tokens_in, 0, e->row);
    if (op->kind != OP_SAMPLE || !e->counts)
        return;
    s->backend->read(runner, op->in[0], 0, e->logits);
    take(e, e->plan->tensors[op->in[0]].width, op->p.sample.column);
}

/* --- the rows --- */

/* Delays of a guess: those of the config, the acoustic ones exchanged. */
static void delays_of(const lm_config *c, run_guess guess, int *delays)
{
    lm_config other = *c;
    lm_config_set_delay(&other, guess.delay);
    memcpy(delays, other.delays, (size_t)(c->n_q + 1) * sizeof *delays);
}

/* docs/MODEL.md, delays: what step s reads. */
static void lay_out(ear *e, const lm_config *c, const trace_tokens *run,
                    size_t s, run_guess guess, const int *delays)
{
    int own = c->dep_q, user = c->n_q - c->dep_q;
    const int32_t *before = s ? run->tokens + (s - 1) * (1 + (size_t)own)
                              : NULL;
    e->row[0] = before ? before[0] : c->text_in - 1;
    for (int k = 0; k < own; k++)
        e->row[1 + k] = (int)s <= delays[1 + k] ? c->card : before[1 + k];
    for (int k = 0; k < user; k++) {
        int d = delays[1 + own + k];
        size_t f = (size_t)((int)s <= d ? 0 : (int)s - 1 - d);
        e->row[1 + own + k] =
            (int)s <= d    ? c->card
            : guess.nobody ? 0 : run->heard[f * (size_t)user + (size_t)k];
    }
    for (int k = 0; guess.exchanged && k < own && k < user; k++) {
        int32_t kept = e->row[1 + k];
        e->row[1 + k] = e->row[1 + own + k];
        e->row[1 + own + k] = kept;
    }
    memcpy(e->said, run->tokens + s * (1 + (size_t)own),
           (1 + (size_t)own) * sizeof *e->said);
}

static moshi_status run_steps(ear *e, lm_trial *t, const lm_config *c,
                              const trace_tokens *run, size_t steps,
                              run_guess guess)
{
    plan_hook hook = {listen, e, NULL};
    int delays[1 + 2 * LIMIT_CODEBOOKS];
    int32_t produced[1 + LIMIT_CODEBOOKS];
    int user = c->n_q - c->dep_q;
    delays_of(c, guess, delays);
    for (size_t s = 0; s < steps; s++) {
        e->step = s;
        e->counts = s >= RUN_FIRST;
        e->out->steps[s] = 0;
        lay_out(e, c, run, s, guess, delays);
        moshi_status status = lm_trial_step(
            t, run->heard + s * (size_t)user, e->said, produced, &hook);
        if (status != MOSHI_OK)
            return status;
    }
    return MOSHI_OK;
}

/* --- the sums --- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Largest distance of the distribution of n ranks from an even one. */
static double unevenness(double *at, size_t n)
{
    double worst = 0;
    qsort(at, n, sizeof *at, ascending);
    for (size_t i = 0; i < n; i++) {
        double before = (double)i / (double)n;
        double after = (double)(i + 1) / (double)n;
        worst = fmax(worst, fmax(fabs(at[i] - before), fabs(after - at[i])));
    }
    return worst;
}

static void judge_ranks(run_part *p, ranks *r)
{
    p->unevenness = 1;
    for (int from = 0; from < FROMS && r->n; from++)
        for (int t = 0; t < RUN_TEMPERATURES_COUNT; t++) {
            double u = unevenness(r->at[from][t], r->n);
            if (u < p->unevenness) {
                p->unevenness = u;
                p->drawn_at = run_temperatures[t];
            }
        }
}

static bool ranks_init(ranks *r, size_t room)
{
    bool ok = true;
    r->room = room;
    for (int from = 0; from < FROMS; from++)
        for (int t = 0; t < RUN_TEMPERATURES_COUNT; t++)
            ok = (r->at[from][t] = memory_calloc(room, sizeof(double))) && ok;
    return ok;
}

static void ranks_release(ranks *r)
{
    for (int from = 0; from < FROMS; from++)
        for (int t = 0; t < RUN_TEMPERATURES_COUNT; t++)
            memory_free(r->at[from][t]);
}

static void conclude(ear *e)
{
    for (int kind = 0; kind < RUN_KINDS; kind++) {
        run_part *p = &e->out->part[kind];
        for (int t = 0; t < RUN_TEMPERATURES_COUNT; t++) {
            p->cost[t] /= p->count ? (double)p->count : 1;
            if (p->cost[t] < p->cost[p->best])
                p->best = t;
        }
        if (e->takes_ranks)
            judge_ranks(p, &e->ranks[kind]);
    }
    e->out->acoustic = e->n_acoustic ? e->acoustic / (double)e->n_acoustic : 0;
}

moshi_status run_trial(run_fit *out, const moshi_model *model,
                       const trace_tokens *run, size_t steps,
                       run_guess guess, bool takes_ranks, moshi_error *err)
{
    lm_trial t = {0};
    const lm_config *c = &model->lm->config;
    const plan *p = model->lm->plain.plan;
    size_t widest = (size_t)(c->text_out > c->card ? c->text_out : c->card);
    *out = (run_fit){.steps = out->steps};
    ear e = {.trial = &t, .plan = p, .takes_ranks = takes_ranks,
             .out = out,
             .logits = memory_calloc(widest, sizeof *e.logits),
             .sorted = memory_calloc(widest, sizeof *e.sorted)};
    moshi_status status = e.logits && e.sorted
                              ? MOSHI_OK : error_no_memory(err, "the logits");
    for (int kind = 0; kind < RUN_KINDS && takes_ranks; kind++)
        if (!ranks_init(&e.ranks[kind],
                        steps * (kind == RUN_AUDIO ? (size_t)c->dep_q : 1)))
            status = error_no_memory(err, "the ranks of tokens");
    if (status == MOSHI_OK)
        status = lm_trial_init(&t, model, model->backend, err);
    if (status == MOSHI_OK)
        status = run_steps(&e, &t, c, run, steps, guess);
    if (status == MOSHI_OK)
        conclude(&e);
    lm_trial_release(&t);
    for (int kind = 0; kind < RUN_KINDS; kind++)
        ranks_release(&e.ranks[kind]);
    memory_free(e.logits);
    memory_free(e.sorted);
    return status;
}
