/* trace_notes.c: gather what a run was. */
#include "lab/trace_notes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <moshi/version.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/backend.h"
#include "files/sha256.h"
#include "lab/trace_format.h"
#include "tasks/cache_type.h"
#include "tasks/stream_params.h"

void trace_notes_release(trace_notes *n)
{
    for (size_t i = 0; i < n->n; i++)
        memory_free((char *)(uintptr_t)n->list[i].text);
    *n = (trace_notes){0};
}

static void add_owned(trace_notes *n, const char *key, char *text)
{
    if (!text || n->n == TRACE_NOTES_MAX) {
        n->failed = true;
        memory_free(text);
        return;
    }
    n->list[n->n++] = (tensor_note){key, text};
}

void trace_notes_add(trace_notes *n, const char *key, const char *text)
{
    add_owned(n, key, memory_strdup(text));
}

void trace_notes_add_value(trace_notes *n, const char *key, value *v)
{
    add_owned(n, key, v ? value_to_json(v) : NULL);
    value_close(&v);
}

static value *text_value(const char *text)
{
    return value_new_string(text, strlen(text));
}

/* --- files --- */

static moshi_status add_file(value *list, const char *part, const char *path,
                             bool hashes, moshi_error *err)
{
    char hex[SHA256_HEX_BYTES] = "";
    struct stat info;
    if (!path)
        return MOSHI_OK;
    bool regular = strcmp(path, "-") != 0 && stat(path, &info) == 0 &&
                   S_ISREG(info.st_mode);
    if (hashes && regular) {
        moshi_status status = sha256_hex_of_file(path, hex, err);
        if (status != MOSHI_OK && status != MOSHI_LACKING)
            return status;
    }
    value *f = value_new(VALUE_OBJECT);
    bool ok = f && value_add(f, "part", text_value(part)) &&
              value_add(f, "name", text_value(path));
    if (ok && regular)
        ok = value_add(f, "bytes", value_new_integer((int64_t)info.st_size));
    if (ok && hex[0])
        ok = value_add(f, "sha256", text_value(hex));
    if (!ok) {
        value_close(&f);
        return error_no_memory(err, "the notes of a trace");
    }
    return value_append(list, f) ? MOSHI_OK
                                 : error_no_memory(err, "the notes of a trace");
}

static moshi_status add_files(trace_notes *n, const moshi_model *m,
                              const trace_inputs *in, bool hashes,
                              moshi_error *err)
{
    const struct { const char *part, *path; } files[] = {
        {"lm", m->files.lm},
        {"mimi", m->files.mimi},
        {"tokenizer", m->files.tokenizer},
        {"config", m->files.config},
        {"mimi_config", m->files.mimi_config},
        {"input", in->recording},
        {"tokens", in->tokens}};
    value *list = value_new(VALUE_ARRAY);
    moshi_status status = list ? MOSHI_OK
                               : error_no_memory(err, "the notes of a trace");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (status == MOSHI_OK)
            status = add_file(list, files[i].part, files[i].path, hashes, err);
    if (status != MOSHI_OK)
        value_close(&list);
    else
        trace_notes_add_value(n, "files", list);
    return status;
}

/* --- configs --- */

static bool add_field(value *config, const char *name, value *v,
                      const char *from)
{
    value *field = value_new(VALUE_OBJECT);
    if (!field) {
        value_close(&v);
        return false;
    }
    if (value_add(field, "value", v) &&
        value_add(field, "from", text_value(from)))
        return value_add(config, name, field);
    value_close(&field);
    return false;
}

static value *list_value(const int *list, int n)
{
    value *v = value_new(VALUE_ARRAY);
    for (int i = 0; v && i < n; i++)
        if (!value_append(v, value_new_integer(list[i])))
            value_close(&v);
    return v;
}

static value *lm_value(const lm_config *given)
{
    lm_config c = *given;
    value *v = value_new(VALUE_OBJECT);
    bool ok = v != NULL;
    for (int f = 0; f < LM_FIELD_delays && ok; f++)
        if (c.from[f])
            ok = add_field(v, lm_field_name((lm_field)f),
                           value_new_integer(
                               *lm_config_integer(&c, (lm_field)f)),
                           lm_origin_name(c.from[f]));
    ok = ok && add_field(v, "delays", list_value(c.delays, 1 + c.n_q),
                         lm_origin_name(c.from[LM_FIELD_delays]));
    if (ok && c.known_as)
        ok = value_add(v, "known_as", text_value(c.known_as));
    if (!ok)
        value_close(&v);
    return v;
}

static value *mimi_value(const mimi_config *c)
{
    const struct { const char *name; int v; bool by_shape; } rows[] = {
        {"sample_rate", c->sample_rate_hz, false},
        {"frame_samples", c->frame_samples, true},
        {"dimension", c->dimension, true},
        {"num_layers", c->layers, true},
        {"num_heads", c->heads, false},
        {"context", c->context, false},
        {"max_period", (int)c->max_period, false},
        {"n_q", c->codebooks, true},
        {"bins", c->bins, true}};
    value *v = value_new(VALUE_OBJECT);
    bool ok = v != NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && ok; i++)
        ok = add_field(v, rows[i].name, value_new_integer(rows[i].v),
                       rows[i].by_shape ? "shapes" : c->from);
    if (!ok)
        value_close(&v);
    return v;
}

/* --- how it ran --- */

static void add_types(bool *types, const checkpoint *file)
{
    for (size_t i = 0; i < checkpoint_count(file); i++)
        types[checkpoint_at(file, i)->type] = true;
}

/* "F32,Q8_0": the types of the weights, of the codec only if it is alone. */
static void add_weights(trace_notes *n, const moshi_model *m)
{
    bool types[DTYPE_COUNT] = {0};
    char text[128] = "";
    size_t at = 0;
    add_types(types, m->lm ? m->lm->file : m->mimi->file);
    for (int t = 0; t < DTYPE_COUNT; t++)
        if (types[t] && dtype_is_weight((dtype)t) && at < sizeof text)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s",
                                   at ? "," : "", dtype_info((dtype)t)->name);
    trace_notes_add(n, "weights", text);
}

static bool quantizes(const plan *p)
{
    for (size_t i = 0; i < p->n_ops; i++)
        if (p->ops[i].kind == OP_QUANTIZE ||
            (p->ops[i].kind == OP_LINEAR && p->ops[i].p.linear.int8))
            return true;
    return false;
}

static void add_machine(trace_notes *n, const moshi_model *m)
{
    char text[32];
    const char *name = m->backend->name;
    trace_notes_add(n, "backend", name);
    if (strcmp(name, "cpu") != 0)
        return;
    trace_notes_add(n, "isa", cpu_level_name(cpu_backend_level(m->backend)));
    snprintf(text, sizeof text, "%d", cpu_backend_threads(m->backend));
    trace_notes_add(n, "threads", text);
}

static value *sampling_value(const moshi_model *m,
                             const moshi_stream_params *p)
{
    stream_settings s;
    moshi_error ignored;
    value *v = value_new(VALUE_OBJECT);
    if (!v || stream_settings_make(&s, m, p, &ignored) != MOSHI_OK)
        return v; /* opening the conversation says what is wrong */
    const sampler *c = &s.lm.sampling;
    if (value_add(v, "temp", value_new_real(c->audio.temperature)) &&
        value_add(v, "text_temp", value_new_real(c->text.temperature)) &&
        value_add(v, "top_k", value_new_integer(c->audio.top_k)) &&
        value_add(v, "text_top_k", value_new_integer(c->text.top_k)) &&
        value_add(v, "cfg_alpha", value_new_real(c->guidance)))
        return v;
    value_close(&v);
    return NULL;
}

static void add_language_model(trace_notes *n, const moshi_model *m,
                               const moshi_stream_params *p)
{
    char seed[24];
    uint64_t number = p->seed ? p->seed : STREAM_SEED;
    snprintf(seed, sizeof seed, "%" PRIu64, number);
    trace_notes_add(n, "activations",
                    quantizes(m->lm->plain.plan) ? "q8_0" : "exact");
    trace_notes_add(n, "kv", cache_type_name(m->lm->plain.plan));
    trace_notes_add(n, "seed", p->greedy ? "none" : seed);
    trace_notes_add_value(n, "sampling", sampling_value(m, p));
    trace_notes_add_value(n, "config", lm_value(&m->lm->config));
}

moshi_status trace_notes_make(trace_notes *n, const moshi_model *m,
                              const moshi_stream_params *sampling,
                              const trace_inputs *inputs, bool hashes,
                              moshi_error *err)
{
    static const moshi_stream_params none;
    *n = (trace_notes){0};
    trace_notes_add(n, TRACE_VERSION_KEY, TRACE_VERSION);
    trace_notes_add(n, "engine", "moshi.c");
    trace_notes_add(n, "version", MOSHI_VERSION_STRING);
    trace_notes_add(n, "build", __VERSION__);
    trace_notes_add(n, "traced", m->lm ? "gen" : "codec");
    trace_notes_add(n, "produced", inputs->tokens ? "forced" : "free");
    add_machine(n, m);
    add_weights(n, m);
    if (m->lm)
        add_language_model(n, m, sampling ? sampling : &none);
    trace_notes_add_value(n, "mimi_config", mimi_value(&m->mimi->config));
    moshi_status status = add_files(n, m, inputs, hashes, err);
    if (status == MOSHI_OK && n->failed)
        status = error_no_memory(err, "the notes of a trace");
    if (status != MOSHI_OK)
        trace_notes_release(n);
    return status;
}
