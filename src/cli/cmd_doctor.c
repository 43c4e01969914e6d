/* cmd_doctor.c: moshi doctor: judge a model before blaming the code. */
#include <stdio.h>
#include <sys/utsname.h>

#include "cli/command.h"
#include "cli/json_out.h"
#include "cli/model_args.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "lab/doctor.h"

typedef struct listener {
    progress bar;
    bool quiet;
} listener;

static void announce(void *user, const char *text)
{
    const listener *l = user;
    report_note(l->quiet, "%s", text);
}

static void show_progress(void *user, const char *what, double fraction)
{
    listener *l = user;
    progress_set(&l->bar, fraction, what);
}

/* --- the two forms of the report --- */

/* Expectation and advice only where something is the matter: the page is to
 * be read. */
static void print_check(const doctor_check *c)
{
    bool matters = c->status == DOCTOR_WARNING || c->status == DOCTOR_FAULT;
    printf("%-8s %-32s %s\n", doctor_status_name(c->status), c->name, c->found);
    if (matters && c->expected[0])
        printf("         expected: %s\n", c->expected);
    if (matters && c->advice[0])
        printf("         try: %s\n", c->advice);
    if (matters)
        printf("         class: %s\n", lab_class_name(c->about));
}

static void print_text(const doctor_report *r)
{
    struct utsname system;
    printf("%s", r->machine);
    if (uname(&system) == 0)
        printf(", %s %s %s", system.sysname, system.release, system.machine);
    printf("\n\n");
    for (size_t i = 0; i < r->count; i++)
        print_check(&r->checks[i]);
    printf("\nverdict: %s - %s\n", lab_class_name(r->verdict), r->line);
}

static void print_json(const doctor_report *r)
{
    json_out j;
    json_out_init(&j, stdout);
    json_out_object(&j, NULL);
    json_out_text(&j, "verdict", lab_class_name(r->verdict));
    json_out_text(&j, "line", r->line);
    json_out_text(&j, "machine", r->machine);
    json_out_array(&j, "checks");
    for (size_t i = 0; i < r->count; i++) {
        const doctor_check *c = &r->checks[i];
        json_out_object(&j, NULL);
        json_out_text(&j, "name", c->name);
        json_out_text(&j, "status", doctor_status_name(c->status));
        json_out_text(&j, "class", lab_class_name(c->about));
        json_out_text(&j, "found", c->found);
        json_out_text(&j, "expected", c->expected);
        json_out_text(&j, "advice", c->advice);
        json_out_end(&j);
    }
    json_out_end(&j);
    json_out_end(&j);
}

static exit_status run(const options *o)
{
    moshi_error err = {0};
    doctor_report report = {0};
    listener l = {.quiet = options_flag(o, "quiet")};
    doctor_params p = {.quick = options_flag(o, "quick"),
                       .run = options_text(o, "run"),
                       .sound = options_text(o, "sound"),
                       .announce = announce,
                       .progress = show_progress,
                       .user = &l};
    moshi_status status = model_args(o, &p.model, &err);
    if (status != MOSHI_OK)
        return report_error(&err);
    if (o->n_args && p.model.model)
        return report_usage("doctor", "the model was named twice");
    if (o->n_args)
        p.model.model = o->args[0];
    else if (!model_args_named(o, MODEL_PARTS_BOTH))
        return report_usage("doctor", "half a model was named");
    if (p.sound && !p.run)
        return report_usage("doctor", "--sound goes with --run");
    status = model_args_default(&p.model, &err);
    if (status != MOSHI_OK)
        return report_error(&err);
    progress_open(&l.bar, "examining", l.quiet);
    status = doctor_examine(&report, &p, &err);
    progress_close(&l.bar);
    if (status != MOSHI_OK)
        return report_error(&err);
    if (options_flag(o, "json"))
        print_json(&report);
    else
        print_text(&report);
    exit_status answer = report.verdict == LAB_OK ? EXIT_STATUS_DONE
                                                  : EXIT_STATUS_NO;
    doctor_report_release(&report);
    return answer;
}

static const option own_options[] = {
    {.name = "quick", .type = OPTION_FLAG,
     .help = "leave out what reads all weights: hashes and values"},
    {.name = "run", .type = OPTION_TEXT, .value = "CODES",
     .help = "judge a recorded run of this model instead: the tables that "
             "gen --codes writes"},
    {.name = "sound", .type = OPTION_TEXT, .value = "WAV",
     .help = "with --run: the sound that came out of it, to be held against "
             "its codes, frame by frame"},
    {0},
};

static const char *const usage[] = {"[MODEL]", "[MODEL] --run CODES",
                                    "--lm FILE --mimi FILE", NULL};

static const char *const examples[] = {
    "moshi doctor moshika",
    "moshi doctor --quick --json moshika/model.q8.gguf",
    "moshi doctor moshika --run bad.safetensors --sound bad.wav",
    "moshi doctor --lm model.safetensors --mimi mimi.safetensors",
    NULL,
};

const command cmd_doctor = {
    .name = "doctor",
    .summary = "judge a model before blaming the code",
    .group = COMMAND_GROUP_LAB,
    .needs = COMMAND_NEEDS_MODEL | COMMAND_NEEDS_DEVICE | COMMAND_REPORTS,
    .usage = usage,
    .about =
        "Examines files (whole? the published ones? NaN, zeros, rows of a "
        "wrong scale, tensors too few or too many), config, tokenizer, codec, "
        "delays, the state of a conversation, this processor's kernels against "
        "textbook ones, and speed. Each check is ok, warning, fault or "
        "skipped; the verdict is the class of the first fault: file, config, "
        "input, codec, model code, timeline, sampling, speed or device.\n\n"
        "Where a file reference.safetensors lies beside the language model "
        "(text [T], own [K, T], user [K, T], I32, frame by frame), the model "
        "must find that conversation likelier than its frames in another "
        "order, and no other delay likelier than its own. A trace of a right "
        "run beside it, reference.trace.safetensors, is run again with its "
        "sound and tokens given, and the first output that differs is named."
        "\n\n"
        "--run judges a run, whichever program made it: was anybody heard, was "
        "the text forced, were codes put together by the delays, what did the "
        "steps read, and would this model choose or draw such tokens?\n\n"
        "The output is one page without paths, to be pasted into a report. "
        "Exit status 1 means a fault.",
    .options = own_options,
    .examples = examples,
    .args_min = 0,
    .args_max = 1,
    .run = run,
};
