/* cmd_diff.c: moshi diff: name the first operation at which two runs differ. */
#include "cli/command.h"
#include "cli/diff_report.h"
#include "cli/report.h"

static exit_status run(const options *o)
{
    moshi_error err = {0};
    diff *d = NULL;
    double tolerance = -1;
    if (options_given(o, "tolerance"))
        tolerance = options_real(o, "tolerance");
    if (diff_open(&d, o->args[0], o->args[1], tolerance, &err) != MOSHI_OK)
        return report_error(&err);
    exit_status answer = diff_report(d, o->args[0], o->args[1],
                                     options_flag(o, "json"));
    diff_close(&d);
    return answer;
}

static const option own_options[] = {
    {.name = "tolerance", .type = OPTION_REAL, .value = "X", .max = 1e6,
     .help = "largest error that is no difference, as a part of the largest "
             "number in the operation; 1e-4 unless given, or 0.1 where "
             "weight types, quantisation or devices differ"},
    {0},
};

static const char *const usage[] = {"TRACE_A TRACE_B", NULL};

static const char *const examples[] = {
    "moshi diff ours.safetensors official.safetensors",
    "moshi diff --json --tolerance 0.01 q8.safetensors bf16.safetensors",
    NULL,
};

const command cmd_diff = {
    .name = "diff",
    .summary = "name the first operation at which two traces differ",
    .group = COMMAND_GROUP_LAB,
    .needs = COMMAND_REPORTS,
    .usage = usage,
    .about =
        "Aligns two traces by the names of their operations and the numbers "
        "of their frames, and follows the order of the first. Says which "
        "operation, in which frame, is the first beyond the tolerance; how far "
        "each layer is apart; which tokens differ and by how much they were "
        "chosen; and whether the runs are byte-identical, so that a change had "
        "no effect at all.\n\n"
        "Exit status 0 if the runs agree, 1 if they differ. Operations that "
        "only one trace has are counted and are no difference. A trace of "
        "another engine can be compared when it uses the same names: "
        "docs/TRACE.md has them, and a script for the official package.",
    .options = own_options,
    .examples = examples,
    .args_min = 2,
    .args_max = 2,
    .run = run,
};
