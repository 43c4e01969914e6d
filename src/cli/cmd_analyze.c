/* cmd_analyze.c: moshi analyze: judge a recording by its sound. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/analyze_html.h"
#include "cli/analyze_report.h"
#include "cli/codec_open.h"
#include "cli/command.h"
#include "cli/model_args.h"
#include "cli/report.h"
#include "lab/analyze.h"
#include "mimi/model.h"
#include "tasks/model.h"

/* What --model opens: a whole model, or a codec alone. */
typedef struct opened {
    moshi_model *model;
    mimi_model *codec;
    backend *be;
    analyze_model known;
} opened;

static bool model_wanted(const options *o)
{
    return options_given(o, "model") || options_given(o, "lm") ||
           options_given(o, "mimi") || options_given(o, "codes");
}

static moshi_status open_model(opened *out, const options *o, moshi_error *err)
{
    moshi_model_params p;
    if (options_given(o, "mimi") && !options_given(o, "lm") &&
        !options_given(o, "model")) {
        moshi_status found = codec_open(o, &out->be, &out->codec, err);
        out->known = (analyze_model){.codec = out->codec, .backend = out->be};
        return found;
    }
    moshi_status status = model_args(o, &p, err);
    p.prefault = -1; /* the language model does not run */
    if (status == MOSHI_OK)
        status = model_args_default(&p, err);
    if (status == MOSHI_OK)
        status = model_open(&out->model, &p, CPU_LEVEL_COUNT, err);
    if (status == MOSHI_OK)
        out->known = (analyze_model){.codec = out->model->mimi,
                                     .backend = out->model->backend,
                                     .lm = &out->model->lm->config,
                                     .tokenizer = out->model->tokenizer};
    return status;
}

static void close_model(opened *m)
{
    moshi_model_close(&m->model);
    mimi_model_close(&m->codec);
    if (m->be)
        m->be->close(&m->be);
}

static exit_status answer(const analyze_report *r, const options *o)
{
    bool enough = r->scored && r->score >= options_integer(o, "min-score");
    return enough ? EXIT_STATUS_DONE : EXIT_STATUS_NO;
}

static exit_status run(const options *o)
{
    moshi_error err = {0};
    analyze_params p = {.path = o->args[0],
                        .reference = options_text(o, "ref"),
                        .codes = options_text(o, "codes"),
                        .picture = options_given(o, "html")};
    const char *html = options_text(o, "html");
    exit_status status;
    opened model = {0};
    if ((p.reference || model_wanted(o)) && strcmp(p.path, "-") == 0)
        return report_usage("analyze", "with --ref or a model the recording "
                            "must be a file: standard input cannot be read "
                            "twice");
    if (model_wanted(o) && !model_args_named(o, MODEL_PARTS_MIMI))
        return report_usage("analyze", "half a model was named: give --mimi "
                            "too");
    analyze_report *report = memory_calloc(1, sizeof *report);
    if (!report) {
        error_no_memory(&err, "the report");
        return report_error(&err);
    }
    moshi_status done = MOSHI_OK;
    if (model_wanted(o)) {
        done = open_model(&model, o, &err);
        p.model = &model.known;
    }
    if (done == MOSHI_OK)
        done = analyze_run(report, &p, &err);
    close_model(&model);
    if (done == MOSHI_OK && html)
        done = analyze_html_write(html, report, p.path, &err);
    if (done != MOSHI_OK) {
        status = report_error(&err);
    } else {
        if (options_flag(o, "json"))
            analyze_report_json(report);
        else
            analyze_report_text(report, p.path);
        status = answer(report, o);
    }
    analyze_report_release(report);
    memory_free(report);
    return status;
}

static const option own_options[] = {
    {.name = "ref", .type = OPTION_TEXT, .value = "WAV",
     .help = "another recording of the same codes: align, then measure SNR, "
             "distance of spectra and STOI"},
    {.name = "codes", .type = OPTION_TEXT, .value = "CODES",
     .help = "what the model recorded ('moshi gen --codes'): is this the sound "
             "of these codes, frame by frame, and of this text?"},
    {.name = "html", .type = OPTION_TEXT, .value = "FILE",
     .help = "write a page with waveform, spectrogram, the grid of frames, "
             "flagged places and measures"},
    {.name = "min-score", .type = OPTION_INTEGER, .value = "N",
     .fallback = "60", .min = 0, .max = 100,
     .help = "exit with status 1 below this score, or without one"},
    {0},
};

static const char *const usage[] = {"WAV", NULL};

static const char *const examples[] = {
    "moshi analyze answer.wav",
    "moshi analyze --json answer.wav",
    "moshi analyze --html report.html answer.wav",
    "moshi analyze --ref cpu.wav vulkan.wav",
    "moshi analyze -m my-model --codes run.safetensors answer.wav",
    NULL,
};

const command cmd_analyze = {
    .name = "analyze",
    .summary = "judge a recording by its sound",
    .group = COMMAND_GROUP_LAB,
    .needs = COMMAND_NEEDS_MODEL | COMMAND_NEEDS_DEVICE | COMMAND_REPORTS,
    .usage = usage,
    .about =
        "Measures level, clipping and gaps, asks whether anybody speaks, and "
        "looks for sound that is cut and put together wrongly at the codec's "
        "frames of 80 ms: frames reversed, exchanged, shuffled, dropped or "
        "doubled, wherever the frames begin. Each finding names one class; "
        "the score, 0 to 100, is a summary of the findings. With too little "
        "sound the verdict is 'cannot tell', and there is no score.\n\n"
        "A model adds what only it can know: how many codes its codec hears "
        "again in what it says (token echo) and, with --codes, which frames are "
        "not those of the recorded codes, and whether the words of the recorded "
        "text fit the length of the sound.\n\n"
        "WAV may be any sound file, of any length, or - for standard input. "
        "Exit status 1 means a score below --min-score, or none.",
    .options = own_options,
    .examples = examples,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
