/* dialogue.c: the loop of speech_to_speech.c, for several at once. */
#include "tasks/dialogue.h"

#include <assert.h>

#include "base/error.h"
#include "base/memory.h"
#include "tasks/stream_params.h"

static moshi_status check_model(const moshi_model *model, moshi_error *err)
{
    const lm_config *c = &model->lm->config;
    if (c->dep_q > 0 && c->n_q > c->dep_q)
        return MOSHI_OK;
    error_set(err, MOSHI_UNSUPPORTED, "%s: this model %s, so it cannot hold a "
              "conversation", model->files.lm,
              c->dep_q ? "does not listen" : "does not speak");
    return error_hint(err, "take a model such as moshiko, moshika or Hibiki");
}

moshi_status dialogue_sampling(const moshi_model *model,
                               const moshi_stream_params *params,
                               sampler *out, moshi_error *err)
{
    stream_settings settings;
    moshi_status status = stream_settings_make(&settings, model, params, err);
    if (status == MOSHI_OK)
        *out = settings.lm.sampling;
    return status;
}

moshi_status dialogue_open(dialogue **out, moshi_model *model,
                           const moshi_stream_params *params,
                           const sampler *sampling, moshi_error *err)
{
    stream_settings settings;
    backend *be = model->backend;
    moshi_status status = check_model(model, err);
    if (status == MOSHI_OK)
        status = stream_settings_make(&settings, model, params, err);
    if (status != MOSHI_OK)
        return status;
    if (sampling)
        settings.lm.sampling = *sampling;
    dialogue *c = memory_calloc(1, sizeof *c);
    if (!c)
        return error_no_memory(err, "a conversation");
    c->model = model;
    words_init(&c->words);
    status = mimi_encoder_open(&c->encoder, model->mimi, be, err);
    if (status == MOSHI_OK)
        status = mimi_decoder_open(&c->decoder, model->mimi, be, err);
    if (status == MOSHI_OK)
        status = lm_stream_open(&c->lm, model->lm, be, &settings.lm, err);
    if (status != MOSHI_OK) {
        dialogue_close(&c);
        return status;
    }
    *out = c;
    return MOSHI_OK;
}

void dialogue_close(dialogue **handle)
{
    dialogue *c = *handle;
    if (!c)
        return;
    lm_stream_close(&c->lm);
    mimi_decoder_close(&c->decoder);
    mimi_encoder_close(&c->encoder);
    memory_free(c);
    *handle = NULL;
}

struct dialogue_runner {
    moshi_model *model;  /* borrowed */
    mimi_runner *codec;  /* owned, as the next two */
    lm_runner *lm;
    int32_t *codes;      /* [lanes_max][codebooks of the codec] */
};

moshi_status dialogue_runner_open(dialogue_runner **out,
                                  moshi_model *model, bool guided,
                                  int lanes_max, moshi_error *err)
{
    backend *be = model->backend;
    size_t cells;
    moshi_status status = check_model(model, err);
    if (status != MOSHI_OK)
        return status;
    dialogue_runner *r = memory_calloc(1, sizeof *r);
    if (!r)
        return error_no_memory(err, "the conversations");
    r->model = model;
    if (size_mul((size_t)lanes_max, (size_t)model->mimi->codebooks, &cells))
        r->codes = memory_calloc(cells, sizeof *r->codes);
    if (!r->codes)
        status = error_no_memory(err, "the conversations");
    if (status == MOSHI_OK)
        status = mimi_runner_open(&r->codec, model->mimi, be, MIMI_BOTH,
                                  lanes_max, err);
    if (status == MOSHI_OK)
        status = lm_runner_open(&r->lm, model->lm, be, guided, lanes_max, err);
    if (status != MOSHI_OK) {
        dialogue_runner_close(&r);
        return status;
    }
    *out = r;
    return MOSHI_OK;
}

void dialogue_runner_close(dialogue_runner **handle)
{
    dialogue_runner *r = *handle;
    if (!r)
        return;
    lm_runner_close(&r->lm);
    mimi_runner_close(&r->codec);
    memory_free(r->codes);
    memory_free(r);
    *handle = NULL;
}

static void hear_all(dialogue_runner *r, dialogue *const *who,
                   dialogue_frame *const *frames, int n)
{
    const lm_config *c = &r->model->lm->config;
    mimi_encoder *encoders[LIMIT_LANES] = {0};
    const float *pcm[LIMIT_LANES] = {0};
    int32_t *codes[LIMIT_LANES] = {0};
    for (int i = 0; i < n; i++) {
        encoders[i] = who[i]->encoder;
        pcm[i] = frames[i]->heard;
        codes[i] = r->codes + i * r->model->mimi->codebooks;
    }
    mimi_encode_frame(r->codec, encoders, n, pcm, codes, NULL);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < c->n_q - c->dep_q; k++)
            frames[i]->codes_in[k] = codes[i][k];
}

static void think(dialogue_runner *r, dialogue *const *who,
                  dialogue_frame *const *frames, int n)
{
    lm_stream *streams[LIMIT_LANES];
    const int32_t *heard[LIMIT_LANES];
    int32_t *tokens[LIMIT_LANES];
    for (int i = 0; i < n; i++) {
        streams[i] = who[i]->lm;
        heard[i] = frames[i]->codes_in;
        tokens[i] = frames[i]->tokens;
    }
    moshi_status status = lm_step(r->lm, streams, n, heard, NULL, tokens,
                                  NULL);
    assert(status == MOSHI_OK); /* the codec only makes codes in range */
    (void)status;
}

static void speak(dialogue_runner *r, dialogue *const *who,
                  dialogue_frame *const *frames, int n)
{
    mimi_decoder *decoders[LIMIT_LANES];
    const int32_t *codes[LIMIT_LANES];
    float *pcm[LIMIT_LANES];
    int m = 0;
    for (int i = 0; i < n; i++) {
        dialogue_frame *f = frames[i];
        f->has_spoken = lm_stream_frame(who[i]->lm, f->codes_out);
        f->text_bytes = words_hear(&who[i]->words, r->model, f->tokens[0],
                                   f->text);
        if (!f->has_spoken)
            continue;
        decoders[m] = who[i]->decoder;
        codes[m] = f->codes_out;
        pcm[m++] = f->spoken;
    }
    if (m == 0)
        return;
    moshi_status status = mimi_decode_frame(r->codec, decoders, m, codes,
                                            r->model->lm->config.dep_q, pcm,
                                            NULL);
    assert(status == MOSHI_OK); /* heads cannot produce the initial token */
    (void)status;
}

void dialogue_run(dialogue_runner *r, dialogue *const *who,
                  dialogue_frame *const *frames, int n)
{
    assert(n > 0 && n <= LIMIT_LANES);
    hear_all(r, who, frames, n);
    think(r, who, frames, n);
    speak(r, who, frames, n);
}
