/* stream_params.c: check the wishes, fill in the defaults. */
#include "tasks/stream_params.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

#define TEMPERATURE 0.8f
#define TOP_K 250

static moshi_status check(const moshi_stream_params *p, moshi_error *err)
{
    const struct { const char *name; float value; } numbers[] = {
        {"temperature", p->temperature},
        {"text temperature", p->text_temperature},
        {"guidance", p->guidance}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!(numbers[i].value >= 0 && numbers[i].value <= 100))
            return error_set(err, MOSHI_ARGUMENT,
                             "%s = %g; between 0 and 100 is possible",
                             numbers[i].name, (double)numbers[i].value);
    if (p->top_k < -1 || p->text_top_k < -1)
        return error_set(err, MOSHI_ARGUMENT,
                         "top-k must be -1 (all), 0 (default) or more");
    return MOSHI_OK;
}

static sampler_choice choice(float temperature, int top_k, double model_temp,
                             int model_top_k, uint64_t seed)
{
    sampler_choice c = {.seed = seed};
    c.temperature = temperature > 0  ? temperature
                    : model_temp >= 0 ? (float)model_temp
                                      : TEMPERATURE;
    c.top_k = top_k != 0 ? top_k : model_top_k > 0 ? model_top_k : TOP_K;
    return c;
}

/* "name=value" into the next condition; the name is copied. */
static moshi_status add_condition(stream_settings *s, const char *text,
                                  moshi_error *err)
{
    const char *equals = strchr(text, '=');
    int i = s->lm.n_conditions;
    if (!equals || equals == text ||
        (size_t)(equals - text) >= sizeof s->names[0])
        return error_set(err, MOSHI_ARGUMENT,
                         "condition '%s' is not of the form name=value", text);
    if (i == LIMIT_CONDITIONERS)
        return error_set(err, MOSHI_ARGUMENT, "more than %d conditions",
                         LIMIT_CONDITIONERS);
    memcpy(s->names[i], text, (size_t)(equals - text));
    s->conditions[i] = (lm_condition){.name = s->names[i], .text = equals + 1};
    s->lm.n_conditions++;
    return MOSHI_OK;
}

static bool has_condition(const stream_settings *s, const char *name)
{
    for (int i = 0; i < s->lm.n_conditions; i++)
        if (strcmp(s->conditions[i].name, name) == 0)
            return true;
    return false;
}

static bool knows_word(const lm_conditioner *k, const char *word)
{
    for (int v = 0; v < k->n_values; v++)
        if (strcmp(k->values[v], word) == 0)
            return true;
    return false;
}

/* What the official gen does for Hibiki (docs/MODEL.md, conditioners). */
static void add_description(stream_settings *s, const lm_config *c)
{
    for (int k = 0; k < c->n_conditioners; k++) {
        const lm_conditioner *given = &c->conditioners[k];
        if (strcmp(given->name, "description") != 0)
            continue;
        if (!has_condition(s, "description") &&
            knows_word(given, "very_good") &&
            s->lm.n_conditions < LIMIT_CONDITIONERS)
            s->conditions[s->lm.n_conditions++] =
                (lm_condition){.name = given->name, .text = "very_good"};
        if (knows_word(given, "very_bad"))
            s->null_conditions[s->lm.n_null_conditions++] =
                (lm_condition){.name = given->name, .text = "very_bad"};
    }
}

moshi_status stream_settings_make(stream_settings *out,
                                  const moshi_model *model,
                                  const moshi_stream_params *params,
                                  moshi_error *err)
{
    static const moshi_stream_params none;
    const moshi_stream_params *p = params ? params : &none;
    const model_defaults *d = &model->defaults;
    uint64_t seed = p->seed ? p->seed : STREAM_SEED;
    moshi_status status = check(p, err);
    memset(out, 0, sizeof *out);
    if (!p->greedy) {
        out->lm.sampling.text = choice(p->text_temperature, p->text_top_k,
                                       d->text_temperature, d->text_top_k,
                                       seed);
        /* Its own sequence: text and audio must not draw the same numbers. */
        out->lm.sampling.audio = choice(p->temperature, p->top_k,
                                        d->temperature, d->top_k, ~seed);
    }
    /* 1 would compute the null branch only to cancel it. */
    out->lm.guided = p->guidance != 0 && p->guidance != 1.0f;
    out->lm.sampling.guidance = p->guidance;
    for (size_t i = 0; i < p->n_conditions && status == MOSHI_OK; i++)
        status = add_condition(out, p->conditions[i], err);
    if (status == MOSHI_OK)
        add_description(out, &model->lm->config);
    out->lm.conditions = out->conditions;
    out->lm.null_conditions = out->null_conditions;
    return status;
}
