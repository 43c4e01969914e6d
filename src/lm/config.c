/* config.c: the fields of a config by number; derived values. */
#include "lm/config.h"

const char *lm_field_name(lm_field field)
{
    static const char *const names[LM_FIELD_COUNT] = {
#define FIELD_NAME(field, name) [LM_FIELD_##field] = name,
        LM_INTEGERS(FIELD_NAME)
#undef FIELD_NAME
        [LM_FIELD_delays] = "delays",
        [LM_FIELD_schedule] = "depformer_weights_per_step_schedule",
        [LM_FIELD_conditioners] = "conditioners",
    };
    return names[field];
}

const char *lm_origin_name(lm_origin origin)
{
    static const char *const names[] = {"nowhere", "shapes", "config",
                                        "preset", "option"};
    return names[origin];
}

int *lm_config_integer(lm_config *c, lm_field field)
{
    switch (field) {
#define FIELD_CASE(field, name) \
    case LM_FIELD_##field:      \
        return &c->field;
        LM_INTEGERS(FIELD_CASE)
#undef FIELD_CASE
    default:
        return NULL;
    }
}

int lm_config_acoustic_delay(const lm_config *config)
{
    int most = 0;
    for (int i = 1; i <= config->n_q; i++)
        if (config->delays[i] > most)
            most = config->delays[i];
    return most;
}

void lm_config_set(lm_config *c, lm_field field, int v, lm_origin from)
{
    *lm_config_integer(c, field) = v;
    c->from[field] = from;
}

void lm_config_set_delay(lm_config *c, int delay)
{
    for (int i = 0; i < c->n_q; i++)
        c->delays[1 + i] = i != 0 && i != c->dep_q ? delay : 0;
    c->from[LM_FIELD_delays] = LM_FROM_OPTION;
}
