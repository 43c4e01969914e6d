/* synth_tiny.c: the folder of the preset "tiny". It is opened like the folder
 * of a published model: config.json names the other files. */
#include "lab/synth_tiny.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/output_file.h"
#include "lab/synth_lm.h"
#include "lab/synth_mimi.h"

#define LM_NAME          "model.safetensors"
#define MIMI_NAME        "mimi.safetensors"
#define MIMI_CONFIG_NAME "mimi_config.json"

#define STREAM_OF_8 0, 1, 1, 1, 1, 1, 1, 1

/* Every row length is a multiple of 32, so that it can be quantised. */
const lm_config synth_tiny_lm = {
    .dim = 64,
    .num_heads = 4,
    .num_layers = 3,
    .hidden = 128,
    .kv_repeat = 1,
    .context = 24,
    .max_period = 10000,
    .text_in = 97,
    .text_out = 96,
    .card = 64,
    .n_q = 16,
    .dep_q = 8,
    .depformer_dim = 32,
    .depformer_num_heads = 2,
    .depformer_num_layers = 2,
    .depformer_hidden = 64,
    .depformer_sets = 8,
    .gated = 1,
    .depformer_gated = 1,
    .extra_heads_dim = 6,
    .text_pad = 3,
    .norm = LM_RMS_NORM,
    .positions = LM_POSITIONS_ROPE,
    .depformer_positions = LM_POSITIONS_NONE,
    .delays = {0, STREAM_OF_8, STREAM_OF_8},
    .schedule = {0, 1, 2, 3, 4, 5, 6, 7},
    .model_type = "moshi",
};

/* Text that grows inside a fixed buffer; its size is ours, not a
 * caller's. */
typedef struct text {
    char bytes[4096];
    size_t length;
} text;

static void add(text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(text *t, const char *format, ...)
{
    va_list args;
    size_t room = sizeof t->bytes - t->length;
    va_start(args, format);
    int n = vsnprintf(t->bytes + t->length, room, format, args);
    va_end(args);
    assert(n >= 0 && (size_t)n < room);
    t->length += (size_t)n;
}

static void add_integers(text *t, const char *key, const int *values, int n)
{
    add(t, "  \"%s\": [", key);
    for (int i = 0; i < n; i++)
        add(t, i ? ", %d" : "%d", values[i]);
    add(t, "]");
}

/* config.json; the gated widths are written as the feed-forward sizes that
 * they follow from: F = 2/3 of them (docs/FORMATS.md, feed-forward widths). */
static void describe_lm(text *t, const lm_config *c)
{
    add(t,
        "{\n"
        "  \"model_type\": \"%s\",\n"
        "  \"moshi_name\": \"" LM_NAME "\",\n"
        "  \"mimi_name\": \"" MIMI_NAME "\",\n"
        "  \"mimi_config_name\": \"" MIMI_CONFIG_NAME "\",\n"
        "  \"dim\": %d,\n"
        "  \"num_heads\": %d,\n"
        "  \"num_layers\": %d,\n"
        "  \"hidden_scale\": %d,\n"
        "  \"context\": %d,\n"
        "  \"max_period\": %d,\n",
        c->model_type, c->dim, c->num_heads, c->num_layers,
        3 * c->hidden / (2 * c->dim), c->context, c->max_period);
    add(t,
        "  \"causal\": true,\n"
        "  \"layer_scale\": null,\n"
        "  \"gating\": \"silu\",\n"
        "  \"norm\": \"rms_norm_f32\",\n"
        "  \"positional_embedding\": \"rope\",\n"
        "  \"text_card\": %d,\n"
        "  \"existing_text_padding_id\": %d,\n"
        "  \"card\": %d,\n"
        "  \"n_q\": %d,\n"
        "  \"dep_q\": %d,\n",
        c->text_out, c->text_pad, c->card, c->n_q, c->dep_q);
    add_integers(t, "delays", c->delays, 1 + c->n_q);
    add(t,
        ",\n"
        "  \"depformer_dim\": %d,\n"
        "  \"depformer_num_heads\": %d,\n"
        "  \"depformer_num_layers\": %d,\n"
        "  \"depformer_dim_feedforward\": %d,\n"
        "  \"depformer_context\": %d,\n"
        "  \"depformer_gating\": \"silu\",\n"
        "  \"depformer_layer_scale\": null,\n"
        "  \"depformer_pos_emb\": \"none\",\n"
        "  \"depformer_multi_linear\": true,\n"
        "  \"depformer_weights_per_step\": true\n"
        "}\n",
        c->depformer_dim, c->depformer_num_heads, c->depformer_num_layers,
        3 * c->depformer_hidden / 2, c->dep_q);
}

static void describe_seanet(text *t, const mimi_config *c)
{
    add(t,
        "  \"seanet\": {\n"
        "    \"channels\": 1,\n"
        "    \"dimension\": %d,\n"
        "    \"causal\": true,\n"
        "    \"n_filters\": %d,\n"
        "    \"n_residual_layers\": 1,\n"
        "    \"activation\": \"ELU\",\n"
        "    \"compress\": %d,\n"
        "    \"dilation_base\": 2,\n"
        "    \"kernel_size\": %d,\n"
        "    \"residual_kernel_size\": %d,\n"
        "    \"last_kernel_size\": %d,\n"
        "    \"norm\": \"none\",\n"
        "    \"pad_mode\": \"constant\",\n"
        "    \"true_skip\": true,\n  ",
        c->dimension, c->n_filters, c->compress, c->kernel,
        c->residual_kernel, c->last_kernel);
    add_integers(t, "ratios", c->ratios, c->n_ratios);
    add(t, "\n  },\n");
}

static void describe_mimi(text *t, const mimi_config *c)
{
    add(t,
        "{\n"
        "  \"sample_rate\": %d,\n"
        "  \"channels\": 1,\n"
        "  \"frame_rate\": %g,\n",
        c->sample_rate_hz, (double)c->sample_rate_hz / c->frame_samples);
    describe_seanet(t, c);
    add(t,
        "  \"quantizer\": {\n"
        "    \"dimension\": %d,\n"
        "    \"n_q\": %d,\n"
        "    \"bins\": %d,\n"
        "    \"input_dimension\": %d,\n"
        "    \"output_dimension\": %d\n"
        "  },\n",
        c->codebook_dim, c->codebooks, c->bins, c->dimension, c->dimension);
    add(t,
        "  \"transformer\": {\n"
        "    \"d_model\": %d,\n"
        "    \"num_heads\": %d,\n"
        "    \"num_layers\": %d,\n"
        "    \"dim_feedforward\": %d,\n"
        "    \"context\": %d,\n"
        "    \"max_period\": %g,\n"
        "    \"causal\": true,\n"
        "    \"gating\": \"none\",\n"
        "    \"norm\": \"layer_norm\",\n"
        "    \"positional_embedding\": \"rope\"\n"
        "  }\n"
        "}\n",
        c->width, c->heads, c->layers, c->hidden, c->context,
        (double)c->max_period);
}

char *synth_tiny_lm_config(void)
{
    text t = {.length = 0};
    describe_lm(&t, &synth_tiny_lm);
    return memory_strdup(t.bytes);
}

char *synth_tiny_mimi_config(void)
{
    text t = {.length = 0};
    describe_mimi(&t, &synth_mimi_tiny);
    return memory_strdup(t.bytes);
}

/* "folder/name", allocated (memory_free); NULL if out of memory. */
static char *join(const char *folder, const char *name)
{
    size_t room = strlen(folder) + 1 + strlen(name) + 1;
    char *path = memory_calloc(room, 1);
    if (path)
        snprintf(path, room, "%s/%s", folder, name);
    return path;
}

static moshi_status write_text(const char *folder, const char *name,
                               const text *t, moshi_error *err)
{
    output_file *file = NULL;
    char *path = join(folder, name);
    if (!path)
        return error_no_memory(err, "a path");
    moshi_status status = output_file_open(&file, path, err);
    if (status == MOSHI_OK)
        status = output_file_write(file, t->bytes, t->length, err);
    if (status == MOSHI_OK)
        status = output_file_commit(file, err);
    output_file_close(&file);
    memory_free(path);
    return status;
}

static moshi_status write_tensors(const char *folder, const char *name,
                                  const synth_list *list, uint64_t seed,
                                  synth_meter *meter, moshi_error *err)
{
    char *path = join(folder, name);
    if (!path)
        return error_no_memory(err, "a path");
    moshi_status status = synth_file_write(list, path, CHECKPOINT_SAFETENSORS,
                                           seed, meter, err);
    memory_free(path);
    return status;
}

static moshi_status make_folder(const char *folder, moshi_error *err)
{
    struct stat info;
    if (strcmp(folder, "-") == 0) {
        error_set(err, MOSHI_IO, "several files cannot be written to standard "
                  "output");
        return error_hint(err, "name a folder; one called '-' is './-'");
    }
    if (mkdir(folder, 0777) == 0 ||
        (stat(folder, &info) == 0 && S_ISDIR(info.st_mode)))
        return MOSHI_OK;
    return error_set(err, MOSHI_IO, "cannot make the folder '%s': %s", folder,
                     strerror(errno));
}

/* Both lists are complete; the configs come last, so that a folder with a
 * config.json is whole. */
static moshi_status write_all(const char *folder, const synth_list *lm,
                              const synth_list *mimi, uint64_t seed,
                              synth_meter *meter, moshi_error *err)
{
    text lm_text = {.length = 0}, mimi_text = {.length = 0};
    describe_lm(&lm_text, &synth_tiny_lm);
    describe_mimi(&mimi_text, &synth_mimi_tiny);
    meter->total = synth_list_bytes(lm) + synth_list_bytes(mimi);
    moshi_status status = make_folder(folder, err);
    if (status == MOSHI_OK)
        status = write_tensors(folder, LM_NAME, lm, seed, meter, err);
    if (status == MOSHI_OK)
        status = write_tensors(folder, MIMI_NAME, mimi, seed, meter, err);
    if (status == MOSHI_OK)
        status = write_text(folder, MIMI_CONFIG_NAME, &mimi_text, err);
    if (status == MOSHI_OK)
        status = write_text(folder, "config.json", &lm_text, err);
    return status;
}

moshi_status synth_tiny_write(const char *folder, uint64_t seed,
                              synth_meter *meter, moshi_error *err)
{
    synth_list lm = {0}, mimi = {0};
    synth_lm_add(&lm, &synth_tiny_lm, SYNTH_CANDLE, DTYPE_F32);
    synth_mimi_add(&mimi, &synth_mimi_tiny);
    moshi_status status =
        lm.failed || mimi.failed
            ? error_no_memory(err, "the list of tensors")
            : write_all(folder, &lm, &mimi, seed, meter, err);
    synth_list_release(&lm);
    synth_list_release(&mimi);
    return status;
}
