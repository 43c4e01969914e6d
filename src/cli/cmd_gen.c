/* cmd_gen.c: moshi gen: a recording in, speech and text out.
 *
 * Follows the official gen (docs/MODEL.md): half a second of silence after the
 * recording, whole frames, one step a frame. Differences: the silence is
 * added after resampling; any rate and channel count; a lead-in and a tail on
 * request; the delays are the model's. */
#include <string.h>

#include "audio/speech_level.h"
#include "base/error.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/gen_work.h"
#include "cli/model_args.h"
#include "cli/report.h"
#include "cli/talk_args.h"

static void warn_about_model(const gen_work *w)
{
    moshi_model_info info;
    moshi_model_get_info(w->model, &info);
    device_report(w->o, info.device, info.device_note);
    if (info.acoustic_delay != info.acoustic_delay_own)
        report_warning("an acoustic delay of %d steps is used, but %s was "
                       "trained with %d: speech will sound smeared",
                       info.acoustic_delay,
                       info.known_as ? info.known_as : "this model",
                       info.acoustic_delay_own);
    if (!info.has_tokenizer)
        report_warning("no tokenizer was found: token numbers are printed "
                       "instead of text");
}

static moshi_status open_model(gen_work *w, moshi_error *err)
{
    moshi_model_params p;
    moshi_status status = talk_model_args(w->o, &p, err);
    if (status == MOSHI_OK)
        status = model_args_default(&p, err);
    loading_ask(&w->loading, &p);
    return status == MOSHI_OK ? moshi_model_open(&w->model, &p, err) : status;
}

static moshi_status open_task(gen_work *w, moshi_error *err)
{
    talk_stream_args args;
    moshi_status status = talk_stream_args_read(w->o, &args, err);
    return status == MOSHI_OK
               ? speech_to_speech_open(&w->task, w->model, &args.params, err)
               : status;
}

/* Warn at once when nobody can be heard in the recording. */
static void judge(const gen_work *w, const float *pcm, size_t n, int rate_hz)
{
    speech_level level = speech_level_measure(pcm, n, rate_hz);
    report_note(w->quiet, "%s: %.1f s, peak %.1f dBFS", w->o->args[0],
                level.seconds, level.peak_dbfs);
    if (!level.speech_likely)
        report_warning("%s (%.1f s, %.1f dBFS where it is loudest) seems to "
                       "hold no speech: %s", w->o->args[0], level.seconds,
                       level.active_dbfs, level.reason);
}

static moshi_status load(gen_work *w, moshi_error *err)
{
    talk_recording r = {0};
    const mimi_config *c = &w->model->mimi->config;
    moshi_status status = talk_recording_load(&r, w->o, c->sample_rate_hz,
                                              (size_t)c->frame_samples, err);
    if (status != MOSHI_OK)
        return status;
    w->frame_samples = (size_t)c->frame_samples;
    w->pcm = r.pcm;
    w->n_frames = r.frames;
    warn_about_model(w);
    judge(w, r.pcm + r.before, r.recorded, c->sample_rate_hz);
    w->spoken = memory_calloc(w->frame_samples, sizeof *w->spoken);
    return w->spoken ? MOSHI_OK : error_no_memory(err, "the recording");
}

static moshi_status open_outputs(gen_work *w, moshi_error *err)
{
    const char *text = options_text(w->o, "text");
    moshi_status status = sink_file_open(
        &w->sink, w->o->args[1], w->model->mimi->config.sample_rate_hz,
        options_flag(w->o, "float") ? SINK_FLOAT32 : SINK_PCM16, err);
    if (status == MOSHI_OK && text)
        status = output_file_open(&w->text_file, text, err);
    return status;
}

static void release(gen_work *w)
{
    for (int i = 0; i < GEN_TABLES; i++)
        codes_table_release(&w->tables[i]);
    timing_release(&w->times);
    output_file_close(&w->text_file);
    sink_file_close(&w->sink);
    speech_to_speech_close(&w->task);
    moshi_model_close(&w->model);
    memory_free(w->pcm);
    memory_free(w->spoken);
}

static exit_status run(const options *o)
{
    moshi_error err = {0};
    bool sound_to_stdout = strcmp(o->args[1], "-") == 0;
    gen_work w = {.o = o, .quiet = options_flag(o, "quiet"),
              .json = options_flag(o, "json"),
              .words = sound_to_stdout ? stderr : stdout};
    if (!model_args_named(o, MODEL_PARTS_BOTH))
        return report_usage("gen", "half a model was named: --lm and --mimi go "
                            "together, or with --model");
    if (w.json && sound_to_stdout)
        return report_usage("gen", "--json and sound cannot both go to "
                            "standard output");
    timing_init(&w.times);
    progress_open(&w.bar, "speaking", w.quiet);
    moshi_status status = open_model(&w, &err);
    if (status == MOSHI_OK)
        status = load(&w, &err);
    if (status == MOSHI_OK)
        status = open_outputs(&w, &err);
    if (status == MOSHI_OK)
        status = open_task(&w, &err);
    if (status == MOSHI_OK)
        status = gen_run_frames(&w, &err);
    if (status == MOSHI_OK)
        status = gen_finish_files(&w, &err);
    if (status == MOSHI_OK)
        gen_print_results(&w);
    release(&w);
    return status == MOSHI_OK ? EXIT_STATUS_DONE : report_error(&err);
}

static const option own_options[] = {
    {.name = "text", .type = OPTION_TEXT, .value = "FILE",
     .help = "write the text to FILE as well"},
    {.name = "codes", .type = OPTION_TEXT, .value = "FILE.safetensors",
     .help = "write every code and token: codes_in, text_tokens, audio_tokens "
             "(as produced, step by step), codes_out (delays undone)"},
    {.name = "float", .type = OPTION_FLAG,
     .help = "write 32-bit float samples, not clamped, instead of 16-bit"},
    {.name = "stats", .type = OPTION_FLAG,
     .help = "print the time of each part of a frame, and peak memory"},
    {0},
};

static const char *const usage[] = {"IN OUT.wav", NULL};

static const char *const examples[] = {
    "moshi gen -m moshika question.wav answer.wav --tail 10",
    "moshi gen --lm model.q8.gguf --mimi mimi.safetensors in.flac out.wav",
    NULL,
};

const command cmd_gen = {
    .name = "gen",
    .summary = "speech to speech from a file",
    .group = COMMAND_GROUP_USE,
    .needs = COMMAND_NEEDS_MODEL | COMMAND_NEEDS_DEVICE | COMMAND_TALKS |
             COMMAND_REPORTS,
    .usage = usage,
    .about =
        "The model hears IN and speaks into OUT.wav, frame by frame, as in a "
        "conversation: what it says begins when it would have begun. Its "
        "words are printed as they are spoken (to standard error if OUT.wav is "
        "-, standard output).\n\n"
        "IN may have any sample rate and number of channels. Half a second of "
        "silence is added at its end; give the model time to answer with "
        "--tail.",
    .options = own_options,
    .examples = examples,
    .args_min = 2,
    .args_max = 2,
    .run = run,
};
