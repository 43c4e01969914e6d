/* stream.c: open, reset and step the conversations. */
#include "lm/stream.h"

#include <assert.h>

#include "base/error.h"
#include "base/memory.h"

/* --- conditions --- */

/* Project the source of cross-attention into one branch of the caches. */
static moshi_status write_source(lm_stream *s, const float *source,
                                 int positions, int branch, moshi_error *err)
{
    const lm_model *m = s->model;
    const lm_source_plan *sp = &m->source;
    backend *be = s->backend;
    size_t D = (size_t)m->config.dim, row = 2 * D * sizeof(float);
    plan_runner *runner = NULL;
    plan_state *state = NULL;
    float *chunk = memory_calloc(LM_SOURCE_ROWS * 2 * D, sizeof *chunk);
    moshi_status status = chunk ? MOSHI_OK
                                : error_no_memory(err, "the voice");
    if (status == MOSHI_OK)
        status = be->runner_open(be, sp->plan, 1, &runner, err);
    if (status == MOSHI_OK)
        status = be->state_open(be, sp->plan, &state, err);
    for (int p = 0; p < positions && status == MOSHI_OK; p += LM_SOURCE_ROWS) {
        int left = positions - p;
        size_t n = (size_t)(left < LM_SOURCE_ROWS ? left : LM_SOURCE_ROWS);
        for (size_t i = 0; i < LM_SOURCE_ROWS * D; i++)
            chunk[i] = i < n * D ? source[(size_t)p * D + i] : 0;
        be->write(runner, sp->input, 0, chunk);
        be->run(runner, &state, 1, NULL);
        size_t at = ((size_t)branch * (size_t)m->source_positions_max +
                     (size_t)p) * row;
        for (int l = 0; l < m->config.num_layers; l++) {
            be->read(runner, sp->output[l], 0, chunk);
            be->state_write(s->state, s->plan->source_cache[l], at, chunk,
                            n * row);
        }
    }
    be->state_close(&state);
    be->runner_close(&runner);
    memory_free(chunk);
    return status;
}

static moshi_status condition_branch(lm_stream *s, const lm_condition *given,
                                     int n, int branch, moshi_error *err)
{
    const lm_model *m = s->model;
    const conditioners *c = &m->conditioners;
    size_t D = (size_t)m->config.dim;
    int positions = conditioners_source_positions(c, given, n);
    if (positions > m->source_positions_max)
        return error_set(err, MOSHI_ARGUMENT,
                         "the voice has %d positions; %d are possible",
                         positions, m->source_positions_max);
    float *sum = memory_calloc(D, sizeof *sum);
    float *source = memory_calloc((size_t)positions * D, sizeof *source);
    moshi_status status = sum && source ? MOSHI_OK
                                        : error_no_memory(err, "conditions");
    if (status == MOSHI_OK)
        status = conditioners_sum(c, given, n, sum, err);
    if (status == MOSHI_OK && s->plan->condition != TENSOR_NONE)
        s->backend->state_write(s->state, s->plan->condition,
                                (size_t)branch * D * sizeof *sum, sum,
                                D * sizeof *sum);
    if (status == MOSHI_OK && positions > 0)
        status = conditioners_source(c, given, n, source, err);
    if (status == MOSHI_OK && s->plan->source_length != TENSOR_NONE) {
        int32_t length = positions;
        s->backend->state_write(s->state, s->plan->source_length,
                                (size_t)branch * sizeof length, &length,
                                sizeof length);
        if (positions > 0)
            status = write_source(s, source, positions, branch, err);
    }
    memory_free(sum);
    memory_free(source);
    return status;
}

/* --- streams --- */

static void write_settings(lm_stream *s)
{
    s->backend->state_write(s->state, s->plan->settings, 0, &s->sampling,
                            sizeof s->sampling);
}

moshi_status lm_stream_open(lm_stream **out, const lm_model *model,
                            backend *be, const lm_stream_params *params,
                            moshi_error *err)
{
    const lm_config *c = &model->config;
    if (params->guided && !model->guided.plan)
        return error_set(err, MOSHI_ARGUMENT,
                         "guidance needs a model with conditions; this one "
                         "has none");
    lm_stream *s = memory_calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "a conversation");
    s->model = model;
    s->plan = params->guided ? &model->guided : &model->plain;
    s->backend = be;
    s->sampling = params->sampling;
    timeline_init(&s->timeline, c->dep_q, c->n_q - c->dep_q, c->delays,
                  c->text_in - 1, c->card);
    moshi_status status = be->state_open(be, s->plan->plan, &s->state, err);
    if (status == MOSHI_OK) {
        write_settings(s);
        status = condition_branch(s, params->conditions, params->n_conditions,
                                  0, err);
    }
    if (status == MOSHI_OK && params->guided)
        status = condition_branch(s, params->null_conditions,
                                  params->n_null_conditions, 1, err);
    if (status != MOSHI_OK) {
        lm_stream_close(&s);
        return status;
    }
    *out = s;
    return MOSHI_OK;
}

void lm_stream_close(lm_stream **handle)
{
    if (!*handle)
        return;
    (*handle)->backend->state_close(&(*handle)->state);
    memory_free(*handle);
    *handle = NULL;
}

void lm_stream_reset(lm_stream *s)
{
    s->backend->state_reset(s->state);
    write_settings(s);
    timeline_reset(&s->timeline);
}

bool lm_stream_frame(const lm_stream *s, int32_t *codes)
{
    if (!timeline_frame(&s->timeline, codes))
        return false;
    /* Forced tokens may be initial ones, or none at all. */
    for (int k = 0; k < s->timeline.own; k++)
        if (codes[k] < 0 || codes[k] >= s->model->config.card)
            return false;
    return true;
}

/* --- steps --- */

moshi_status lm_runner_open(lm_runner **out, const lm_model *model,
                            backend *be, bool guided, int lanes_max,
                            moshi_error *err)
{
    lm_runner *r = memory_calloc(1, sizeof *r);
    if (!r)
        return error_no_memory(err, "the model's scratch");
    *r = (lm_runner){.model = model,
                     .plan = guided ? &model->guided : &model->plain,
                     .backend = be,
                     .lanes_max = lanes_max};
    moshi_status status = be->runner_open(be, r->plan->plan, lanes_max,
                                          &r->runner, err);
    if (status != MOSHI_OK) {
        memory_free(r);
        return status;
    }
    *out = r;
    return MOSHI_OK;
}

void lm_runner_close(lm_runner **handle)
{
    if (!*handle)
        return;
    (*handle)->backend->runner_close(&(*handle)->runner);
    memory_free(*handle);
    *handle = NULL;
}

static bool in_range(int32_t token, int32_t count)
{
    return token >= TOKEN_ZERO && token < count;
}

/* Ids that an embedding table has a row for; two streams multiplexed in one
 * id reach further (docs/MODEL.md, embedding variants), as far as an id can. */
static int32_t text_ids(const lm_config *c)
{
    int64_t n = c->text_in;
    if (c->demux)
        n *= n + 1;
    return n < INT32_MAX ? (int32_t)n : INT32_MAX;
}

static bool tokens_valid(const lm_config *c, const int32_t *user,
                         const int32_t *forced)
{
    for (int k = 0; k < c->n_q - c->dep_q; k++)
        if (!in_range(user[k], c->card + 1))
            return false;
    if (!forced)
        return true;
    if (forced[0] != TOKEN_FREE && !in_range(forced[0], text_ids(c)))
        return false;
    for (int k = 0; k < c->dep_q; k++)
        if (forced[1 + k] != TOKEN_FREE && !in_range(forced[1 + k],
                                                     c->card + 1))
            return false;
    return true;
}

static void write_inputs(lm_runner *r, lm_stream *s, int lane,
                         const int32_t *user, const int32_t *forced)
{
    int32_t tokens[2 * (1 + LIMIT_CODEBOOKS)], choice[1 + LIMIT_CODEBOOKS];
    const lm_config *c = &r->model->config;
    int n = 1 + c->n_q;
    timeline_hear(&s->timeline, user);
    timeline_inputs(&s->timeline, tokens);
    if (r->plan->plan->branches == 2)
        for (int i = 0; i < n; i++)
            tokens[n + i] = tokens[i];
    for (int i = 0; i < 1 + c->dep_q; i++)
        choice[i] = forced ? forced[i] : TOKEN_FREE;
    r->backend->write(r->runner, r->plan->tokens_in, lane, tokens);
    r->backend->write(r->runner, r->plan->forced, lane, choice);
}

moshi_status lm_step(lm_runner *r, lm_stream *const *streams, int n,
                     const int32_t *const *user, const int32_t *const *forced,
                     int32_t *const *tokens, const plan_hook *hook)
{
    plan_state *states[LIMIT_LANES] = {0};
    assert(n <= r->lanes_max);
    for (int i = 0; i < n; i++) {
        assert(streams[i]->plan == r->plan);
        if (!tokens_valid(&r->model->config, user[i],
                          forced ? forced[i] : NULL))
            return MOSHI_ARGUMENT;
    }
    for (int i = 0; i < n; i++) {
        states[i] = streams[i]->state;
        write_inputs(r, streams[i], i, user[i], forced ? forced[i] : NULL);
    }
    r->backend->run(r->runner, states, n, hook);
    for (int i = 0; i < n; i++) {
        r->backend->read(r->runner, r->plan->tokens_out, i, tokens[i]);
        timeline_advance(&streams[i]->timeline, tokens[i]);
    }
    return MOSHI_OK;
}
