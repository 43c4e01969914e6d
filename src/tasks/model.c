/* model.c: open the parts of a model and hold them against each other. */
#include "tasks/model.h"

#include "base/error.h"
#include "base/memory.h"
#include "cpu/backend.h"
#include "files/value.h"
#include "tasks/cache_type.h"
#include "tasks/codec_weights.h"

/* Codebooks that the codec must have: those heard, and those spoken. */
static int codebooks_needed(const lm_config *c)
{
    int user = c->n_q - c->dep_q;
    return user > c->dep_q ? user : c->dep_q;
}

static moshi_status open_codec(moshi_model *m,
                               const moshi_model_params *params,
                               moshi_error *err)
{
    const lm_config *c = &m->lm->config;
    /* Only the codebooks that are needed: each costs a product a frame. */
    mimi_model_params p = {.path = m->files.mimi,
                           .config_path = m->files.mimi_config,
                           .codebooks = codebooks_needed(c),
                           .later = true};
    moshi_status status = codec_weights_set(&p, m->backend,
                                            params->codec_weights, err);
    if (status != MOSHI_OK)
        return status;
    status = mimi_model_open(&m->mimi, &p, err);
    if (status == MOSHI_ARGUMENT) /* the file has fewer */
        return error_set(err, MOSHI_MISMATCH,
                         "%s holds fewer than the %d codebooks that the "
                         "language model %s needs", m->files.mimi, p.codebooks,
                         m->files.lm);
    if (status == MOSHI_OK && m->mimi->config.bins != c->card)
        return error_set(err, MOSHI_MISMATCH,
                         "%s has %d entries in a codebook but the language "
                         "model %s has card = %d", m->files.mimi,
                         m->mimi->config.bins, m->files.lm, c->card);
    return status;
}

static moshi_status open_text(moshi_model *m, moshi_error *err)
{
    const lm_config *c = &m->lm->config;
    if (!m->files.tokenizer)
        return MOSHI_OK;
    moshi_status status = tokenizer_open(&m->tokenizer, m->files.tokenizer,
                                         err);
    if (status != MOSHI_OK)
        return status;
    int pieces = tokenizer_size(m->tokenizer);
    if (pieces == c->text_in - 1)
        return MOSHI_OK;
    error_set(err, MOSHI_MISMATCH,
              "%s has %d pieces but the language model %s has %d text tokens%s"
              "%s", m->files.tokenizer, pieces, m->files.lm, c->text_in - 1,
              c->known_as ? "; it matches the known model " : "",
              c->known_as ? c->known_as : "");
    return error_hint(err, "use the tokenizer of the model's own repository");
}

static void read_defaults(moshi_model *m, const value *config)
{
    const value *gen = value_get(config, "lm_gen_config");
    int64_t k;
    model_defaults *d = &m->defaults;
    *d = (model_defaults){-1, -1, -1, -1};
    value_real(value_get(gen, "temp"), &d->temperature);
    /* Both spellings occur. */
    value_real(value_get(gen, "text_temp"), &d->text_temperature);
    value_real(value_get(gen, "temp_text"), &d->text_temperature);
    if (value_integer(value_get(gen, "top_k"), &k) && k > 0 && k < 1 << 20)
        d->top_k = (int)k;
    if (value_integer(value_get(gen, "top_k_text"), &k) && k > 0 && k < 1 << 20)
        d->text_top_k = (int)k;
}

static moshi_status open_lm(moshi_model *m, const moshi_model_params *params,
                            moshi_error *err)
{
    value *config = NULL;
    checkpoint *file = NULL;
    moshi_status status = MOSHI_OK;
    int delay = params->acoustic_delay; /* 0: the model's own; -1: none */
    lm_model_params p = {
        .config_path = m->files.config,
        .activations = params->exact_activations ? LM_ACTIVATIONS_EXACT
                                                 : LM_ACTIVATIONS_AS_OFFICIAL,
        .acoustic_delay = delay == 0 ? -1 : delay == -1 ? 0 : delay,
    };
    if (delay < -1)
        return error_set(err, MOSHI_ARGUMENT, "an acoustic delay of %d steps",
                         delay);
    status = cache_type_choose(&p.cache, params->kv, err);
    if (status == MOSHI_OK && m->files.config)
        status = value_open(&config, m->files.config, err);
    if (status == MOSHI_OK)
        status = checkpoint_open(&file, m->files.lm, err);
    if (status == MOSHI_OK) {
        read_defaults(m, config);
        status = lm_model_from_checkpoint(&m->lm, &file, config, &p, err);
    }
    value_close(&config);
    return status;
}

moshi_status model_place(moshi_model *m, const moshi_model_params *params,
                         cpu_level level, moshi_error *err)
{
    const plan *plans[3];
    size_t n = 0;
    if (m->lm)
        plans[n++] = m->lm->plain.plan;
    if (m->mimi) {
        plans[n++] = m->mimi->encoder;
        plans[n++] = m->mimi->decoder;
    }
    return device_place(&m->backend, params->device, plans, n,
                        params->gpu_layers, params->threads, level,
                        &m->device, err);
}

moshi_status model_open(moshi_model **out, const moshi_model_params *params,
                        cpu_level level, moshi_error *err)
{
    moshi_error ignored;
    err = err ? err : &ignored;
    moshi_model *m = memory_calloc(1, sizeof *m);
    if (!m)
        return error_no_memory(err, "the model");
    moshi_status status = model_files_find(&m->files, params,
                                           MODEL_PARTS_BOTH, err);
    if (status == MOSHI_OK)
        status = device_open(&m->backend, params->device, params->threads,
                             level, &m->device, err);
    if (status == MOSHI_OK)
        status = open_lm(m, params, err);
    if (status == MOSHI_OK)
        status = open_codec(m, params, err);
    if (status == MOSHI_OK)
        status = model_place(m, params, level, err);
    if (status == MOSHI_OK)
        status = open_text(m, err);
    if (status == MOSHI_OK && params->prefault != -1)
        status = model_prefault(m, params, err);
    if (status != MOSHI_OK) {
        moshi_model_close(&m);
        return status;
    }
    *out = m;
    return MOSHI_OK;
}

moshi_status moshi_model_open(moshi_model **out,
                              const moshi_model_params *params,
                              moshi_error *err)
{
    return model_open(out, params, CPU_LEVEL_COUNT, err);
}

void moshi_model_close(moshi_model **handle)
{
    if (!handle || !*handle)
        return;
    moshi_model *m = *handle;
    prefault_close(&m->loading); /* it reads what is closed below */
    tokenizer_close(&m->tokenizer);
    mimi_model_close(&m->mimi);
    lm_model_close(&m->lm);
    if (m->backend)
        m->backend->close(&m->backend);
    model_files_release(&m->files);
    memory_free(m);
    *handle = NULL;
}

void moshi_model_get_info(const moshi_model *m, moshi_model_info *info)
{
    const lm_config *c = &m->lm->config;
    *info = (moshi_model_info){
        .known_as = c->known_as,
        .sample_rate_hz = m->mimi->config.sample_rate_hz,
        .frame_samples = m->mimi->config.frame_samples,
        .codebooks_in = c->n_q - c->dep_q,
        .codebooks_out = c->dep_q,
        .acoustic_delay = lm_config_acoustic_delay(c),
        .acoustic_delay_own = m->lm->acoustic_delay_own,
        .text_tokens = c->text_in - 1,
        .has_tokenizer = m->tokenizer != NULL,
        .threads = cpu_backend_threads(m->backend),
        .device = m->device.name,
        .device_note = m->device.note,
    };
}
