/* cmd_compare.c: moshi compare: trace twice, diff, leave nothing behind.
 *
 * The traces are files without a name: they are removed from their folder as
 * soon as they are made, and their room is free when they are closed, however
 * this program ends. */

#include "base/memory.h"
#include "cli/command.h"
#include "cli/compare_spec.h"
#include "cli/diff_report.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/talk_args.h"
#include "cli/trace_args.h"
#include "lab/nameless_file.h"

/* One run of the command; everything is released by run(). */
typedef struct work {
    const options *o;
    bool codec;
    trace_choice choice;
    compare_spec spec[2];
    nameless_file trace[2];
    trace_tokens forced; /* what the first run produced */
    progress bar;
} work;

static void show(void *user, double fraction)
{
    progress_set(user, fraction, NULL);
}

static moshi_status trace(work *w, moshi_model *m, int side,
                          const talk_recording *recording, moshi_error *err)
{
    talk_stream_args args;
    trace_run run = {.path = w->trace[side].path,
                     .pcm = recording->pcm,
                     .frames = recording->frames,
                     .forced = side ? &w->forced : NULL,
                     .inputs = {.recording = w->o->args[0],
                                .tokens = side ? "the first run" : NULL},
                     .progress = show,
                     .user = &w->bar};
    trace_choice_apply(&w->choice, &run);
    moshi_status status = talk_stream_args_read(w->o, &args, err);
    if (status != MOSHI_OK)
        return status;
    return w->codec ? trace_run_codec(&run, m, err)
                    : trace_run_model(m, &args.params, &run, err);
}

static moshi_status run_side(work *w, int side, moshi_error *err)
{
    moshi_model *m = NULL;
    talk_recording recording = {0};
    moshi_status status = nameless_file_open(&w->trace[side], "two traces",
                                             err);
    if (status == MOSHI_OK)
        status = trace_args_open(&m, &w->spec[side].params, w->codec,
                                 w->spec[side].level, err);
    if (status == MOSHI_OK) {
        const mimi_config *c = &m->mimi->config;
        status = talk_recording_load(&recording, w->o, c->sample_rate_hz,
                                     (size_t)c->frame_samples, err);
    }
    progress_open(&w->bar, side ? "run B" : "run A",
                  options_flag(w->o, "quiet"));
    if (status == MOSHI_OK)
        status = trace(w, m, side, &recording, err);
    progress_close(&w->bar);
    memory_free(recording.pcm);
    moshi_model_close(&m);
    return status;
}

static moshi_status run_both(work *w, moshi_error *err)
{
    const char *first = w->trace[0].path;
    moshi_status status = run_side(w, 0, err);
    if (status == MOSHI_OK)
        status = w->codec ? trace_tokens_open_codes(&w->forced, first, err)
                          : trace_tokens_open(&w->forced, first, err);
    if (status == MOSHI_OK)
        status = run_side(w, 1, err);
    return status;
}

static exit_status compare(work *w)
{
    moshi_error err = {0};
    diff *d = NULL;
    double tolerance = options_given(w->o, "tolerance")
                           ? options_real(w->o, "tolerance") : -1;
    moshi_status status = run_both(w, &err);
    if (status == MOSHI_OK)
        status = diff_open(&d, w->trace[0].path, w->trace[1].path, tolerance,
                           &err);
    if (status != MOSHI_OK)
        return report_error(&err);
    exit_status answer = diff_report(d, options_text(w->o, "a"),
                                     options_text(w->o, "b"),
                                     options_flag(w->o, "json"));
    diff_close(&d);
    return answer;
}

static exit_status read_sides(work *w)
{
    static const char *const names[] = {"a", "b"};
    moshi_error err = {0};
    model_parts needed = w->codec ? MODEL_PARTS_MIMI : MODEL_PARTS_BOTH;
    for (int i = 0; i < 2; i++) {
        const char *text = options_text(w->o, names[i]);
        if (!text)
            return report_usage("compare", "settings are missing: give --%s",
                                names[i]);
        moshi_status status = compare_spec_read(&w->spec[i], w->o, text, &err);
        if (status == MOSHI_ARGUMENT)
            return report_usage("compare", "--%s: %s", names[i], err.message);
        if (status != MOSHI_OK)
            return report_error(&err);
        if (!compare_spec_named(&w->spec[i], needed))
            return report_usage("compare", "half a model was named for --%s",
                                names[i]);
    }
    if (trace_choice_read(w->o, &w->choice, &err) != MOSHI_OK)
        return report_usage("compare", "%s", err.message);
    return EXIT_STATUS_DONE;
}

static exit_status run(const options *o)
{
    work w = {.o = o, .codec = options_flag(o, "codec"),
              .trace = {{.fd = -1}, {.fd = -1}}};
    exit_status answer = read_sides(&w);
    if (answer == EXIT_STATUS_DONE)
        answer = compare(&w);
    for (int i = 0; i < 2; i++) {
        compare_spec_release(&w.spec[i]);
        nameless_file_close(&w.trace[i]);
    }
    trace_tokens_release(&w.forced);
    return answer;
}

static const option own_options[] = {
    {.name = "a", .type = OPTION_TEXT, .value = "SPEC",
     .help = "settings of the first run: NAME=VALUE pairs between commas, on "
             "top of the other options"},
    {.name = "b", .type = OPTION_TEXT, .value = "SPEC",
     .help = "settings of the second run, which hears and produces what the "
             "first did"},
    {.name = "tolerance", .type = OPTION_REAL, .value = "X", .max = 1e6,
     .help = "as for diff"},
    {0},
};

static const char *const usage[] = {"IN --a SPEC --b SPEC", NULL};

static const char *const examples[] = {
    "moshi compare -m moshika hello.wav --a isa=ref --b isa=avx2",
    "moshi compare -m moshika hello.wav --a threads=1 --b threads=8",
    "moshi compare hello.wav --a model=moshika --b model=moshika-q8 "
    "--frames :25",
    NULL,
};

const command cmd_compare = {
    .name = "compare",
    .summary = "run twice with different settings and diff",
    .group = COMMAND_GROUP_LAB,
    .needs = COMMAND_NEEDS_MODEL | COMMAND_NEEDS_DEVICE | COMMAND_TALKS |
             COMMAND_TRACES | COMMAND_REPORTS,
    .usage = usage,
    .about =
        "Traces IN under both settings and says what diff says. The second run "
        "is given the tokens of the first, so that sampling can neither hide a "
        "difference nor make one. No file is left; the traces need room in "
        "TMPDIR while it runs.\n\n"
        "SPEC is a list of NAME=VALUE between commas: device, model, lm, mimi, "
        "tokenizer, config, mimi-config, gpu-layers and threads, as the options of these "
        "names; isa=ref, avx2, avx2vnni or avx512 (on Arm ref, neon, dotprod or "
        "i8mm), the instruction set; acoustic-delay=STEPS; activations=exact or "
        "official; kv=f16, f32 or q8_0. An empty one is the other options "
        "alone.",
    .options = own_options,
    .examples = examples,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
