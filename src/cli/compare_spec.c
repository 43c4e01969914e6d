/* compare_spec.c: read NAME=VALUE pairs between commas. */
#include "cli/compare_spec.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/model_args.h"
#include "cli/talk_args.h"
#include "tasks/cache_type.h"
#include "tasks/device.h"

#define NAMES "device, model, lm, mimi, tokenizer, config, mimi-config, " \
              "threads, gpu-layers, isa, acoustic-delay, activations, kv"

static moshi_status bad_value(const char *name, const char *text,
                              const char *expected, moshi_error *err)
{
    return error_set(err, MOSHI_ARGUMENT, "%s=%s: expected %s", name, text,
                     expected);
}

static bool number(const char *text, long least, long most, int *out)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    long n = strtol(text, &end, 10);
    *out = (int)n;
    return !*end && n >= least && n <= most;
}

/* A name or path of the model's, as the options of the same names. */
static bool set_path(moshi_model_params *p, const char *name, char *text)
{
    const struct { const char *name; const char **at; } paths[] = {
        {"lm", &p->lm},           {"mimi", &p->mimi},
        {"config", &p->config},   {"mimi-config", &p->mimi_config},
        {"tokenizer", &p->tokenizer}};
    if (strcmp(name, "model") == 0) { /* with everything in it */
        p->model = text;
        p->lm = p->mimi = p->config = p->mimi_config = p->tokenizer = NULL;
        return true;
    }
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (strcmp(name, paths[i].name) == 0) {
            *paths[i].at = text;
            return true;
        }
    return false;
}

static moshi_status set_isa(compare_spec *s, const char *text,
                            moshi_error *err)
{
    if (!cpu_level_from_name(text, &s->level))
        return bad_value("isa", text, "ref, avx2, avx2vnni or avx512; on Arm "
                         "ref, neon, dotprod or i8mm", err);
    if (cpu_level_here(s->level) && s->level <= cpu_level_best())
        return MOSHI_OK;
    error_set(err, MOSHI_LACKING, "this %s has no %s",
              cpu_level_here(s->level) ? "processor" : "build", text);
    return error_hint(err, "the best here is %s",
                      cpu_level_name(cpu_level_best()));
}

static moshi_status set_delay(moshi_model_params *p, const char *text,
                              moshi_error *err)
{
    int steps;
    if (!number(text, 0, LIMIT_DELAY, &steps))
        return bad_value("acoustic-delay", text, "steps, 0 to 64", err);
    p->acoustic_delay = steps == 0 ? -1 : steps; /* 0 is the model's own */
    return MOSHI_OK;
}

static moshi_status set(compare_spec *s, const char *name, char *text,
                        moshi_error *err)
{
    moshi_model_params *p = &s->params;
    if (set_path(p, name, text))
        return MOSHI_OK;
    if (strcmp(name, "device") == 0) {
        p->device = text;
        return device_name_check(text, err);
    }
    if (strcmp(name, "gpu-layers") == 0)
        return device_layers(text, &p->gpu_layers, err);
    if (strcmp(name, "isa") == 0)
        return set_isa(s, text, err);
    if (strcmp(name, "acoustic-delay") == 0)
        return set_delay(p, text, err);
    if (strcmp(name, "threads") == 0)
        return number(text, 1, LIMIT_THREADS, &p->threads)
                   ? MOSHI_OK
                   : bad_value(name, text, "1 to 256", err);
    if (strcmp(name, "activations") == 0) {
        p->exact_activations = strcmp(text, "exact") == 0;
        return p->exact_activations || strcmp(text, "official") == 0
                   ? MOSHI_OK
                   : bad_value(name, text, "exact or official", err);
    }
    if (strcmp(name, "kv") == 0) {
        p->kv = text;
        return cache_type_check(text, err);
    }
    error_set(err, MOSHI_ARGUMENT, "there is no setting '%s'", name);
    return error_hint(err, "settings are " NAMES);
}

moshi_status compare_spec_read(compare_spec *out, const options *o,
                               const char *text, moshi_error *err)
{
    compare_spec s = {.level = CPU_LEVEL_COUNT, .words = memory_strdup(text)};
    moshi_status status = talk_model_args(o, &s.params, err);
    if (status == MOSHI_OK && !s.words)
        status = error_no_memory(err, "the settings");
    for (char *at = s.words; status == MOSHI_OK && at && *at;) {
        char *word = at, *equals;
        at += strcspn(at, ",");
        if (*at)
            *at++ = 0;
        equals = strchr(word, '=');
        if (!equals) {
            error_set(err, MOSHI_ARGUMENT,
                      "'%s' is not of the form NAME=VALUE", word);
            status = error_hint(err, "settings are " NAMES);
            break;
        }
        *equals = 0;
        status = set(&s, word, equals + 1, err);
    }
    if (status == MOSHI_OK)
        status = model_args_default(&s.params, err);
    if (status == MOSHI_OK)
        *out = s;
    else
        compare_spec_release(&s);
    return status;
}

void compare_spec_release(compare_spec *s)
{
    memory_free(s->words);
    s->words = NULL;
}

bool compare_spec_named(const compare_spec *s, model_parts needed)
{
    const moshi_model_params *p = &s->params;
    return p->model || ((p->lm || !(needed & MODEL_PARTS_LM)) &&
                        (p->mimi || !(needed & MODEL_PARTS_MIMI)));
}
