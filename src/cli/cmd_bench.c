/* cmd_bench.c: moshi bench: how fast this machine runs a model, and why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/memory.h"
#include "cli/bench_report.h"
#include "cli/command.h"
#include "cli/model_args.h"
#include "cli/presets.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "tasks/cache_type.h"

#define RULER_MEGABYTES 192 /* the ruler: many times a shared cache */

#define RUNS_MAX 16

/* One run of the command; everything is released by run(). */
typedef struct work {
    const options *o;
    int lanes[RUNS_MAX];
    size_t n_runs;
    moshi_model_params params;
    bandwidth *memory;
    bench_machine machine;
    bench_model model;
    bench_run runs[RUNS_MAX];
    bench_advice advice; /* of the first */
    progress bar;
} work;

/* "1,2,4,8". */
static bool read_lanes(const char *text, work *w)
{
    while (w->n_runs < RUNS_MAX) {
        char *end;
        long n = strtol(text, &end, 10);
        if (end == text || n < 1 || n > LIMIT_LANES)
            return false;
        w->lanes[w->n_runs++] = (int)n;
        if (*end == 0)
            return true;
        if (*end != ',')
            return false;
        text = end + 1;
    }
    return false;
}

static void show_filling(void *user, uint64_t done, uint64_t total)
{
    progress_set(user, total ? (double)done / (double)total : 0,
                 "filling the memory");
}

static void show_running(void *user, double fraction)
{
    progress_set(user, fraction, "running");
}

/* What the command line says of the model; nothing is opened. */
static moshi_status read_params(work *w, moshi_error *err)
{
    moshi_model_params *p = &w->params;
    moshi_status status = model_args(w->o, p, err);
    if (status != MOSHI_OK)
        return status;
    p->exact_activations = options_flag(w->o, "exact-activations");
    p->kv = options_text(w->o, "kv");
    if (w->o->n_args)
        p->model = w->o->args[0];
    status = cache_type_check(p->kv, err);
    if (status == MOSHI_OK && !options_given(w->o, "preset"))
        status = model_args_default(p, err);
    return status;
}

/* The most lanes of a run, if their caches are filled. */
static int lanes_filled(const work *w)
{
    int most = 0;
    for (size_t i = 0; i < w->n_runs; i++)
        most = w->lanes[i] > most ? w->lanes[i] : most;
    return options_integer(w->o, "steps-cached") > 0 ? most : 0;
}

static moshi_status open_model(work *w, moshi_error *err)
{
    const char *preset = options_text(w->o, "preset");
    int filled = lanes_filled(w);
    return preset ? bench_model_synthetic(&w->model, preset, &w->params,
                                          filled, show_filling, &w->bar, err)
                  : bench_model_open(&w->model, &w->params, filled, err);
}

static moshi_status measure_machine(work *w, moshi_error *err)
{
    pool *all = NULL;
    moshi_status status = pool_open(&all, 0, err);
    if (status == MOSHI_OK)
        status = bandwidth_open(&w->memory, all, RULER_MEGABYTES, err);
    pool_close(&all);
    return status == MOSHI_OK
               ? bench_machine_measure(&w->machine, w->memory,
                                       w->params.threads, err)
               : status;
}

static moshi_status measure(work *w, moshi_error *err)
{
    bench_params p = {
        .frames = options_given(w->o, "frames")
                      ? (int)options_integer(w->o, "frames") : 0,
        .cached = options_integer(w->o, "steps-cached"),
        .profile = options_flag(w->o, "profile"),
        .progress = show_running,
        .user = &w->bar,
    };
    moshi_status status = read_params(w, err);
    if (status == MOSHI_OK)
        status = measure_machine(w, err);
    p.memory = w->memory;
    if (status == MOSHI_OK)
        status = open_model(w, err);
    for (size_t i = 0; i < w->n_runs && status == MOSHI_OK; i++) {
        p.lanes = w->lanes[i];
        status = bench_run_make(&w->runs[i], &w->model, &p, err);
    }
    if (status == MOSHI_OK)
        w->advice = bench_advise(&w->model, &w->runs[0]);
    return status;
}

/* What the user called it, and what it is. */
static void name_model(const work *w, char *out, size_t room)
{
    const char *preset = options_text(w->o, "preset");
    const moshi_model *m = w->model.model;
    if (preset)
        snprintf(out, room, "%s, random weights", preset);
    else if (!m->lm)
        snprintf(out, room, "%s", m->files.mimi);
    else if (m->lm->config.known_as)
        snprintf(out, room, "%s (%s)", m->files.lm, m->lm->config.known_as);
    else
        snprintf(out, room, "%s", m->files.lm);
}

static void report(const work *w)
{
    char name[LIMIT_PATH_BYTES];
    bench_findings f = {.name = name,
                        .machine = &w->machine,
                        .runs = w->runs,
                        .advice = &w->advice,
                        .device = w->model.model->device.name,
                        .n_runs = w->n_runs,
                        .has_lm = w->model.model->lm != NULL,
                        .open_ms = w->model.open_ms,
                        .load_ms = w->model.load_ms};
    name_model(w, name, sizeof name);
    device_report(w->o, f.device, w->model.model->device.note);
    if (options_flag(w->o, "json"))
        bench_report_json(&f);
    else
        bench_report_print(&f);
}

/* Options that say something of a language model, of its files, or of any
 * files: they would change nothing here. */
static const char *const of_lm[] = {"kv", "exact-activations", NULL};
static const char *const of_lm_files[] = {"config", "tokenizer", NULL};
static const char *const of_files[] = {"config", "tokenizer", "mimi-config",
                                       NULL};

static exit_status refuse(const options *o, const char *const *names,
                          const char *what)
{
    for (; *names; names++)
        if (options_given(o, *names))
            return report_usage("bench", "--%s has no meaning here: %s",
                                *names, what);
    return EXIT_STATUS_DONE;
}

static exit_status unknown_preset(const char *name)
{
    const char *nearest = presets_nearest(name);
    if (nearest)
        return report_usage("bench", "there is no preset '%s'; did you mean "
                            "'%s'?", name, nearest);
    return report_usage("bench", "there is no preset '%s': 'moshi synth --list' "
                        "names them; one with a type behind it, such as "
                        "moshi-7b-q4_k, is the same model in that type", name);
}

static exit_status check_preset(const options *o, const char *preset)
{
    moshi_error err = {0};
    synth_parts parts = {0};
    moshi_status status = synth_parts_make(&parts, preset, &err);
    bool codec = !parts.lm;
    synth_parts_release(&parts);
    if (status == MOSHI_ARGUMENT)
        return unknown_preset(preset);
    if (status != MOSHI_OK)
        return report_error(&err);
    exit_status answer = refuse(o, of_files, "a preset has no files");
    return answer == EXIT_STATUS_DONE && codec
               ? refuse(o, of_lm, "it is for a language model, and this is a "
                                  "codec alone")
               : answer;
}

/* --mimi and nothing else. */
static exit_status check_codec(const options *o)
{
    const char *what = "it is for a language model, and --mimi names a codec "
                       "alone";
    exit_status answer = refuse(o, of_lm, what);
    return answer == EXIT_STATUS_DONE ? refuse(o, of_lm_files, what) : answer;
}

static exit_status check_usage(work *w)
{
    const options *o = w->o;
    bool named = o->n_args || options_given(o, "model") ||
                 options_given(o, "lm") || options_given(o, "mimi");
    if (!read_lanes(options_text(o, "lanes"), w))
        return report_usage("bench", "--lanes takes numbers from 1 to %d, as "
                            "in 1,2,4,8", LIMIT_LANES);
    if (options_given(o, "preset") && named)
        return report_usage("bench", "a model and a preset were both named");
    if (o->n_args && options_given(o, "model"))
        return report_usage("bench", "the model was named twice");
    if (!o->n_args && options_given(o, "lm") && !options_given(o, "mimi") &&
        !options_given(o, "model"))
        return report_usage("bench", "half a model was named: --lm and --mimi "
                            "go together, or with --model");
    if (options_given(o, "preset"))
        return check_preset(o, options_text(o, "preset"));
    if (options_given(o, "mimi") && !o->n_args && !options_given(o, "model") &&
        !options_given(o, "lm"))
        return check_codec(o);
    return EXIT_STATUS_DONE;
}

static exit_status run(const options *o)
{
    moshi_error err = {0};
    work *w = memory_calloc(1, sizeof *w);
    if (!w) {
        error_no_memory(&err, "the benchmark");
        return report_error(&err);
    }
    w->o = o;
    exit_status answer = check_usage(w);
    if (answer == EXIT_STATUS_DONE) {
        progress_open(&w->bar, "measuring", options_flag(o, "quiet"));
        moshi_status status = measure(w, &err);
        progress_close(&w->bar);
        if (status == MOSHI_OK)
            report(w);
        else
            answer = report_error(&err);
        if (status == MOSHI_ARGUMENT) /* such as a type that is none */
            answer = EXIT_STATUS_USAGE;
    }
    for (size_t i = 0; i < w->n_runs; i++)
        bench_run_release(&w->runs[i]);
    bench_model_close(&w->model);
    bandwidth_close(&w->memory);
    memory_free(w);
    return answer;
}

static const option own_options[] = {
    {.name = "preset", .type = OPTION_TEXT, .value = "PRESET",
     .help = "random weights with the shapes of a published model, made in "
             "memory: those of 'moshi synth --list', or one of them in another "
             "type, such as moshi-7b-q4_k"},
    {.name = "lanes", .type = OPTION_TEXT, .value = "N,...", .fallback = "1",
     .help = "conversations side by side; several numbers, several runs"},
    {.name = "frames", .type = OPTION_INTEGER, .value = "N", .min = 1,
     .max = 1e6, .help = "frames to run; as many as ten seconds allow, 20 to "
                         "200, unless given"},
    {.name = "steps-cached", .type = OPTION_INTEGER, .value = "N",
     .fallback = "0", .max = 1e9,
     .help = "steps that the conversation has behind it: attention reads the "
             "keys and values of so many, as far as the model looks back"},
    {.name = "profile", .type = OPTION_FLAG,
     .help = "then run more frames and print the time of each kind of "
             "operation and of each layer"},
    {.name = "exact-activations", .type = OPTION_FLAG,
     .help = "float32 activations with quantised weights, which are "
             "otherwise met by activations of 8 bits"},
    {.name = "kv", .type = OPTION_TEXT, .value = "TYPE",
     .help = "keep keys and values in f16, f32 or q8_0 (f16 unless given)"},
    {0},
};

static const char *const usage[] = {"[MODEL]", "--preset PRESET", NULL};

static const char *const examples[] = {
    "moshi bench",
    "moshi bench --preset moshi-7b-q8 --threads 2 --profile",
    "moshi bench --preset moshi-7b-q4_k --lanes 1,2,4,8",
    "moshi bench --preset moshi-7b-q8 --steps-cached 3000",
    NULL,
};

const command cmd_bench = {
    .name = "bench",
    .summary = "time each part against this machine's memory",
    .group = COMMAND_GROUP_LAB,
    .needs = COMMAND_NEEDS_MODEL | COMMAND_NEEDS_DEVICE | COMMAND_REPORTS,
    .usage = usage,
    .about =
        "A frame reads every weight once, so the least it can take is its "
        "bytes over what the machine reads in a second. Both are measured, in "
        "turns, with the same number of threads: the last column says how "
        "much of the memory's speed a part reaches. A model that fits the "
        "processor's caches can reach more than all of it.\n\n"
        "The last lines say whether this machine can hold a conversation with "
        "the model, which it can if 99 of a hundred frames (of fewer than 52, all "
        "of them) take less than the 80 ms that one lasts, and if not, what would; with several "
        "numbers of lanes, of the first. Close other programs first: the "
        "figures are those of the moment.",
    .options = own_options,
    .examples = examples,
    .args_max = 1,
    .run = run,
};
