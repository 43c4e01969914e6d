/* config.c: derive the codec's sizes from its tensors, check the config. */
#include "mimi/config.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

/* Of the published codec (docs/MODEL.md, codec transformers). */
#define PUBLISHED_HEADS 8
#define PUBLISHED_CONTEXT 250
#define PUBLISHED_MAX_PERIOD 10000.0f

#define SAMPLE_RATE_HZ 24000

/* Dimension `axis` of a tensor, or of its direction where the file still has
 * weight norm (weight_v for weight); 0 if there is neither. */
static int dim(const checkpoint *file, const char *name, int axis)
{
    const checkpoint_tensor *t = checkpoint_find(file, name);
    if (!t)
        t = checkpoint_find_format(file, "%s_v", name);
    if (!t || axis >= t->n_dims || t->dims[axis] > (size_t)1 << 24)
        return 0;
    return (int)t->dims[axis];
}

static bool has_prefix(const checkpoint *file, const char *prefix)
{
    for (size_t i = 0; i < checkpoint_count(file); i++)
        if (strncmp(checkpoint_at(file, i)->name, prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

/* People give the wrong file far more often than a damaged one. */
static moshi_status explain_naming(const checkpoint *file, moshi_error *err)
{
    const char *path = checkpoint_path(file);
    if (checkpoint_find(file, "encoder.layers.0.conv.weight")) {
        error_set(err, MOSHI_MISMATCH,
                  "%s: a Mimi codec in the Hugging Face transformers naming "
                  "(encoder.layers.0.conv.weight), which this program does "
                  "not read", path);
        return error_hint(err, "use the codec file of a Moshi repository: "
                          "tokenizer-e351c8d8-checkpoint125.safetensors");
    }
    if (has_prefix(file, "mimi.")) {
        error_set(err, MOSHI_MISMATCH,
                  "%s: a Mimi codec in the moshi.cpp naming (mimi.…), which "
                  "this program does not read", path);
        return error_hint(err, "use the codec file of a Moshi repository: "
                          "tokenizer-e351c8d8-checkpoint125.safetensors");
    }
    if (checkpoint_find(file, "text_emb.weight")) {
        error_set(err, MOSHI_MISMATCH,
                  "%s: a language model (it holds text_emb.weight), not a Mimi "
                  "codec", path);
        return error_hint(err, "give it with --lm, and the codec with --mimi");
    }
    return error_set(err, MOSHI_MISMATCH,
                     "%s: not a Mimi codec: tensor "
                     "encoder.model.0.conv.conv.weight is missing", path);
}

static void derive_seanet(mimi_config *c, const checkpoint *file)
{
    char name[128];
    c->n_filters = dim(file, "encoder.model.0.conv.conv.weight", 0);
    c->kernel = dim(file, "encoder.model.0.conv.conv.weight", 2);
    c->residual_kernel =
        dim(file, "encoder.model.1.block.1.conv.conv.weight", 2);
    int inner = dim(file, "encoder.model.1.block.1.conv.conv.weight", 0);
    c->compress = inner > 0 ? c->n_filters / inner : 0;
    int hop = 1;
    for (; c->n_ratios < MIMI_RATIOS_MAX; c->n_ratios++) {
        snprintf(name, sizeof name,
                 "decoder.model.%d.convtr.convtr.weight", 2 + 3 * c->n_ratios);
        int kernel = dim(file, name, 2);
        if (kernel < 2 || kernel > 64)
            break;
        c->ratios[c->n_ratios] = kernel / 2;
        hop = hop < 1 << 20 ? hop * (kernel / 2) : hop;
    }
    snprintf(name, sizeof name, "encoder.model.%d.conv.conv.weight",
             2 + 3 * c->n_ratios);
    c->dimension = dim(file, name, 0);
    c->last_kernel = dim(file, name, 2);
    c->frame_steps = dim(file, "downsample.conv.conv.conv.weight", 2) / 2;
    /* Both are below 2^25: a product out of range is for check_sane. */
    int64_t samples = (int64_t)hop * c->frame_steps;
    c->frame_samples = samples < 1 << 24 ? (int)samples : 1 << 24;
    c->sample_rate_hz = SAMPLE_RATE_HZ;
}

static void derive_transformer(mimi_config *c, const checkpoint *file)
{
    char name[128];
    const char *prefix = "encoder_transformer.transformer.layers";
    snprintf(name, sizeof name, "%s.0.linear1.weight", prefix);
    c->hidden = dim(file, name, 0);
    c->width = dim(file, name, 1);
    for (; c->layers < (int)LIMIT_LAYERS; c->layers++) {
        snprintf(name, sizeof name, "%s.%d.linear1.weight", prefix, c->layers);
        if (!checkpoint_find(file, name))
            break;
    }
}

static void derive_quantizer(mimi_config *c, const checkpoint *file)
{
    char name[128];
    c->codebook_dim = dim(file, "quantizer.rvq_first.input_proj.weight", 0);
    for (int q = 0; q < MIMI_CODEBOOKS_MAX; q++, c->codebooks++) {
        static const char *const sums[] = {"embedding_sum", "embed_avg",
                                           "embed_sum"};
        bool found = false;
        for (int i = 0; i < 3 && !found; i++) {
            if (q == 0)
                snprintf(name, sizeof name, "quantizer.rvq_first.vq.layers.0."
                         "_codebook.%s", sums[i]);
            else
                snprintf(name, sizeof name, "quantizer.rvq_rest.vq.layers.%d."
                         "_codebook.%s", q - 1, sums[i]);
            found = checkpoint_find(file, name) != NULL;
            if (found && q == 0)
                c->bins = dim(file, name, 0);
        }
        if (!found)
            break;
    }
}

static moshi_status check_sane(const mimi_config *c, const checkpoint *file,
                               moshi_error *err)
{
    const struct { const char *what; int found, least, most; } sizes[] = {
        {"n_filters", c->n_filters, 1, 4096},
        {"kernel size", c->kernel, 1, 64},
        {"residual kernel size", c->residual_kernel, 1, 64},
        {"last kernel size", c->last_kernel, 1, 64},
        {"compress", c->compress, 1, 64},
        {"number of ratios", c->n_ratios, 1, MIMI_RATIOS_MAX - 1},
        {"dimension", c->dimension, 1, 16384},
        {"downsampling", c->frame_steps, 1, 16},
        {"samples of a frame", c->frame_samples, 1, 1 << 16},
        {"transformer width", c->width, 1, 16384},
        {"transformer hidden width", c->hidden, 1, 65536},
        {"transformer layers", c->layers, 1, (int)LIMIT_LAYERS},
        {"codebook dimension", c->codebook_dim, 1, 16384},
        {"codebooks", c->codebooks, 1, MIMI_CODEBOOKS_MAX},
        {"entries of a codebook", c->bins, 1, 1 << 20},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].found < sizes[i].least || sizes[i].found > sizes[i].most)
            return error_set(err, MOSHI_MISMATCH,
                             "%s: not a usable Mimi codec: %s is %d by the "
                             "shapes of its tensors (%d to %d are possible)",
                             checkpoint_path(file), sizes[i].what,
                             sizes[i].found, sizes[i].least, sizes[i].most);
    if (c->width != c->dimension)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: the transformers are %d wide but the latent has "
                         "%d channels", checkpoint_path(file), c->width,
                         c->dimension);
    return MOSHI_OK;
}

/* One number of the config document against the shapes; absent is fine. */
typedef struct config_check {
    const value *section;
    const char *key;
    int shapes;
} config_check;

static moshi_status compare(const config_check *check, const char *file_path,
                            const char *config_path, moshi_error *err)
{
    int64_t said;
    if (!value_integer(value_get(check->section, check->key), &said) ||
        said == check->shapes)
        return MOSHI_OK;
    return error_set(err, MOSHI_MISMATCH,
                     "%s says %s = %lld but the tensors of %s say %d",
                     config_path, check->key, (long long)said, file_path,
                     check->shapes);
}

static moshi_status check_ratios(const mimi_config *c, const value *seanet,
                                 const char *file_path,
                                 const char *config_path, moshi_error *err)
{
    const value *list = value_get(seanet, "ratios");
    int64_t ratio;
    if (!list)
        return MOSHI_OK;
    bool same = value_count(list) == (size_t)c->n_ratios;
    for (int i = 0; same && i < c->n_ratios; i++)
        same = value_integer(value_at(list, (size_t)i), &ratio) &&
               ratio == c->ratios[i];
    return same ? MOSHI_OK
                : error_set(err, MOSHI_MISMATCH,
                            "%s: seanet.ratios are not those of the transposed "
                            "convolutions of %s", config_path, file_path);
}

static moshi_status check_document(mimi_config *c, const checkpoint *file,
                                   const value *document,
                                   const char *config_path, moshi_error *err)
{
    const char *path = checkpoint_path(file);
    const value *seanet = value_get(document, "seanet");
    const value *quantizer = value_get(document, "quantizer");
    const value *transformer = value_get(document, "transformer");
    const config_check checks[] = {
        {seanet, "n_filters", c->n_filters},
        {seanet, "dimension", c->dimension},
        {seanet, "kernel_size", c->kernel},
        {seanet, "residual_kernel_size", c->residual_kernel},
        {seanet, "last_kernel_size", c->last_kernel},
        {seanet, "compress", c->compress},
        {quantizer, "bins", c->bins},
        {quantizer, "dimension", c->codebook_dim},
        {quantizer, "n_q", c->codebooks},
        {transformer, "d_model", c->width},
        {transformer, "num_layers", c->layers},
        {transformer, "dim_feedforward", c->hidden},
    };
    int64_t heads = 0, context = 0, rate = 0;
    double period = PUBLISHED_MAX_PERIOD;
    moshi_status status = MOSHI_OK;
    for (size_t i = 0; i < sizeof checks / sizeof *checks && !status; i++)
        status = compare(&checks[i], path, config_path, err);
    if (status == MOSHI_OK)
        status = check_ratios(c, seanet, path, config_path, err);
    if (status != MOSHI_OK)
        return status;
    if (!value_integer(value_get(transformer, "num_heads"), &heads) ||
        heads < 1 || c->width % heads != 0 || c->width / heads % 2 != 0)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: transformer.num_heads must divide the width %d "
                         "into heads of even size", config_path, c->width);
    if (!value_integer(value_get(transformer, "context"), &context) ||
        context < c->frame_steps || context > (int64_t)LIMIT_CONTEXT)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: transformer.context must be between %d and %zu",
                         config_path, c->frame_steps, LIMIT_CONTEXT);
    value_real(value_get(transformer, "max_period"), &period);
    if (!(period >= 1 && period <= 1e9))
        return error_set(err, MOSHI_MISMATCH,
                         "%s: transformer.max_period must be between 1 and "
                         "1e9", config_path);
    if (value_integer(value_get(document, "sample_rate"), &rate)) {
        if (rate < 1000 || rate > 192000)
            return error_set(err, MOSHI_MISMATCH,
                             "%s: sample_rate = %lld is out of range",
                             config_path, (long long)rate);
        c->sample_rate_hz = (int)rate;
    }
    c->heads = (int)heads;
    c->context = (int)context;
    c->max_period = (float)period;
    c->from = "config";
    return MOSHI_OK;
}

static bool is_published(const mimi_config *c)
{
    static const int ratios[] = {8, 6, 5, 4};
    return c->n_filters == 64 && c->dimension == 512 && c->n_ratios == 4 &&
           memcmp(c->ratios, ratios, sizeof ratios) == 0 && c->layers == 8 &&
           c->hidden == 2048 && c->bins == 2048 && c->codebook_dim == 256;
}

moshi_status mimi_config_load(mimi_config *out, const checkpoint *file,
                              const value *document, const char *config_path,
                              moshi_error *err)
{
    mimi_config c = {0};
    if (!checkpoint_find(file, "encoder.model.0.conv.conv.weight") &&
        !checkpoint_find(file, "encoder.model.0.conv.conv.weight_v"))
        return explain_naming(file, err);
    derive_seanet(&c, file);
    derive_transformer(&c, file);
    derive_quantizer(&c, file);
    moshi_status status = check_sane(&c, file, err);
    if (status == MOSHI_OK && document) {
        status = check_document(&c, file, document, config_path, err);
    } else if (status == MOSHI_OK && is_published(&c)) {
        c.heads = PUBLISHED_HEADS;
        c.context = PUBLISHED_CONTEXT;
        c.max_period = PUBLISHED_MAX_PERIOD;
        c.from = "preset";
    } else if (status == MOSHI_OK) {
        status = error_set(err, MOSHI_MISMATCH,
                           "%s: not the published Mimi codec (%d filters, "
                           "width %d, %d layers), and its shapes do not tell "
                           "heads, context and rotary period",
                           checkpoint_path(file), c.n_filters, c.width,
                           c.layers);
        error_hint(err, "give its config with --mimi-config FILE");
    }
    if (status == MOSHI_OK)
        *out = c;
    return status;
}
