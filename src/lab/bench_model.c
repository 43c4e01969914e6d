/* bench_model.c: the model that is measured: from files, or made up. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "files/value.h"
#include "lab/bench.h"
#include "lab/bench_loop.h"
#include "lab/synth_list.h"
#include "tasks/cache_type.h"
#include "tasks/codec_weights.h"

static moshi_status open_codec(bench_model *b, const char *kept,
                               moshi_error *err)
{
    moshi_model *m = b->model;
    mimi_model_params p = {.path = m->files.mimi,
                           .config_path = m->files.mimi_config};
    moshi_status status = codec_weights_set(&p, m->backend, kept, err);
    return status == MOSHI_OK ? mimi_model_open(&m->mimi, &p, err) : status;
}

moshi_status bench_model_open(bench_model *out,
                              const moshi_model_params *params, int filled,
                              moshi_error *err)
{
    bench_model b = {0};
    if (params->model || params->lm) {
        double start = clock_seconds();
        moshi_status status = moshi_model_open(&b.model, params, err);
        if (status != MOSHI_OK)
            return status;
        double opened = clock_seconds();
        if (filled)
            status = bench_loop_fits(b.model, filled, 0, err);
        if (status != MOSHI_OK) {
            bench_model_close(&b);
            return status;
        }
        moshi_model_wait(b.model);
        b.open_ms = 1e3 * (opened - start);
        b.load_ms = 1e3 * (clock_seconds() - opened);
        *out = b;
        return MOSHI_OK;
    }
    moshi_model_params p = *params;
    p.config = NULL; /* of a language model */
    b.model = memory_calloc(1, sizeof *b.model);
    if (!b.model)
        return error_no_memory(err, "the codec");
    moshi_status status = model_files_find(&b.model->files, &p,
                                           MODEL_PARTS_MIMI, err);
    if (status == MOSHI_OK)
        status = device_open(&b.model->backend, params->device,
                             params->threads, CPU_LEVEL_COUNT,
                             &b.model->device, err);
    if (status == MOSHI_OK)
        status = open_codec(&b, params->codec_weights, err);
    if (status == MOSHI_OK && filled)
        status = bench_loop_fits(b.model, filled, 0, err);
    if (status == MOSHI_OK)
        *out = b;
    else
        bench_model_close(&b);
    return status;
}

static moshi_status parse(value **out, const char *text, moshi_error *err)
{
    return text ? value_parse_json(out, text, strlen(text), "the preset", err)
                : MOSHI_OK;
}

/* What the language model is made of. */
typedef struct lm_recipe {
    const synth_parts *parts;
    const char *label;
    value *config; /* owned */
    lm_model_params p;
} lm_recipe;

static moshi_status begin_lm(lm_recipe *r, bench_model *b,
                             const moshi_model_params *params,
                             moshi_error *err)
{
    r->p = (lm_model_params){
        .config_path = "the preset",
        .acoustic_delay = -1,
        .activations = params->exact_activations
                           ? LM_ACTIVATIONS_EXACT
                           : LM_ACTIVATIONS_AS_OFFICIAL};
    moshi_status status = cache_type_choose(&r->p.cache, params->kv, err);
    if (status == MOSHI_OK)
        status = parse(&r->config, r->parts->lm_config, err);
    if (status == MOSHI_OK)
        status = synth_memory_map(&b->lm_bytes, r->parts->lm,
                                  r->parts->format, r->label, err);
    return status;
}

static moshi_status open_lm(const lm_recipe *r, bench_model *b,
                            moshi_error *err)
{
    checkpoint *file = NULL;
    lm_model_close(&b->model->lm);
    moshi_status status = checkpoint_open_memory(&file, b->lm_bytes.bytes,
                                                 b->lm_bytes.n_bytes,
                                                 r->label, err);
    return status == MOSHI_OK
               ? lm_model_from_checkpoint(&b->model->lm, &file, r->config,
                                          &r->p, err)
               : status;
}

/* As many codebooks as the language model hears or speaks. */
static int codebooks(const lm_model *lm)
{
    if (!lm)
        return 0;
    int user = lm->config.n_q - lm->config.dep_q;
    return user > lm->config.dep_q ? user : lm->config.dep_q;
}

static moshi_status make_mimi(bench_model *b, const synth_parts *parts,
                              const char *kept, moshi_error *err)
{
    value *config = NULL;
    checkpoint *file = NULL;
    mimi_model_params p = {.config_path = "the preset",
                           .codebooks = codebooks(b->model->lm)};
    moshi_status status = codec_weights_set(&p, b->model->backend, kept,
                                            err);
    if (status == MOSHI_OK)
        status = parse(&config, parts->mimi_config, err);
    if (status == MOSHI_OK)
        status = synth_memory_map(&b->mimi_bytes, parts->mimi,
                                  CHECKPOINT_SAFETENSORS, "the codec", err);
    if (status == MOSHI_OK)
        status = synth_memory_fill(&b->mimi_bytes, parts->mimi,
                                   CHECKPOINT_SAFETENSORS, NULL, NULL, err);
    if (status == MOSHI_OK)
        status = checkpoint_open_memory(&file, b->mimi_bytes.bytes,
                                        b->mimi_bytes.n_bytes, "the codec",
                                        err);
    if (status == MOSHI_OK)
        status = mimi_model_from_checkpoint(&b->model->mimi, &file, config, &p,
                                            err);
    value_close(&config);
    return status;
}

/* The language model's weights come last: until then they are zeros without
 * memory, which is enough to know what it and its streams will take. */
static moshi_status make_parts(bench_model *b, const synth_parts *parts,
                               const char *label,
                               const moshi_model_params *params, int filled,
                               synth_progress *progress, void *user,
                               moshi_error *err)
{
    lm_recipe r = {.parts = parts, .label = label};
    moshi_status status = MOSHI_OK;
    if (parts->lm)
        status = begin_lm(&r, b, params, err);
    if (status == MOSHI_OK && parts->lm)
        status = open_lm(&r, b, err);
    if (status == MOSHI_OK)
        status = make_mimi(b, parts, params->codec_weights, err);
    if (status == MOSHI_OK && filled)
        status = bench_loop_fits(b->model, filled, b->lm_bytes.n_bytes, err);
    if (status == MOSHI_OK && parts->lm)
        status = synth_memory_fill(&b->lm_bytes, parts->lm, parts->format,
                                   progress, user, err);
    if (status == MOSHI_OK && parts->lm)
        status = open_lm(&r, b, err);
    value_close(&r.config);
    return status;
}

moshi_status bench_model_synthetic(bench_model *out, const char *preset,
                                   const moshi_model_params *params,
                                   int filled, synth_progress *progress,
                                   void *user, moshi_error *err)
{
    bench_model b = {0};
    synth_parts parts = {0};
    moshi_status status = synth_parts_make(&parts, preset, err);
    if (status == MOSHI_OK) {
        b.model = memory_calloc(1, sizeof *b.model);
        if (!b.model)
            status = error_no_memory(err, "the model");
    }
    if (status == MOSHI_OK) {
        b.model->defaults = (model_defaults){-1, -1, -1, -1};
        status = device_open(&b.model->backend, params->device,
                             params->threads, CPU_LEVEL_COUNT,
                             &b.model->device, err);
    }
    if (status == MOSHI_OK)
        status = make_parts(&b, &parts, preset, params, filled, progress,
                            user, err);
    if (status == MOSHI_OK)
        status = model_place(b.model, params, CPU_LEVEL_COUNT, err);
    synth_parts_release(&parts);
    if (status == MOSHI_OK)
        *out = b;
    else
        bench_model_close(&b);
    return status;
}

void bench_model_close(bench_model *b)
{
    moshi_model_close(&b->model);
    synth_memory_release(&b->lm_bytes);
    synth_memory_release(&b->mimi_bytes);
}
