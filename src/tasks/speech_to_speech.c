/* speech_to_speech.c: one frame heard, one step thought, one frame spoken. */
#include "tasks/speech_to_speech.h"

#include <assert.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "tasks/stream_params.h"

moshi_status speech_to_speech_open(speech_to_speech **out, moshi_model *model,
                                   const moshi_stream_params *params,
                                   moshi_error *err)
{
    stream_settings settings;
    const lm_config *c = &model->lm->config;
    moshi_status status = stream_settings_make(&settings, model, params, err);
    if (status != MOSHI_OK)
        return status;
    if (c->dep_q == 0 || c->n_q == c->dep_q) {
        error_set(err, MOSHI_UNSUPPORTED, "%s: this model %s, so it cannot "
                  "hold a conversation", model->files.lm,
                  c->dep_q ? "does not listen" : "does not speak");
        return error_hint(err, "take a model such as moshiko, moshika or "
                          "Hibiki");
    }
    speech_to_speech *s = memory_calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "a conversation");
    s->model = model;
    s->scratch_codes = memory_calloc((size_t)model->mimi->codebooks,
                                     sizeof *s->scratch_codes);
    if (!s->scratch_codes)
        status = error_no_memory(err, "a conversation");
    backend *be = model->backend;
    if (status == MOSHI_OK)
        status = mimi_runner_open(&s->codec, model->mimi, be, MIMI_BOTH, 1,
                                  err);
    if (status == MOSHI_OK)
        status = mimi_encoder_open(&s->encoder, model->mimi, be, err);
    if (status == MOSHI_OK)
        status = mimi_decoder_open(&s->decoder, model->mimi, be, err);
    if (status == MOSHI_OK)
        status = lm_stream_open(&s->lm, model->lm, be, &settings.lm, err);
    if (status == MOSHI_OK)
        status = lm_runner_open(&s->runner, model->lm, be, settings.lm.guided,
                                1, err);
    if (status != MOSHI_OK) {
        speech_to_speech_close(&s);
        return status;
    }
    *out = s;
    return MOSHI_OK;
}

void speech_to_speech_close(speech_to_speech **handle)
{
    speech_to_speech *s = *handle;
    if (!s)
        return;
    lm_runner_close(&s->runner);
    lm_stream_close(&s->lm);
    mimi_decoder_close(&s->decoder);
    mimi_encoder_close(&s->encoder);
    mimi_runner_close(&s->codec);
    memory_free(s->scratch_codes);
    memory_free(s);
    *handle = NULL;
}

void speech_to_speech_reset(speech_to_speech *s)
{
    mimi_encoder_reset(s->encoder);
    mimi_decoder_reset(s->decoder);
    lm_stream_reset(s->lm);
}

bool speech_to_speech_is_text(const moshi_model *model, int32_t token)
{
    const lm_config *c = &model->lm->config;
    return token >= 0 && token != c->text_pad && token != c->text_end_pad &&
           token < c->text_in - 1;
}

/* The temporal part of a step ends when the text token has been chosen. */
static void note_text_token(void *user, plan_runner *runner, const plan_op *op)
{
    speech_to_speech *s = user;
    (void)runner;
    if (op->kind == OP_SAMPLE && op->p.sample.text)
        s->temporal_done = clock_seconds();
}

static bool is_text_token(void *user, const plan_op *op)
{
    (void)user;
    return op->kind == OP_SAMPLE && op->p.sample.text;
}

void speech_to_speech_frame(speech_to_speech *s, const float *pcm,
                            frame_result *result)
{
    const lm_config *c = &s->model->lm->config;
    const frame_watch *w = &s->watch;
    plan_hook clock = {note_text_token, s, is_text_token};
    plan_hook_pair pair = {&clock, w->lm};
    plan_hook hook = plan_hook_both(&pair);
    int32_t *codes = s->scratch_codes, *tokens = result->tokens;
    const int32_t *heard = w->heard ? w->heard : result->codes_in;
    const int32_t *spoken = result->codes_out;
    int user = c->n_q - c->dep_q;

    double start = clock_seconds();
    mimi_encode_frame(s->codec, &s->encoder, 1, &pcm, &codes, w->encode);
    for (int k = 0; k < user; k++)
        result->codes_in[k] = codes[k];
    double encoded = clock_seconds();
    moshi_status status = lm_step(s->runner, &s->lm, 1, &heard,
                                  w->forced ? &w->forced : NULL, &tokens,
                                  w->lm ? &hook : &clock);
    assert(status == MOSHI_OK); /* the codec only makes codes in range */
    double stepped = clock_seconds();
    result->spoken = lm_stream_frame(s->lm, result->codes_out);
    if (result->spoken)
        status = mimi_decode_frame(s->codec, &s->decoder, 1, &spoken, c->dep_q,
                                   &result->pcm, w->decode);
    assert(status == MOSHI_OK); /* heads cannot produce the initial token */
    (void)status;
    result->times = (frame_times){.encode = encoded - start,
                                  .temporal = s->temporal_done - encoded,
                                  .depformer = stepped - s->temporal_done,
                                  .decode = clock_seconds() - stepped};
}
