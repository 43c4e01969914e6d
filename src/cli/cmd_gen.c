/* cmd_gen.c: moshi gen: a recording in, speech and text out.
 *
 * Follows the official gen (docs/MODEL.md): half a second of silence after the
 * recording, whole frames, one step a frame. Differences: the silence is
 * added after resampling; any rate and channel count; a lead-in and a tail on
 * request; the delays are the model's. */
#include <string.h>

#include "audio/source_file.h"
#include "audio/speech_level.h"
#include "base/error.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/gen_work.h"
#include "cli/model_args.h"
#include "cli/report.h"

#define SILENCE_AFTER_SAMPLES 12000 /* as the official gen */

/* As moshi_model_params wants it: there, 0 stands for the model's own. */
static int wanted_delay(const options *o)
{
    if (!options_given(o, "acoustic-delay"))
        return 0;
    int given = (int)options_integer(o, "acoustic-delay");
    return given == 0 ? -1 : given;
}

static void warn_about_model(const gen_work *w)
{
    moshi_model_info info;
    moshi_model_get_info(w->model, &info);
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
    moshi_status status = model_args(w->o, &p, err);
    p.acoustic_delay = wanted_delay(w->o);
    p.exact_activations = options_flag(w->o, "exact-activations");
    return status == MOSHI_OK ? moshi_model_open(&w->model, &p, err) : status;
}

static moshi_status open_task(gen_work *w, moshi_error *err)
{
    const char *conditions[LIMIT_CONDITIONERS];
    size_t n = 0;
    const char *condition;
    while ((condition = options_repeated(w->o, "condition", n))) {
        if (n == LIMIT_CONDITIONERS)
            return error_set(err, MOSHI_ARGUMENT, "more than %d conditions",
                             LIMIT_CONDITIONERS);
        conditions[n++] = condition;
    }
    moshi_stream_params p = {
        .greedy = options_flag(w->o, "greedy"),
        .conditions = conditions,
        .n_conditions = n,
    };
    if (options_given(w->o, "temp"))
        p.temperature = (float)options_real(w->o, "temp");
    if (options_given(w->o, "text-temp"))
        p.text_temperature = (float)options_real(w->o, "text-temp");
    if (options_given(w->o, "top-k"))
        p.top_k = (int)options_integer(w->o, "top-k");
    if (options_given(w->o, "text-top-k"))
        p.text_top_k = (int)options_integer(w->o, "text-top-k");
    if (options_given(w->o, "seed"))
        p.seed = (uint64_t)options_integer(w->o, "seed");
    if (options_given(w->o, "cfg-alpha"))
        p.guidance = (float)options_real(w->o, "cfg-alpha");
    return speech_to_speech_open(&w->task, w->model, &p, err);
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
    int rate_hz = w->model->mimi->config.sample_rate_hz;
    float *recorded = NULL;
    size_t n;
    w->frame_samples = (size_t)w->model->mimi->config.frame_samples;
    moshi_status status = source_file_load(w->o->args[0], rate_hz, &recorded,
                                           &n, err);
    if (status != MOSHI_OK)
        return status;
    warn_about_model(w);
    judge(w, recorded, n, rate_hz);
    size_t before = (size_t)(options_real(w->o, "lead-in") * rate_hz);
    size_t after = (size_t)(options_real(w->o, "tail") * rate_hz);
    size_t all = before + n + after + SILENCE_AFTER_SAMPLES;
    if (options_given(w->o, "max-seconds")) {
        size_t most = (size_t)(options_real(w->o, "max-seconds") * rate_hz);
        all = all < most ? all : most;
    }
    w->n_frames = all / w->frame_samples;
    w->pcm = memory_calloc(before + n + after + SILENCE_AFTER_SAMPLES,
                           sizeof *w->pcm);
    w->spoken = memory_calloc(w->frame_samples, sizeof *w->spoken);
    if (!w->pcm || !w->spoken)
        status = error_no_memory(err, "the recording");
    else
        memcpy(w->pcm + before, recorded, n * sizeof *w->pcm);
    memory_free(recorded);
    if (status == MOSHI_OK && w->n_frames == 0)
        status = error_set(err, MOSHI_ARGUMENT,
                           "%s: shorter than one frame of %zu samples",
                           w->o->args[0], w->frame_samples);
    return status;
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
    {.name = "greedy", .type = OPTION_FLAG,
     .help = "always take the likeliest token"},
    {.name = "temp", .type = OPTION_REAL, .value = "X", .min = 0.001,
     .max = 100,
     .help = "temperature of the audio tokens; the model's own, else 0.8"},
    {.name = "text-temp", .type = OPTION_REAL, .value = "X", .min = 0.001,
     .max = 100,
     .help = "temperature of the text tokens; the model's own, else 0.8"},
    {.name = "top-k", .type = OPTION_INTEGER, .value = "N", .min = -1,
     .max = 1e6, .help = "draw audio tokens among the N likeliest, -1 for all; "
                         "the model's own, else 250"},
    {.name = "text-top-k", .type = OPTION_INTEGER, .value = "N", .min = -1,
     .max = 1e6, .help = "draw text tokens among the N likeliest, -1 for all; "
                         "the model's own, else 250"},
    {.name = "seed", .type = OPTION_INTEGER, .value = "N", .min = 1,
     .max = OPTION_INTEGER_MAX,
     .help = "seed of the random numbers; 299792458 unless given"},
    {.name = "cfg-alpha", .type = OPTION_REAL, .value = "X", .min = 0,
     .max = 100, .help = "classifier-free guidance, for models with "
                         "conditions; 1 is none"},
    {.name = "condition", .type = OPTION_TEXT, .value = "NAME=VALUE",
     .repeats = true, .help = "a condition of the model, such as "
                              "description=very_good"},
    {.name = "lead-in", .type = OPTION_REAL, .value = "SECONDS",
     .fallback = "0", .max = 3600,
     .help = "silence before the recording"},
    {.name = "tail", .type = OPTION_REAL, .value = "SECONDS", .fallback = "0",
     .max = 3600, .help = "silence after the recording, beyond the half second "
                          "that is always added: room for the answer"},
    {.name = "max-seconds", .type = OPTION_REAL, .value = "SECONDS",
     .min = 0.08, .max = 1e6, .help = "stop after so much sound was heard"},
    {.name = "acoustic-delay", .type = OPTION_INTEGER, .value = "STEPS",
     .max = LIMIT_DELAY, .help = "use another acoustic delay than the model's"},
    {.name = "exact-activations", .type = OPTION_FLAG,
     .help = "float32 activations with Q8_0 weights, where the official "
             "engine quantises them"},
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
    .needs = COMMAND_NEEDS_MODEL | COMMAND_NEEDS_DEVICE | COMMAND_REPORTS,
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
