/* likelihood.c: forced steps, and a hook that reads the logits of each choice
 * before they are written over. */
#include "lab/likelihood.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/checkpoint.h"
#include "lab/lm_trial.h"

/* --- the conversation --- */

void conversation_release(conversation *c)
{
    memory_free(c->text);
    memory_free(c->codes);
    *c = (conversation){0};
}

/* Tensor `name` of K rows (0: a vector) and T or more columns. */
static moshi_status find(const checkpoint *file, const char *name, int K,
                         size_t *T, const checkpoint_tensor **out,
                         moshi_error *err)
{
    char shape[160];
    const checkpoint_tensor *t = checkpoint_find(file, name);
    if (!t)
        return error_set(err, MOSHI_MISMATCH, "%s: tensor %s is missing",
                         checkpoint_path(file), name);
    checkpoint_shape_text(t, shape, sizeof shape);
    int n_dims = K ? 2 : 1;
    if (t->type != DTYPE_I32 || t->n_dims != n_dims ||
        (K && t->dims[0] != (size_t)K) || t->dims[n_dims - 1] == 0 ||
        (*T && t->dims[n_dims - 1] != *T))
        return error_set(err, MOSHI_MISMATCH,
                         "%s: tensor %s is %s in %s, expected %d rows of one "
                         "length for all, in I32", checkpoint_path(file), name,
                         shape, dtype_info(t->type)->name, K ? K : 1);
    *T = t->dims[n_dims - 1];
    *out = t;
    return MOSHI_OK;
}

static moshi_status take(const checkpoint *file, const checkpoint_tensor *t,
                         size_t k, size_t f, int32_t least, int32_t count,
                         int32_t *out, moshi_error *err)
{
    size_t T = t->dims[t->n_dims - 1];
    memcpy(out, (const char *)t->data + (k * T + f) * sizeof *out, sizeof *out);
    if (*out >= least && *out < count)
        return MOSHI_OK;
    return error_set(err, MOSHI_MISMATCH,
                     "%s: tensor %s holds %d in row %zu, frame %zu; the model "
                     "has tokens 0 to %d", checkpoint_path(file), t->name,
                     *out, k, f, count - 1);
}

static moshi_status fill(conversation *c, const checkpoint *file,
                         const lm_config *config,
                         const checkpoint_tensor *const side[3],
                         moshi_error *err)
{
    moshi_status status = MOSHI_OK;
    int n = c->own + c->heard;
    for (size_t f = 0; f < c->T && status == MOSHI_OK; f++) {
        status = take(file, side[0], 0, f, 0, config->text_out, &c->text[f],
                      err);
        for (int k = 0; k < n && status == MOSHI_OK; k++) {
            const checkpoint_tensor *t = side[k < c->own ? 1 : 2];
            status = take(file, t, (size_t)(k < c->own ? k : k - c->own), f, 0,
                          config->card, &c->codes[f * (size_t)n + (size_t)k],
                          err);
        }
    }
    return status;
}

moshi_status conversation_open(conversation *out, const char *path,
                               const lm_config *config, size_t frames_max,
                               moshi_error *err)
{
    conversation c = {.own = config->dep_q,
                      .heard = config->n_q - config->dep_q};
    checkpoint *file = NULL;
    const checkpoint_tensor *side[3] = {NULL};
    size_t T = 0;
    moshi_status status = checkpoint_open(&file, path, err);
    if (status == MOSHI_OK)
        status = find(file, "text", 0, &T, &side[0], err);
    if (status == MOSHI_OK && c.own)
        status = find(file, "own", c.own, &T, &side[1], err);
    if (status == MOSHI_OK && c.heard)
        status = find(file, "user", c.heard, &T, &side[2], err);
    if (status == MOSHI_OK) {
        c.T = T < frames_max ? T : frames_max;
        c.text = memory_calloc(c.T, sizeof *c.text);
        c.codes = memory_calloc(c.T * (size_t)config->n_q, sizeof *c.codes);
        status = c.text && c.codes ? fill(&c, file, config, side, err)
                                   : error_no_memory(err, "the reference");
    }
    checkpoint_close(&file);
    if (status == MOSHI_OK)
        *out = c;
    else
        conversation_release(&c);
    return status;
}

/* --- likelihood --- */

/* What the hook needs, and what it gathers in one step. */
typedef struct ear {
    const lm_trial *trial;
    int32_t forced[1 + LIMIT_CODEBOOKS]; /* of this step */
    float *logits;         /* owned: room for the widest */
    double sum[3];         /* text, semantic, acoustic: -ln p */
    size_t count[3];
} ear;

static double surprise(const float *logits, size_t n, int32_t token)
{
    double most = logits[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        most = logits[i] > most ? logits[i] : most;
    for (size_t i = 0; i < n; i++)
        sum += exp(logits[i] - most);
    return log(sum) + most - logits[token];
}

static void listen(void *user, plan_runner *runner, const plan_op *op)
{
    ear *e = user;
    const lm_stream *s = e->trial->stream;
    if (op->kind != OP_SAMPLE)
        return;
    int column = op->p.sample.column;
    size_t n = s->plan->plan->tensors[op->in[0]].width;
    int32_t token = e->forced[column];
    int kind = op->p.sample.text ? 0 : column == 1 ? 1 : 2;
    if (token < 0 || (size_t)token >= n)
        return; /* initial tokens are nobody's choice */
    s->backend->read(runner, op->in[0], 0, e->logits);
    e->sum[kind] += surprise(e->logits, n, token);
    e->count[kind]++;
}

static const int32_t *row(const conversation *c, const size_t *order, size_t f)
{
    return c->codes + (order ? order[f] : f) * (size_t)(c->own + c->heard);
}

static moshi_status measure(likelihood *out, lm_trial *t, ear *e,
                            const conversation *c, const size_t *order,
                            const int *delays)
{
    int32_t *forced = e->forced, tokens[1 + LIMIT_CODEBOOKS];
    plan_hook hook = {listen, e, NULL};
    double totals[3] = {0};
    size_t counts[3] = {0};
    for (size_t s = 0; s < c->T; s++) {
        forced[0] = c->text[order ? order[s] : s];
        for (int k = 0; k < c->own; k++) {
            size_t delay = (size_t)delays[1 + k];
            forced[1 + k] = s < delay ? t->model->config.card
                                      : row(c, order, s - delay)[k];
        }
        memset(e->sum, 0, sizeof e->sum);
        memset(e->count, 0, sizeof e->count);
        moshi_status status = lm_trial_step(t, row(c, order, s) + c->own,
                                            forced, tokens, &hook);
        if (status != MOSHI_OK)
            return status;
        out->steps[s] = 0;
        for (int i = 0; i < 3; i++) {
            out->steps[s] += e->sum[i];
            totals[i] += e->sum[i];
            counts[i] += e->count[i];
        }
    }
    for (int i = 0; i < 3; i++)
        totals[i] /= counts[i] ? (double)counts[i] : 1;
    out->text = totals[0];
    out->semantic = totals[1];
    out->acoustic = totals[2];
    return MOSHI_OK;
}

moshi_status likelihood_measure(likelihood *out, const moshi_model *model,
                                const conversation *c, const size_t *order,
                                const int *delays, moshi_error *err)
{
    lm_trial t = {0};
    const lm_config *config = &model->lm->config;
    size_t widest = (size_t)(config->text_out > config->card ? config->text_out
                                                             : config->card);
    ear e = {.trial = &t,
             .logits = memory_calloc(widest + 1, sizeof *e.logits)};
    moshi_status status = e.logits ? MOSHI_OK
                                   : error_no_memory(err, "the logits");
    if (status == MOSHI_OK)
        status = lm_trial_init(&t, model, model->backend, err);
    if (status == MOSHI_OK) {
        delays = delays ? delays : config->delays;
        timeline_init(&t.stream->timeline, c->own, c->heard, delays,
                      config->text_in - 1, config->card);
        status = measure(out, &t, &e, c, order, delays);
    }
    lm_trial_release(&t);
    memory_free(e.logits);
    return status;
}
