/* cmd_gen.c: moshi gen: a recording in, speech and text out.
 *
 * Follows the official gen (docs/MODEL.md): half a second of silence after the
 * recording, whole frames, one step a frame. Differences: the silence is
 * added after resampling; any rate and channel count; a lead-in and a tail on
 * request; the delays are the model's. */
#include <stdio.h>
#include <string.h>

#include "audio/sink_file.h"
#include "audio/source_file.h"
#include "audio/speech_level.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/output_file.h"
#include "cli/codes_file.h"
#include "cli/command.h"
#include "cli/model_args.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/timing.h"
#include "tasks/speech_to_speech.h"

#define SILENCE_AFTER_SAMPLES 12000 /* as the official gen */

enum { CODES_IN, TEXT_TOKENS, AUDIO_TOKENS, CODES_OUT, TABLES };

/* One run of the command; everything is released by release(). */
typedef struct work {
    const options *o;
    bool quiet, json;
    FILE *words;         /* where the text goes as it is spoken */
    moshi_model *model;
    speech_to_speech *task;
    sink_file *sink;
    output_file *text_file;
    float *pcm;          /* the recording with its silence */
    float *spoken;       /* one frame */
    size_t n_frames, frame_samples;
    codes_table tables[TABLES];
    int32_t last_text;   /* text token before, -1 at the start */
    bool midline;        /* something was printed since the last newline */
    size_t frames_out;
    double started, took;
    timing times;
    progress bar;
} work;

/* --- setting up --- */

/* As moshi_model_params wants it: there, 0 stands for the model's own. */
static int wanted_delay(const options *o)
{
    if (!options_given(o, "acoustic-delay"))
        return 0;
    int given = (int)options_integer(o, "acoustic-delay");
    return given == 0 ? -1 : given;
}

static void warn_about_model(const work *w)
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

static moshi_status open_model(work *w, moshi_error *err)
{
    moshi_model_params p;
    moshi_status status = model_args(w->o, &p, err);
    p.acoustic_delay = wanted_delay(w->o);
    p.exact_activations = options_flag(w->o, "exact-activations");
    return status == MOSHI_OK ? moshi_model_open(&w->model, &p, err) : status;
}

static moshi_status open_task(work *w, moshi_error *err)
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
static void judge(const work *w, const float *pcm, size_t n, int rate_hz)
{
    speech_level level = speech_level_measure(pcm, n, rate_hz);
    report_note(w->quiet, "%s: %.1f s, peak %.1f dBFS", w->o->args[0],
                level.seconds, level.peak_dbfs);
    if (!level.speech_likely)
        report_warning("%s (%.1f s, %.1f dBFS where it is loudest) seems to "
                       "hold no speech: %s", w->o->args[0], level.seconds,
                       level.active_dbfs, level.reason);
}

static moshi_status load(work *w, moshi_error *err)
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

static moshi_status open_outputs(work *w, moshi_error *err)
{
    const char *text = options_text(w->o, "text");
    moshi_status status = sink_file_open(
        &w->sink, w->o->args[1], w->model->mimi->config.sample_rate_hz,
        options_flag(w->o, "float") ? SINK_FLOAT32 : SINK_PCM16, err);
    if (status == MOSHI_OK && text)
        status = output_file_open(&w->text_file, text, err);
    return status;
}

/* --- running --- */

static moshi_status emit_text(work *w, int32_t token, moshi_error *err)
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

static bool record(work *w, const frame_result *r, double frame_seconds)
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
              codes_table_add(&w->tables[CODES_IN], r->codes_in) &&
              codes_table_add(&w->tables[TEXT_TOKENS], r->tokens) &&
              codes_table_add(&w->tables[AUDIO_TOKENS], r->tokens + 1);
    return ok && (!r->spoken ||
                  codes_table_add(&w->tables[CODES_OUT], r->codes_out));
}

static void show(work *w, size_t frame)
{
    char note[64];
    double audio = (double)(frame + 1) * (double)w->frame_samples /
                   w->model->mimi->config.sample_rate_hz;
    double elapsed = clock_seconds() - w->started;
    snprintf(note, sizeof note, "%.1f s, %.2fx real time", audio,
             elapsed > 0 ? audio / elapsed : 0);
    progress_set(&w->bar, (double)(frame + 1) / (double)w->n_frames, note);
}

static moshi_status run_frames(work *w, moshi_error *err)
{
    const lm_config *c = &w->model->lm->config;
    moshi_status status = MOSHI_OK;
    w->tables[CODES_IN] = (codes_table){.name = "codes_in",
                                        .K = c->n_q - c->dep_q};
    w->tables[TEXT_TOKENS] = (codes_table){.name = "text_tokens"};
    w->tables[AUDIO_TOKENS] = (codes_table){.name = "audio_tokens",
                                            .K = c->dep_q};
    w->tables[CODES_OUT] = (codes_table){.name = "codes_out", .K = c->dep_q};
    w->last_text = -1;
    w->started = clock_seconds();
    for (size_t f = 0; f < w->n_frames && status == MOSHI_OK; f++) {
        frame_result r = {.pcm = w->spoken};
        double start = clock_seconds();
        speech_to_speech_frame(w->task, w->pcm + f * w->frame_samples, &r);
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

/* --- results --- */

/* The sound last: a recording of an earlier run is only replaced when nothing
 * else can fail. */
static moshi_status finish_files(work *w, moshi_error *err)
{
    const char *codes = options_text(w->o, "codes");
    moshi_status status = MOSHI_OK;
    if (codes)
        status = codes_file_write(codes, w->tables, TABLES, err);
    if (status == MOSHI_OK && w->text_file)
        status = output_file_write(w->text_file, "\n", 1, err);
    if (status == MOSHI_OK && w->text_file)
        status = output_file_commit(w->text_file, err);
    return status == MOSHI_OK ? sink_file_finish(w->sink, err) : status;
}

/* Weights that a frame reads, by part. */
static void count_bytes(work *w)
{
    const plan *lm = w->task->runner->plan->plan;
    const plan *encoder = w->model->mimi->encoder;
    const plan *decoder = w->model->mimi->decoder;
    uint64_t *bytes = w->times.bytes;
    timing_part part = TIMING_TEMPORAL;
    for (size_t i = 0; i < lm->n_ops; i++) {
        bytes[part] += plan_op_weight_bytes(lm, &lm->ops[i]);
        if (lm->ops[i].kind == OP_SAMPLE && lm->ops[i].p.sample.text)
            part = TIMING_DEPFORMER;
    }
    for (size_t i = 0; i < encoder->n_ops; i++)
        bytes[TIMING_ENCODE] += plan_op_weight_bytes(encoder,
                                                     &encoder->ops[i]);
    for (size_t i = 0; i < decoder->n_ops; i++)
        bytes[TIMING_DECODE] += plan_op_weight_bytes(decoder,
                                                     &decoder->ops[i]);
    bytes[TIMING_LM] = bytes[TIMING_TEMPORAL] + bytes[TIMING_DEPFORMER];
    bytes[TIMING_FRAME] =
        bytes[TIMING_ENCODE] + bytes[TIMING_LM] + bytes[TIMING_DECODE];
}

static double seconds_of(const work *w, size_t frames)
{
    return (double)(frames * w->frame_samples) /
           w->model->mimi->config.sample_rate_hz;
}

/* The whole text at once, as the official gen decodes it. Allocated. */
static char *whole_text(const work *w)
{
    const codes_table *t = &w->tables[TEXT_TOKENS];
    int32_t *ids = memory_calloc(t->T, sizeof *ids);
    size_t n = 0;
    char *text = NULL;
    for (size_t f = 0; ids && f < t->T; f++)
        if (speech_to_speech_is_text(w->model, t->rows[f]))
            ids[n++] = t->rows[f];
    if (ids && w->model->tokenizer) {
        size_t length = tokenizer_decode(w->model->tokenizer, ids, n, NULL, 0);
        text = memory_calloc(length + 1, 1);
        if (text)
            tokenizer_decode(w->model->tokenizer, ids, n, text, length + 1);
    } else if (ids) {
        size_t room = n * 12 + 1, at = 0;
        text = memory_calloc(room, 1);
        for (size_t i = 0; text && i < n; i++)
            at += (size_t)snprintf(text + at, room - at, "%s%d", i ? " " : "",
                                   ids[i]);
    }
    memory_free(ids);
    return text;
}

static void print_json(work *w)
{
    json_out j;
    char *text = whole_text(w);
    json_out_init(&j, stdout);
    json_out_object(&j, NULL);
    json_out_text(&j, "text", text ? text : "");
    json_out_integer(&j, "frames", (int64_t)w->n_frames);
    json_out_real(&j, "seconds_in", seconds_of(w, w->n_frames));
    json_out_real(&j, "seconds_out", seconds_of(w, w->frames_out));
    json_out_real(&j, "real_time_factor",
                  w->took > 0 ? seconds_of(w, w->n_frames) / w->took : 0);
    json_out_integer(&j, "acoustic_delay",
                     lm_config_acoustic_delay(&w->model->lm->config));
    timing_json(&w->times, &j);
    json_out_real(&j, "rss_mb", (double)timing_peak_memory() * 1e-6);
    json_out_end(&j);
    memory_free(text);
}

static void print_results(work *w)
{
    if (w->midline)
        fputc('\n', w->words);
    bool stats = options_flag(w->o, "stats");
    if (stats || w->json)
        count_bytes(w);
    if (w->json)
        print_json(w);
    if (stats) {
        timing_print(&w->times, stderr);
        fprintf(stderr, "peak memory %.0f MB\n",
                (double)timing_peak_memory() * 1e-6);
    }
    report_note(w->quiet, "%s: %.1f s from %.1f s heard, in %.1f s (%.2fx "
                "real time)", w->o->args[1], seconds_of(w, w->frames_out),
                seconds_of(w, w->n_frames), w->took,
                w->took > 0 ? seconds_of(w, w->n_frames) / w->took : 0);
}

static void release(work *w)
{
    for (int i = 0; i < TABLES; i++)
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
    work w = {.o = o, .quiet = options_flag(o, "quiet"),
              .json = options_flag(o, "json"),
              .words = sound_to_stdout ? stderr : stdout};
    if (!model_args_named(o, MODEL_PARTS_BOTH))
        return report_usage("gen", "no model was named: give --model, or --lm "
                            "and --mimi");
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
        status = run_frames(&w, &err);
    if (status == MOSHI_OK)
        status = finish_files(&w, &err);
    if (status == MOSHI_OK)
        print_results(&w);
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
    {.name = "temp", .type = OPTION_REAL, .value = "X", .min = 0.001, .max = 100,
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
