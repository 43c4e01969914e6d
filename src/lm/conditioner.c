/* conditioner.c: look up, project, add positions. */
#include "lm/conditioner.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

void conditioners_load(weights *w, const lm_config *config, conditioners *out)
{
    char name[256];
    size_t D = (size_t)config->dim;
    *out = (conditioners){.config = config};
    for (int i = 0; i < config->n_conditioners; i++) {
        const lm_conditioner *k = &config->conditioners[i];
        const char *prefix = "condition_provider.conditioners.";
        size_t dim = (size_t)k->dim;
        if (k->kind == LM_CONDITIONER_LUT) {
            snprintf(name, sizeof name, "%s%s.embed.weight", prefix, k->name);
            out->item[i].table =
                weights_floats(w, name, (size_t)(k->n_bins + 1) * dim);
        }
        snprintf(name, sizeof name, "%s%s.output_proj.weight", prefix,
                 k->name);
        out->item[i].project = weights_floats(w, name, D * dim);
        snprintf(name, sizeof name, "%s%s.learnt_padding", prefix, k->name);
        out->item[i].padding = weights_floats(w, name, D);
    }
}

static const lm_condition *find_given(const lm_condition *given, int n,
                                      const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(given[i].name, name) == 0)
            return &given[i];
    return NULL;
}

/* "very_bad, bad, neutral" */
static void list_values(const lm_conditioner *k, char *text, size_t room)
{
    size_t at = 0;
    text[0] = 0;
    for (int v = 0; v < k->n_values && at < room; v++)
        at += (size_t)snprintf(text + at, room - at, "%s%s", v ? ", " : "",
                               k->values[v]);
}

static moshi_status check_names(const conditioners *c,
                                const lm_condition *given, int n,
                                moshi_error *err)
{
    for (int i = 0; i < n; i++) {
        int k = 0;
        while (k < c->config->n_conditioners &&
               strcmp(c->config->conditioners[k].name, given[i].name) != 0)
            k++;
        if (k < c->config->n_conditioners)
            continue;
        error_set(err, MOSHI_ARGUMENT, "the model has no condition '%s'",
                  given[i].name);
        return c->config->n_conditioners
                   ? error_hint(err, "it has '%s'%s",
                                c->config->conditioners[0].name,
                                c->config->n_conditioners > 1 ? " and others"
                                                              : "")
                   : error_hint(err, "this model takes no conditions");
    }
    return MOSHI_OK;
}

/* Row of the table for a value, by its place in the list of values. */
static moshi_status find_row(const lm_conditioner *k, const char *text,
                             int *row, moshi_error *err)
{
    char values[256];
    for (int v = 0; v < k->n_values; v++)
        if (strcmp(k->values[v], text) == 0) {
            *row = v;
            return MOSHI_OK;
        }
    list_values(k, values, sizeof values);
    error_set(err, MOSHI_ARGUMENT, "condition '%s' has no value '%s'", k->name,
              text);
    return error_hint(err, "one of: %s", values);
}

static void project_add(const float *matrix, const float *x, size_t D,
                        size_t dim, float *out)
{
    for (size_t d = 0; d < D; d++) {
        float sum = 0;
        for (size_t i = 0; i < dim; i++)
            sum += matrix[d * dim + i] * x[i];
        out[d] += sum;
    }
}

moshi_status conditioners_sum(const conditioners *c, const lm_condition *given,
                              int n, float *out, moshi_error *err)
{
    size_t D = (size_t)c->config->dim;
    moshi_status status = check_names(c, given, n, err);
    memset(out, 0, D * sizeof *out);
    for (int i = 0; i < c->config->n_conditioners && !status; i++) {
        const lm_conditioner *k = &c->config->conditioners[i];
        const lm_condition *g = find_given(given, n, k->name);
        int row = 0;
        if (k->cross)
            continue;
        if (!g || (!g->text && !g->tensor)) {
            for (size_t d = 0; d < D; d++)
                out[d] += c->item[i].padding[d];
        } else if (!g->text || k->kind != LM_CONDITIONER_LUT) {
            status = error_set(err, MOSHI_ARGUMENT,
                               "condition '%s' takes one of a list of words",
                               k->name);
        } else {
            status = find_row(k, g->text, &row, err);
            if (status == MOSHI_OK)
                project_add(c->item[i].project,
                            c->item[i].table + (size_t)row * (size_t)k->dim, D,
                            (size_t)k->dim, out);
        }
    }
    return status;
}

int conditioners_source_positions(const conditioners *c,
                                  const lm_condition *given, int n)
{
    int sum = 0;
    for (int i = 0; i < c->config->n_conditioners; i++) {
        const lm_conditioner *k = &c->config->conditioners[i];
        const lm_condition *g = find_given(given, n, k->name);
        if (k->cross && g && g->tensor)
            sum += g->positions;
    }
    return sum;
}

/* Cosines in the first half, sines in the second, period 10000, exponent
 * i / (D/2 - 1); over all positions, masked ones too. */
static void add_positions(float *out, int positions, size_t D, float scale)
{
    size_t half = D / 2;
    for (int p = 0; p < positions; p++)
        for (size_t i = 0; i < half; i++) {
            float period = powf(10000.0f, (float)i / (float)(half - 1));
            float angle = (float)p / period;
            out[(size_t)p * D + i] += scale * cosf(angle);
            out[(size_t)p * D + half + i] += scale * sinf(angle);
        }
}

moshi_status conditioners_source(const conditioners *c,
                                 const lm_condition *given, int n, float *out,
                                 moshi_error *err)
{
    size_t D = (size_t)c->config->dim;
    moshi_status status = check_names(c, given, n, err);
    float *at = out;
    for (int i = 0; i < c->config->n_conditioners && !status; i++) {
        const lm_conditioner *k = &c->config->conditioners[i];
        const lm_condition *g = find_given(given, n, k->name);
        size_t dim = (size_t)k->dim;
        if (!k->cross || !g || !g->tensor)
            continue;
        for (int p = 0; p < g->positions; p++, at += D) {
            if (g->mask && !g->mask[p]) {
                memcpy(at, c->item[i].padding, D * sizeof *at);
            } else {
                memset(at, 0, D * sizeof *at);
                project_add(c->item[i].project, g->tensor + (size_t)p * dim, D,
                            dim, at);
            }
        }
    }
    if (status == MOSHI_OK && c->config->cross_positions)
        add_positions(out, conditioners_source_positions(c, given, n), D,
                      c->config->cross_position_scale);
    return status;
}
