/* cmd_synth.c: moshi synth: write a random checkpoint (lab/synth). */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/presets.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "lab/synth.h"

static void show_progress(void *user, uint64_t done, uint64_t total)
{
    char note[64];
    snprintf(note, sizeof note, "%.1f of %.1f MB", (double)done / 1e6,
             (double)total / 1e6);
    progress_set(user, total ? (double)done / (double)total : 0, note);
}

static exit_status list_presets(void)
{
    for (size_t i = 0; i < synth_presets_count(); i++) {
        const synth_preset *preset = synth_presets_at(i);
        printf("%-18s  %s\n", preset->name, preset->about);
    }
    return EXIT_STATUS_DONE;
}

static exit_status unknown_preset(const char *name)
{
    const char *nearest = presets_nearest(name);
    return report_usage("synth", "there is no preset '%s'%s%s%s", name,
                        nearest ? "; did you mean '" : "",
                        nearest ? nearest : "", nearest ? "'?" : "");
}

static exit_status run(const options *o)
{
    moshi_error err = {0};
    progress bar;
    if (options_flag(o, "list"))
        return o->n_args ? report_usage("synth", "--list takes no arguments")
                         : list_presets();
    if (o->n_args != 2)
        return report_usage("synth", "expected PRESET OUT");
    const synth_preset *preset = synth_presets_find(o->args[0]);
    if (!preset)
        return unknown_preset(o->args[0]);
    progress_open(&bar, "writing", options_flag(o, "quiet"));
    moshi_status status =
        synth_write(preset, o->args[1], (uint64_t)options_integer(o, "seed"),
                    show_progress, &bar, &err);
    progress_close(&bar);
    return status == MOSHI_OK ? EXIT_STATUS_DONE : report_error(&err);
}

static const option own_options[] = {
    {.name = "list", .letter = 'l', .type = OPTION_FLAG,
     .help = "list the presets"},
    {.name = "seed", .type = OPTION_INTEGER, .value = "N", .fallback = "0",
     .max = OPTION_INTEGER_MAX,
     .help = "seed of the random weights; the same seed gives the same file "
             "on every machine"},
    {0},
};

static const char *const usage[] = {"PRESET OUT", "--list", NULL};

static const char *const examples[] = {
    "moshi synth tiny tiny-model",
    "moshi synth --list",
    NULL,
};

const command cmd_synth = {
    .name = "synth",
    .summary = "write a random checkpoint, for tests and benchmarks",
    .group = COMMAND_GROUP_PARTS,
    .usage = usage,
    .about =
        "Write a checkpoint of random weights with the exact names, shapes "
        "and types of an official one. It runs as the real one does, but "
        "says nothing: what comes out is noise.\n\n"
        "OUT is a file, or a folder for a preset that has several files.",
    .options = own_options,
    .examples = examples,
    .args_max = 2,
    .run = run,
};
