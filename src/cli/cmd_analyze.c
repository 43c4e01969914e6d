/* cmd_analyze.c: moshi analyze: judge a recording by its sound. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/analyze_html.h"
#include "cli/analyze_report.h"
#include "cli/command.h"
#include "cli/report.h"
#include "lab/analyze.h"

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
                        .picture = options_given(o, "html")};
    const char *html = options_text(o, "html");
    exit_status status;
    if (p.reference && strcmp(p.path, "-") == 0)
        return report_usage("analyze", "--ref needs two files: standard input "
                            "cannot be read twice");
    analyze_report *report = memory_calloc(1, sizeof *report);
    if (!report) {
        error_no_memory(&err, "the report");
        return report_error(&err);
    }
    moshi_status done = analyze_run(report, &p, &err);
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
    NULL,
};

const command cmd_analyze = {
    .name = "analyze",
    .summary = "judge a recording by its sound",
    .group = COMMAND_GROUP_LAB,
    .needs = COMMAND_REPORTS,
    .usage = usage,
    .about =
        "Measures level, clipping and gaps, asks whether anybody speaks, and "
        "looks for sound that is cut and put together wrongly at the codec's "
        "frames of 80 ms: frames reversed, exchanged, shuffled, dropped or "
        "doubled, wherever the frames begin. Each finding names one class; "
        "the score, 0 to 100, is a summary of the findings. With too little "
        "sound the verdict is 'cannot tell', and there is no score.\n\n"
        "WAV may be any sound file, of any length, or - for standard input. "
        "Exit status 1 means a score below --min-score, or none.",
    .options = own_options,
    .examples = examples,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
