/* cmd_inspect.c: moshi inspect: tensors, config, and where it came from. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/default_model.h"
#include "cli/json_out.h"
#include "cli/model_args.h"
#include "cli/report.h"
#include "cpu/backend.h"
#include "files/value.h"
#include "lm/config_load.h"
#include "mimi/model.h"
#include "nn/weights.h"
#include "tasks/model_files.h"

/* What is known about the file; one of the two configs is filled. */
typedef struct facts {
    checkpoint *file;      /* owned */
    value *document;       /* owned; NULL: none */
    const char *config_path;
    bool is_codec;
    lm_layout layout;
    lm_config lm;
    mimi_config mimi;
    mimi_model *codec;     /* owned, and then `file` is borrowed from it */
    const char *known_as;
    const char *layout_name;
} facts;

/* A codec in whatever naming: the codec's reader explains the wrong ones. */
static bool holds_codec(const checkpoint *file)
{
    for (size_t i = 0; i < checkpoint_count(file); i++) {
        const char *name = checkpoint_at(file, i)->name;
        if (strncmp(name, "encoder.", 8) == 0 ||
            strncmp(name, "mimi.", 5) == 0)
            return true;
    }
    return false;
}

/* Opened as a run opens it, but for the work that it leaves for later, to tell
 * what becomes of each tensor. */
static moshi_status open_codec(facts *f, moshi_error *err)
{
    backend *be = NULL;
    moshi_status status = cpu_backend_open(&be, 1, CPU_LEVEL_COUNT, err);
    if (status != MOSHI_OK)
        return status;
    mimi_model_params p = {.config_path = f->config_path,
                           .panels = be->panels,
                           .later = true};
    be->close(&be);
    checkpoint *file = f->file;
    f->file = NULL;
    status = mimi_model_from_checkpoint(&f->codec, &file, f->document, &p,
                                        err);
    if (status == MOSHI_OK)
        f->file = f->codec->file;
    return status;
}

/* How a run keeps a tensor; NULL: that is not known. */
static const char *kept(const facts *f, const checkpoint_tensor *t)
{
    static const char *const words[] = {
        [WEIGHTS_UNUSED] = "not used",     [WEIGHTS_IN_PLACE] = "in place",
        [WEIGHTS_COPIED] = "copied",       [WEIGHTS_ROWS] = "rearranged",
        [WEIGHTS_PANELS] = "in panels",    [WEIGHTS_DIVIDED] = "divided",
    };
    return f->codec ? words[weights_store_use(f->codec->store, t)] : NULL;
}

static moshi_status examine(facts *f, moshi_error *err)
{
    moshi_status status = MOSHI_OK;
    if (f->config_path)
        status = value_open(&f->document, f->config_path, err);
    if (status != MOSHI_OK)
        return status;
    f->is_codec = holds_codec(f->file);
    if (f->is_codec) {
        f->layout_name = "mimi";
        status = mimi_config_load(&f->mimi, f->file, f->document,
                                  f->config_path, err);
        if (status == MOSHI_OK && strcmp(f->mimi.from, "preset") == 0)
            f->known_as = "mimi";
        /* As the option is called here. */
        if (status != MOSHI_OK && strstr(err->hint, "--mimi-config"))
            error_hint(err, "give its config with --config FILE");
        return status == MOSHI_OK ? open_codec(f, err) : status;
    }
    status = lm_layout_recognise(f->file, &f->layout, err);
    if (status != MOSHI_OK)
        return status;
    f->layout_name = lm_layout_name(f->layout);
    status = lm_config_load(&f->lm, f->file, f->layout, f->document,
                            f->config_path, -1, err);
    f->known_as = status == MOSHI_OK ? f->lm.known_as : NULL;
    return status;
}

/* --- configs as name, value, origin --- */

/* Shows one value: for people, or as JSON when j is not NULL. */
static void show_integer(json_out *j, const char *name, int v,
                         const char *from)
{
    if (j) {
        json_out_object(j, name);
        json_out_integer(j, "value", v);
        json_out_text(j, "from", from);
        json_out_end(j);
    } else {
        printf("  %-36s %-24d %s\n", name, v, from);
    }
}

static void show_text(json_out *j, const char *name, const char *text,
                      const char *from)
{
    if (j) {
        json_out_object(j, name);
        json_out_text(j, "value", text);
        json_out_text(j, "from", from);
        json_out_end(j);
    } else {
        printf("  %-36s %-24s %s\n", name, text, from);
    }
}

static void show_list(json_out *j, const char *name, const int *list, int n,
                      const char *from)
{
    if (j) {
        json_out_object(j, name);
        json_out_array(j, "value");
        for (int i = 0; i < n; i++)
            json_out_integer(j, NULL, list[i]);
        json_out_end(j);
        json_out_text(j, "from", from);
        json_out_end(j);
        return;
    }
    char text[4 * LIMIT_CODEBOOKS];
    size_t at = 0;
    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%d",
                               i ? "," : "", list[i]);
    show_text(NULL, name, text, from);
}

static void show_conditioners(json_out *j, const lm_config *c)
{
    for (int i = 0; i < c->n_conditioners; i++) {
        const lm_conditioner *k = &c->conditioners[i];
        const char *from = lm_origin_name(c->from[LM_FIELD_conditioners]);
        char name[80], text[512];
        size_t at = 0;
        snprintf(name, sizeof name, "condition.%s", k->name);
        at = (size_t)snprintf(text, sizeof text, "%s",
                              k->kind == LM_CONDITIONER_LUT ? "" : "tensor");
        for (int v = 0; v < k->n_values && at < sizeof text; v++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s",
                                   v ? "," : "", k->values[v]);
        show_text(j, name, text, from);
    }
}

static void show_lm(json_out *j, lm_config *c)
{
    for (int f = 0; f < LM_FIELD_delays; f++)
        if (c->from[f])
            show_integer(j, lm_field_name((lm_field)f),
                         *lm_config_integer(c, (lm_field)f),
                         lm_origin_name(c->from[f]));
    show_list(j, "delays", c->delays, 1 + c->n_q,
              lm_origin_name(c->from[LM_FIELD_delays]));
    if (c->dep_q > 0)
        show_list(j, lm_field_name(LM_FIELD_schedule), c->schedule, c->dep_q,
                  lm_origin_name(c->from[LM_FIELD_schedule]));
    show_conditioners(j, c);
}

static void show_mimi(json_out *j, const mimi_config *c)
{
    const struct { const char *name; int v; const char *from; } rows[] = {
        {"sample_rate", c->sample_rate_hz, c->from},
        {"frame_samples", c->frame_samples, "shapes"},
        {"n_filters", c->n_filters, "shapes"},
        {"dimension", c->dimension, "shapes"},
        {"num_layers", c->layers, "shapes"},
        {"num_heads", c->heads, c->from},
        {"context", c->context, c->from},
        {"max_period", (int)c->max_period, c->from},
        {"dim_feedforward", c->hidden, "shapes"},
        {"n_q", c->codebooks, "shapes"},
        {"bins", c->bins, "shapes"},
        {"codebook_dim", c->codebook_dim, "shapes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        show_integer(j, rows[i].name, rows[i].v, rows[i].from);
    show_list(j, "ratios", c->ratios, c->n_ratios, "shapes");
}

/* --- the two forms of the report --- */

static void print_text(facts *f)
{
    char shape[160];
    size_t n = checkpoint_count(f->file), bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += checkpoint_at(f->file, i)->n_bytes;
    printf("%s: %s, layout %s, known as %s\n", checkpoint_path(f->file),
           checkpoint_kind(f->file) == CHECKPOINT_GGUF ? "GGUF"
                                                       : "safetensors",
           f->layout_name, f->known_as ? f->known_as : "none of the published");
    printf("%zu tensors, %zu bytes of data, %zu bytes in all\n\nconfig\n", n,
           bytes, checkpoint_file_bytes(f->file));
    if (f->is_codec)
        show_mimi(NULL, &f->mimi);
    else
        show_lm(NULL, &f->lm);
    printf("\ntensors\n");
    for (size_t i = 0; i < n; i++) {
        const checkpoint_tensor *t = checkpoint_at(f->file, i);
        printf("  %-64s %-5s %-20s %zu%s%s\n", t->name,
               dtype_info(t->type)->name,
               checkpoint_shape_text(t, shape, sizeof shape), t->n_bytes,
               kept(f, t) ? "  " : "", kept(f, t) ? kept(f, t) : "");
    }
}

static void print_json(facts *f)
{
    json_out j;
    json_out_init(&j, stdout);
    json_out_object(&j, NULL);
    json_out_text(&j, "layout", f->layout_name);
    if (f->known_as)
        json_out_text(&j, "known_as", f->known_as);
    else
        json_out_null(&j, "known_as");
    json_out_object(&j, "config");
    if (f->is_codec)
        show_mimi(&j, &f->mimi);
    else
        show_lm(&j, &f->lm);
    json_out_end(&j);
    json_out_array(&j, "tensors");
    for (size_t i = 0; i < checkpoint_count(f->file); i++) {
        const checkpoint_tensor *t = checkpoint_at(f->file, i);
        json_out_object(&j, NULL);
        json_out_text(&j, "name", t->name);
        json_out_array(&j, "shape");
        for (int d = 0; d < t->n_dims; d++)
            json_out_integer(&j, NULL, (int64_t)t->dims[d]);
        json_out_end(&j);
        json_out_text(&j, "type", dtype_info(t->type)->name);
        json_out_integer(&j, "bytes", (int64_t)t->n_bytes);
        if (kept(f, t))
            json_out_text(&j, "kept", kept(f, t));
        json_out_end(&j);
    }
    json_out_end(&j);
    json_out_end(&j);
}

/* A folder stands for its language model and its config; a file for itself
 * alone, unless a config is given. */
static moshi_status find_files(const options *o, char **path, char **config,
                               moshi_error *err)
{
    struct stat info;
    const char *given = options_text(o, "config");
    const char *model = o->n_args > 0 ? o->args[0] : NULL;
    moshi_status status = MOSHI_OK;
    if (!model)
        status = default_model_folder(&model, err);
    if (status != MOSHI_OK)
        return status;
    bool folder = stat(model, &info) == 0 && S_ISDIR(info.st_mode);
    if (folder) {
        model_files files = {0};
        moshi_model_params p = {.model = model, .config = given};
        status = model_files_find(&files, &p, MODEL_PARTS_LM, err);
        if (status == MOSHI_OK) {
            *path = files.lm;
            *config = files.config;
            files.lm = files.config = NULL;
        }
        model_files_release(&files);
        return status;
    }
    *path = memory_strdup(model);
    *config = given ? memory_strdup(given) : NULL;
    return *path && (!given || *config) ? MOSHI_OK
                                        : error_no_memory(err, "file names");
}

static exit_status run(const options *o)
{
    moshi_error err = {0};
    facts f = {0};
    char *path = NULL, *config = NULL;
    moshi_status status = find_files(o, &path, &config, &err);
    f.config_path = config;
    if (status == MOSHI_OK)
        status = checkpoint_open(&f.file, path, &err);
    if (status == MOSHI_OK)
        status = examine(&f, &err);
    if (status == MOSHI_OK && options_flag(o, "json"))
        print_json(&f);
    else if (status == MOSHI_OK)
        print_text(&f);
    value_close(&f.document);
    if (f.codec)
        mimi_model_close(&f.codec);
    else
        checkpoint_close(&f.file);
    memory_free(path);
    memory_free(config);
    return status == MOSHI_OK ? EXIT_STATUS_DONE : report_error(&err);
}

static const option own_options[] = {
    {.name = "config", .type = OPTION_TEXT, .value = "FILE",
     .help = "hold the file against this config (JSON or TOML)"},
    {0},
};

static const char *const usage[] = {"[MODEL]", NULL};

static const char *const examples[] = {
    "moshi inspect model.q8.gguf",
    "moshi inspect --json moshika",
    "moshi inspect --config config.json model.safetensors",
    NULL,
};

const command cmd_inspect = {
    .name = "inspect",
    .summary = "list a model's tensors, its config and where that came from",
    .group = COMMAND_GROUP_PARTS,
    .needs = COMMAND_REPORTS,
    .usage = usage,
    .about =
        "MODEL is a folder, a language model file or a codec file; the model "
        "that ships with the program unless named. Each value of the config "
        "is shown with its source: the shapes of the tensors, the config file, "
        "or the table of published models. Beside each tensor of a codec "
        "stands how a run keeps it: where the file has it; as a copy; "
        "rearranged in panels for the kernels; or, a codebook's sums, divided "
        "by their counts. A file and a config that do not "
        "fit each other are an error that names both sides.",
    .options = own_options,
    .examples = examples,
    .args_min = 0,
    .args_max = 1,
    .run = run,
};
