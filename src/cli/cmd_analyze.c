/* cmd_analyze.c: moshi analyze: judge a recording by its sound. */
#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
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
    analyze_params p = {.path = o->args[0]};
    analyze_report *report = memory_calloc(1, sizeof *report);
    exit_status status;
    if (!report) {
        error_no_memory(&err, "the report");
        return report_error(&err);
    }
    if (analyze_run(report, &p, &err) != MOSHI_OK) {
        status = report_error(&err);
    } else {
        if (options_flag(o, "json"))
            analyze_report_json(report);
        else
            analyze_report_text(report, p.path);
        status = answer(report, o);
    }
    memory_free(report);
    return status;
}

static const option own_options[] = {
    {.name = "min-score", .type = OPTION_INTEGER, .value = "N",
     .fallback = "60", .min = 0, .max = 100,
     .help = "exit with status 1 below this score, or without one"},
    {0},
};

static const char *const usage[] = {"WAV", NULL};

static const char *const examples[] = {
    "moshi analyze answer.wav",
    "moshi analyze --json answer.wav",
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
