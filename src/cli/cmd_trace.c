/* cmd_trace.c: moshi trace: run as gen does, and write everything down. */
#include "base/memory.h"
#include "cli/command.h"
#include "cli/model_args.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/talk_args.h"
#include "cli/trace_args.h"
#include "lab/trace_run.h"

/* One run of the command; everything is released by run(). */
typedef struct work {
    const options *o;
    bool codec;
    moshi_model *model;
    talk_recording recording;
    trace_tokens forced;
    trace_choice choice;
    trace_run run;
    progress bar;
} work;

static moshi_status open_model(work *w, moshi_error *err)
{
    moshi_model_params p;
    moshi_status status = talk_model_args(w->o, &p, err);
    if (status == MOSHI_OK)
        status = model_args_default(&p, err);
    return status == MOSHI_OK
               ? trace_args_open(&w->model, &p, w->codec, CPU_LEVEL_COUNT, err)
               : status;
}

static moshi_status open_tokens(work *w, moshi_error *err)
{
    const char *path = options_text(w->o, "tokens-from");
    if (!path)
        return MOSHI_OK;
    w->run.inputs.tokens = path;
    w->run.forced = &w->forced;
    return w->codec ? trace_tokens_open_codes(&w->forced, path, err)
                    : trace_tokens_open(&w->forced, path, err);
}

static void show(void *user, double fraction)
{
    progress_set(user, fraction, NULL);
}

static moshi_status prepare(work *w, moshi_error *err)
{
    moshi_status status = open_model(w, err);
    if (status == MOSHI_OK)
        status = open_tokens(w, err);
    if (status == MOSHI_OK) {
        const mimi_config *c = &w->model->mimi->config;
        status = talk_recording_load(&w->recording, w->o, c->sample_rate_hz,
                                     (size_t)c->frame_samples, err);
    }
    w->run.path = options_text(w->o, "out");
    w->run.pcm = w->recording.pcm;
    w->run.frames = w->recording.frames;
    trace_choice_apply(&w->choice, &w->run);
    w->run.inputs.recording = w->o->args[0];
    w->run.hashes = !options_flag(w->o, "no-hashes");
    w->run.progress = show;
    w->run.user = &w->bar;
    if (status == MOSHI_OK && w->run.forced &&
        w->forced.steps < w->run.frames)
        report_note(options_flag(w->o, "quiet"),
                    "%s holds %zu steps: the run ends there",
                    w->forced.path, w->forced.steps);
    return status;
}

static moshi_status trace(work *w, moshi_error *err)
{
    talk_stream_args args;
    moshi_status status = prepare(w, err);
    if (status == MOSHI_OK)
        status = talk_stream_args_read(w->o, &args, err);
    if (status != MOSHI_OK)
        return status;
    return w->codec ? trace_run_codec(&w->run, w->model, err)
                    : trace_run_model(w->model, &args.params, &w->run, err);
}

static exit_status run(const options *o)
{
    moshi_error err = {0};
    work w = {.o = o, .codec = options_flag(o, "codec")};
    if (!options_text(o, "out"))
        return report_usage("trace", "no trace was named: give --out FILE");
    if (trace_choice_read(o, &w.choice, &err) != MOSHI_OK)
        return report_usage("trace", "%s", err.message);
    if (!model_args_named(o, w.codec ? MODEL_PARTS_MIMI : MODEL_PARTS_BOTH))
        return report_usage("trace", w.codec
                            ? "no codec was named: give --mimi or --model"
                            : "half a model was named: --lm and --mimi go "
                              "together, or with --model");
    progress_open(&w.bar, "tracing", options_flag(o, "quiet"));
    moshi_status status = trace(&w, &err);
    progress_close(&w.bar);
    trace_tokens_release(&w.forced);
    memory_free(w.recording.pcm);
    moshi_model_close(&w.model);
    return status == MOSHI_OK ? EXIT_STATUS_DONE : report_error(&err);
}

static const option own_options[] = {
    {.name = "out", .letter = 'o', .type = OPTION_TEXT,
     .value = "TRACE.safetensors", .help = "the trace to write"},
    {.name = "tokens-from", .type = OPTION_TEXT, .value = "TRACE",
     .help = "hear and produce the tokens of this trace, or of a file of "
             "'gen --codes'; with --codec, decode its codes_out or codes"},
    {.name = "no-hashes", .type = OPTION_FLAG,
     .help = "do not read the model's files once more for their SHA-256"},
    {0},
};

static const char *const usage[] = {"IN --out TRACE.safetensors", NULL};

static const char *const examples[] = {
    "moshi trace -m moshika hello.wav --out a.st --frames 0:25",
    "moshi trace hello.wav --out layers.st --match 'transformer.layers.?'",
    "moshi trace -m moshika-q8 hello.wav --out b.st --tokens-from a.st",
    NULL,
};

const command cmd_trace = {
    .name = "trace",
    .summary = "run a model and record every tensor and token",
    .group = COMMAND_GROUP_LAB,
    .needs = COMMAND_NEEDS_MODEL | COMMAND_NEEDS_DEVICE | COMMAND_TALKS |
             COMMAND_TRACES,
    .usage = usage,
    .about =
        "Runs exactly as gen would, and writes what each operation of the "
        "encoder, the language model and the decoder computed, all tokens "
        "that were heard, read and produced, and what the run was: files with "
        "their SHA-256, config and where each value came from, instruction "
        "set, threads, seed. Hold two traces against each other with diff.\n\n"
        "A frame takes as much room as the model is wide and deep: some 15 MB "
        "for a model of 7 billion weights. Choose frames with --frames, "
        "operations with --match.",
    .options = own_options,
    .examples = examples,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
