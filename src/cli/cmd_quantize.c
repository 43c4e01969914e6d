/* cmd_quantize.c: moshi quantize: a language model's weights in fewer bits. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/output_file.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "lm/model.h"
#include "quant/encode.h"
#include "quant/file.h"
#include "tasks/model_files.h"

/* One run of the command. */
typedef struct work {
    const options *o;
    dtype type;
    bool report, quiet;
    model_files files;
    lm_model *model;
    progress bar;
    quant_summary summary;
} work;

static const dtype types[] = {DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_Q4_K, DTYPE_Q5_K,
                              DTYPE_Q6_K, DTYPE_F16,  DTYPE_BF16};

static bool type_named(const char *name, dtype *out)
{
    char upper[16] = {0};
    for (size_t i = 0; name[i] && i + 1 < sizeof upper; i++)
        upper[i] = (char)toupper((unsigned char)name[i]);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(upper, dtype_info(types[i])->name) == 0) {
            *out = types[i];
            return true;
        }
    return false;
}

static void show_progress(void *user, uint64_t done, uint64_t total)
{
    work *w = user;
    char note[64];
    snprintf(note, sizeof note, "%.1f of %.1f MB", (double)done * 1e-6,
             (double)total * 1e-6);
    progress_set(&w->bar, total ? (double)done / (double)total : 0, note);
}

static void print_tensor(void *user, const quant_report *t)
{
    const work *w = user;
    bool other = t->n_dims == 2 && t->to != t->wanted;
    if (!w->report)
        return;
    printf("%-64s %5s -> %-5s %11.8f %12.8f%s\n", t->name,
           dtype_info(t->from)->name, dtype_info(t->to)->name, t->rms, t->most,
           other ? "  other type" : "");
}

static moshi_status open_model(const char *path, const char *config,
                               lm_model **out, moshi_error *err)
{
    const lm_model_params p = {
        .path = path, .config_path = config, .acoustic_delay = -1};
    return lm_model_open(out, &p, err);
}

/* "-", or another name of what standard output is. */
static bool is_standard_output(const char *path)
{
    struct stat x, y;
    return strcmp(path, "-") == 0 ||
           (fstat(STDOUT_FILENO, &x) == 0 && stat(path, &y) == 0 &&
            !S_ISCHR(x.st_mode) && x.st_dev == y.st_dev &&
            x.st_ino == y.st_ino);
}

/* No part of the model is written over: it would be gone. (Its weights are
 * looked after by quant_file_write.) */
static moshi_status check_output(const work *w, moshi_error *err)
{
    const model_files *f = &w->files;
    const char *const parts[] = {f->config, f->tokenizer, f->mimi,
                                 f->mimi_config};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (output_file_replaces(w->o->args[1], parts[i])) {
            error_set(err, MOSHI_ARGUMENT, "'%s' is a part of the model",
                      w->o->args[1]);
            return error_hint(err, "write to another name");
        }
    return MOSHI_OK;
}

static moshi_status find(work *w, moshi_error *err)
{
    const moshi_model_params p = {.model = w->o->args[0],
                                  .config = options_text(w->o, "config")};
    moshi_status status = model_files_find(&w->files, &p, MODEL_PARTS_LM, err);
    if (status == MOSHI_OK)
        status = check_output(w, err);
    if (status == MOSHI_OK)
        status = open_model(w->files.lm, w->files.config, &w->model, err);
    if (status != MOSHI_OK && strstr(err->hint, "--mimi"))
        error_hint(err, "only language models are quantised; the codec is kept "
                   "in fewer bits by --codec-weights of the commands that run "
                   "it");
    return status;
}

/* Open what was written as any user would, unless it went into a pipe. */
static moshi_status verify(const work *w, moshi_error *err)
{
    struct stat info;
    lm_model *m = NULL;
    const char *path = w->o->args[1];
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return MOSHI_OK;
    moshi_status status = open_model(path, w->files.config, &m, err);
    lm_model_close(&m);
    return status;
}

static void say_results(const work *w)
{
    const quant_summary *s = &w->summary;
    const char *name = dtype_info(w->type)->name;
    if (s->other_type)
        report_note(w->quiet, "%zu matrices have rows that %s cannot take, or "
                    "are read as plain floats: another type was used "
                    "(--report names them)", s->other_type, name);
    if (s->left_out)
        report_warning("%zu tensors were left out, which no model asks for; "
                       "the first is %s", s->left_out, s->left_out_name);
    report_note(w->quiet, "%s: %zu tensors in %s layout, %.1f MB (%.1f MB "
                "before)", w->o->args[1], s->tensors,
                lm_layout_name(s->layout), (double)s->bytes_to * 1e-6,
                (double)s->bytes_from * 1e-6);
    if (!w->model->config.known_as && w->files.config)
        report_note(w->quiet, "a GGUF file holds no config: keep %s beside it",
                    w->files.config);
}

static moshi_status quantize(work *w, moshi_error *err)
{
    quant_params p = {.type = w->type,
                      .threads = options_given(w->o, "threads")
                                     ? (int)options_integer(w->o, "threads")
                                     : 0,
                      .measure = w->report,
                      .progress = show_progress,
                      .tensor = print_tensor,
                      .user = w};
    moshi_status status = find(w, err);
    if (status != MOSHI_OK)
        return status;
    if (w->report)
        printf("%-64s %5s    %-5s %11s %12s\n", "tensor", "from", "to",
               "rms error", "largest");
    progress_open(&w->bar, "quantising", w->quiet || w->report);
    status = quant_file_write(w->model, w->o->args[1], &p, &w->summary, err);
    progress_close(&w->bar);
    return status == MOSHI_OK ? verify(w, err) : status;
}

static exit_status run(const options *o)
{
    moshi_error err = {0};
    work w = {.o = o, .report = options_flag(o, "report"),
              .quiet = options_flag(o, "quiet")};
    const char *type = options_text(o, "type");
    if (!type)
        return report_usage("quantize", "no type was named: give --type");
    if (!type_named(type, &w.type))
        return report_usage("quantize", "'%s' is not one of q8_0, q4_0, q4_k, "
                            "q5_k, q6_k, f16, bf16", type);
    if (w.report && is_standard_output(o->args[1]))
        return report_usage("quantize", "--report and the file cannot both go "
                            "to standard output");
    moshi_status status = quantize(&w, &err);
    if (status == MOSHI_OK)
        say_results(&w);
    lm_model_close(&w.model);
    model_files_release(&w.files);
    if (status == MOSHI_OK)
        return EXIT_STATUS_DONE;
    report_error(&err);
    /* Only what the command line says can be out of range here. */
    return status == MOSHI_ARGUMENT ? EXIT_STATUS_USAGE
                                    : exit_status_of(status);
}

static const option own_options[] = {
    {.name = "type", .letter = 't', .type = OPTION_TEXT, .value = "TYPE",
     .help = "q8_0 (8.5 bits a weight), q6_k (6.6), q5_k (5.5), q4_k or q4_0 "
             "(4.5), f16 or bf16"},
    {.name = "report", .type = OPTION_FLAG,
     .help = "print for each tensor its types and how far it is from the "
             "original: root mean square, as a fraction of the tensor's own, "
             "and the largest difference"},
    {.name = "config", .type = OPTION_TEXT, .value = "FILE",
     .help = "the language model's config (JSON or TOML), instead of the one "
             "beside it"},
    {0},
};

static const char *const usage[] = {"IN OUT.gguf --type TYPE", NULL};

static const char *const examples[] = {
    "moshi quantize moshika/model.safetensors model.q8.gguf --type q8_0",
    "moshi quantize hibiki-2b hibiki.q4.gguf --type q4_k --report",
    NULL,
};

const command cmd_quantize = {
    .name = "quantize",
    .summary = "write a language model's weights in fewer bits",
    .group = COMMAND_GROUP_PARTS,
    .needs = COMMAND_NEEDS_THREADS,
    .usage = usage,
    .about =
        "IN is a language model in any layout that the program reads, or the "
        "folder of a model. Matrices get the type, all else becomes float32; "
        "q8_0 gives the tensors and the bytes of the official GGUF files. "
        "Matrices whose rows a type cannot take (they must be multiples of "
        "256 for q4_k, q5_k and q6_k) get q4_0 for q4_k and q8_0 for the "
        "others.\n\n"
        "A model in PyTorch layout becomes one in candle layout if each "
        "codebook has weights of its own, else it keeps its names. Few "
        "megabytes of memory are needed, whatever the model. OUT.gguf appears "
        "when it is complete; before the work begins its disk must have room "
        "for it.",
    .options = own_options,
    .examples = examples,
    .args_min = 2,
    .args_max = 2,
    .run = run,
};
