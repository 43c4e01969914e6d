/* gen_run.c: the frames of moshi gen: hear, speak, write, show. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/gen_work.h"

static moshi_status emit_text(gen_work *w, int32_t token, moshi_error *err)
{
    char piece[512];
    if (!speech_to_speech_is_text(w->model, token))
        return MOSHI_OK;
    if (w->model->tokenizer)
        tokenizer_piece(w->model->tokenizer, w->last_text, token, piece,
                        sizeof piece);
    else
        snprintf(piece, sizeof piece, "%s%d", w->last_text < 0 ? "" : " ",
                 token);
    w->last_text = token;
    if (!w->json) {
        if (w->bar.shown) /* the bar and the words share the terminal */
            progress_close(&w->bar);
        fputs(piece, w->words);
        fflush(w->words);
        w->midline = true;
    }
    return w->text_file ? output_file_write(w->text_file, piece,
                                            strlen(piece), err)
                        : MOSHI_OK;
}

static bool record(gen_work *w, const frame_result *r, double frame_seconds)
{
    const frame_times *t = &r->times;
    const double seconds[TIMING_COUNT] = {
        [TIMING_ENCODE] = t->encode,
        [TIMING_TEMPORAL] = t->temporal,
        [TIMING_DEPFORMER] = t->depformer,
        [TIMING_LM] = t->temporal + t->depformer,
        [TIMING_DECODE] = t->decode,
        [TIMING_FRAME] = frame_seconds,
    };
    bool ok = timing_add(&w->times, seconds) &&
              codes_table_add(&w->tables[GEN_CODES_IN], r->codes_in) &&
              codes_table_add(&w->tables[GEN_TEXT_TOKENS], r->tokens) &&
              codes_table_add(&w->tables[GEN_AUDIO_TOKENS], r->tokens + 1);
    return ok && (!r->spoken ||
                  codes_table_add(&w->tables[GEN_CODES_OUT], r->codes_out));
}

static void show(gen_work *w, size_t frame)
{
    char note[64];
    double audio = (double)(frame + 1) * (double)w->frame_samples /
                   w->model->mimi->config.sample_rate_hz;
    double elapsed = clock_seconds() - w->started;
    double loaded = loading_fraction(&w->loading);
    snprintf(note, sizeof note, "%.1f s, %.2fx real time", audio,
             elapsed > 0 ? audio / elapsed : 0);
    if (loaded < 1) /* frames wait for the weights that they meet first */
        snprintf(note, sizeof note, "%.1f s, %d%% of the weights loaded",
                 audio, (int)(100 * loaded));
    progress_set(&w->bar, (double)(frame + 1) / (double)w->n_frames, note);
}

moshi_status gen_run_frames(gen_work *w, moshi_error *err)
{
    const lm_config *c = &w->model->lm->config;
    moshi_status status = MOSHI_OK;
    w->tables[GEN_CODES_IN] = (codes_table){.name = "codes_in",
                                            .K = c->n_q - c->dep_q};
    w->tables[GEN_TEXT_TOKENS] = (codes_table){.name = "text_tokens"};
    w->tables[GEN_AUDIO_TOKENS] = (codes_table){.name = "audio_tokens",
                                                .K = c->dep_q};
    w->tables[GEN_CODES_OUT] = (codes_table){.name = "codes_out",
                                             .K = c->dep_q};
    w->last_text = -1;
    w->started = clock_seconds();
    for (size_t f = 0; f < w->n_frames && status == MOSHI_OK; f++) {
        frame_result r = {.pcm = w->spoken};
        double start = clock_seconds();
        speech_to_speech_frame(w->task, w->pcm + f * w->frame_samples, &r);
        status = backend_failure(w->model->backend, err);
        if (status != MOSHI_OK)
            break;
        if (!record(w, &r, clock_seconds() - start))
            return error_no_memory(err, "the record of the run");
        if (r.spoken) {
            w->frames_out++;
            status = sink_file_write(w->sink, w->spoken, w->frame_samples,
                                     err);
        }
        if (status == MOSHI_OK)
            status = emit_text(w, r.tokens[0], err);
        show(w, f);
    }
    w->took = clock_seconds() - w->started;
    progress_close(&w->bar);
    return status;
}
