/* synth.c: the presets of synthetic checkpoints, and their writing. */
#include "lab/synth.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "lab/synth_file.h"
#include "lab/synth_lm.h"
#include "lab/synth_mimi.h"
#include "lab/synth_tiny.h"
#include "lm/known_models.h"

typedef enum contents {
    LANGUAGE_MODEL, /* of the table of known models */
    CODEC,
    FOLDER /* a small language model, a small codec, their configs */
} contents;

typedef struct recipe {
    synth_preset preset;
    contents holds;
    const char *model; /* name in the table of known models */
    synth_layout layout;
    dtype type;
    int extra_heads; /* not told by the table: files of a model differ */
} recipe;

#define PYTORCH(label, known, text)                                        \
    {{label, text, CHECKPOINT_SAFETENSORS}, LANGUAGE_MODEL, known,         \
     SYNTH_PYTORCH, DTYPE_BF16, 0}
#define CANDLE(label, known, heads, text)                                  \
    {{label, text, CHECKPOINT_SAFETENSORS}, LANGUAGE_MODEL, known,         \
     SYNTH_CANDLE, DTYPE_BF16, heads}
#define CANDLE_Q8(label, known, heads, text)                               \
    {{label, text, CHECKPOINT_GGUF}, LANGUAGE_MODEL, known, SYNTH_CANDLE,  \
     DTYPE_Q8_0, heads}

static const recipe recipes[] = {
    {{"tiny", "a folder with a complete small model and codec (3 MB)",
      CHECKPOINT_SAFETENSORS}, FOLDER, NULL, SYNTH_CANDLE, DTYPE_F32, 0},
    {{"mimi", "the codec, F32 (385 MB)", CHECKPOINT_SAFETENSORS}, CODEC, NULL,
     SYNTH_PYTORCH, DTYPE_F32, 0},
    CANDLE("moshi-7b", "moshi-7b", 0,
           "Moshi, candle layout, BF16 (15.4 GB)"),
    CANDLE_Q8("moshi-7b-q8", "moshi-7b", 0,
              "Moshi, candle GGUF, Q8_0 (8.2 GB)"),
    PYTORCH("moshi-7b-pytorch", "moshi-7b",
            "Moshi, PyTorch layout, BF16 (15.4 GB)"),
    PYTORCH("personaplex-7b", "personaplex-7b",
            "PersonaPlex, PyTorch layout, BF16 (16.7 GB)"),
    CANDLE("hibiki-1b", "hibiki-1b", 0,
           "Hibiki 1B, candle layout, BF16 (3.6 GB)"),
    CANDLE_Q8("hibiki-1b-q8", "hibiki-1b", 0,
              "Hibiki 1B, candle GGUF, Q8_0 (1.9 GB)"),
    PYTORCH("hibiki-1b-pytorch", "hibiki-1b",
            "Hibiki 1B, PyTorch layout, BF16 (3.6 GB)"),
    PYTORCH("hibiki-2b", "hibiki-2b",
            "Hibiki 2B, PyTorch layout, BF16 (6.3 GB)"),
    PYTORCH("hibiki-zero-3b", "hibiki-zero-3b",
            "Hibiki-Zero, PyTorch layout, BF16 (6.3 GB)"),
    PYTORCH("stt-1b", "stt-1b",
            "speech to text, PyTorch layout, BF16 (2.0 GB)"),
    CANDLE("stt-1b-candle", "stt-1b", 4,
           "the same with heads for pauses, candle layout (2.0 GB)"),
    CANDLE_Q8("stt-1b-q8", "stt-1b", 4,
              "the same, candle GGUF, Q8_0 (1.1 GB)"),
    PYTORCH("stt-2.6b", "stt-2.6b",
            "speech to text, PyTorch layout, BF16 (5.2 GB)"),
    PYTORCH("tts-1.6b", "tts-1.6b",
            "text to speech, PyTorch layout, BF16 (3.7 GB)"),
    PYTORCH("tts-0.75b", "tts-0.75b",
            "text to speech, PyTorch layout, BF16 (1.6 GB)"),
};

size_t synth_presets_count(void)
{
    return sizeof recipes / sizeof *recipes;
}

const synth_preset *synth_presets_at(size_t index)
{
    return &recipes[index].preset;
}

static const recipe *find_recipe(const char *name)
{
    for (size_t i = 0; i < synth_presets_count(); i++)
        if (strcmp(recipes[i].preset.name, name) == 0)
            return &recipes[i];
    return NULL;
}

const synth_preset *synth_presets_find(const char *name)
{
    const recipe *r = find_recipe(name);
    return r ? &r->preset : NULL;
}

static moshi_status unknown_preset(const synth_preset *preset,
                                   moshi_error *err)
{
    return error_set(err, MOSHI_ARGUMENT, "there is no preset '%s'",
                     preset->name);
}

/* The tensors of the preset's file; of a folder, the language model's. */
static moshi_status list_tensors(const recipe *r, dtype type,
                                 synth_list *list, moshi_error *err)
{
    if (r->holds == CODEC) {
        synth_mimi_add(list, &synth_mimi_published);
    } else if (r->holds == FOLDER) {
        synth_lm_add(list, &synth_tiny_lm, r->layout, type);
    } else {
        const known_model *known = known_models_find(r->model);
        lm_config config = known->config;
        config.extra_heads = r->extra_heads;
        synth_lm_add(list, &config, r->layout, type);
    }
    if (!list->failed)
        return MOSHI_OK;
    synth_list_release(list);
    return error_no_memory(err, "the list of tensors");
}

moshi_status synth_specs(const synth_preset *preset, tensor_spec **specs,
                         size_t *count, moshi_error *err)
{
    synth_list list = {0};
    const recipe *r = find_recipe(preset->name);
    if (!r)
        return unknown_preset(preset, err);
    moshi_status status = list_tensors(r, r->type, &list, err);
    if (status != MOSHI_OK)
        return status;
    *specs = list.specs; /* the caller's from here on */
    *count = list.count;
    list.specs = NULL;
    synth_list_release(&list);
    return MOSHI_OK;
}

moshi_status synth_write(const synth_preset *preset, const char *path,
                         uint64_t seed, synth_progress *progress, void *user,
                         moshi_error *err)
{
    synth_list list = {0};
    synth_meter meter = {.call = progress, .user = user};
    const recipe *r = find_recipe(preset->name);
    if (!r)
        return unknown_preset(preset, err);
    if (r->holds == FOLDER)
        return synth_tiny_write(path, seed, &meter, err);
    moshi_status status = list_tensors(r, r->type, &list, err);
    if (status != MOSHI_OK)
        return status;
    meter.total = synth_list_bytes(&list);
    status = synth_file_write(&list, path, preset->format, seed, &meter, err);
    synth_list_release(&list);
    return status;
}

/* --- models in memory --- */

/* "PRESET", or "PRESET-TYPE". */
static const recipe *find_with_type(const char *name, dtype *type)
{
    static const char *const types[] = {[DTYPE_F32] = "f32",
        [DTYPE_F16] = "f16", [DTYPE_BF16] = "bf16", [DTYPE_Q8_0] = "q8_0",
        [DTYPE_Q4_0] = "q4_0", [DTYPE_Q4_K] = "q4_k", [DTYPE_Q5_K] = "q5_k",
        [DTYPE_Q6_K] = "q6_k"};
    char base[64];
    const recipe *r = find_recipe(name);
    const char *dash = strrchr(name, '-');
    if (r)
        *type = r->type;
    if (r || !dash || (size_t)(dash - name) >= sizeof base)
        return r;
    snprintf(base, sizeof base, "%.*s", (int)(dash - name), name);
    r = find_recipe(base);
    for (size_t i = 0; r && i < sizeof types / sizeof *types; i++)
        if (r->holds != CODEC && strcmp(dash + 1, types[i]) == 0) {
            *type = (dtype)i;
            return r;
        }
    return NULL;
}

static moshi_status make_parts(synth_parts *p, const recipe *r, dtype type,
                               moshi_error *err)
{
    bool tiny = r->holds == FOLDER;
    moshi_status status = MOSHI_OK;
    p->format = dtype_info(type)->block > 1 ? CHECKPOINT_GGUF
                                            : r->preset.format;
    p->mimi = memory_calloc(1, sizeof *p->mimi);
    if (r->holds != CODEC)
        p->lm = memory_calloc(1, sizeof *p->lm);
    if (!p->mimi || (r->holds != CODEC && !p->lm))
        return error_no_memory(err, "the list of tensors");
    synth_mimi_add(p->mimi, tiny ? &synth_mimi_tiny : &synth_mimi_published);
    if (p->mimi->failed)
        return error_no_memory(err, "the list of tensors");
    if (p->lm)
        status = list_tensors(r, type, p->lm, err);
    if (!tiny || status != MOSHI_OK)
        return status;
    p->lm_config = synth_tiny_lm_config();
    p->mimi_config = synth_tiny_mimi_config();
    return p->lm_config && p->mimi_config
               ? MOSHI_OK : error_no_memory(err, "a config");
}

moshi_status synth_parts_make(synth_parts *out, const char *name,
                              moshi_error *err)
{
    dtype type = DTYPE_F32;
    synth_parts parts = {0};
    const recipe *r = find_with_type(name, &type);
    if (!r) {
        error_set(err, MOSHI_ARGUMENT, "there is no preset '%s'", name);
        return error_hint(err, "'moshi synth --list' names them; one with a "
                          "type behind it, such as moshi-7b-q4_k, is the same "
                          "model in that type");
    }
    moshi_status status = make_parts(&parts, r, type, err);
    if (status == MOSHI_OK)
        *out = parts;
    else
        synth_parts_release(&parts);
    return status;
}

void synth_parts_release(synth_parts *p)
{
    if (p->lm)
        synth_list_release(p->lm);
    if (p->mimi)
        synth_list_release(p->mimi);
    memory_free(p->lm);
    memory_free(p->mimi);
    memory_free(p->lm_config);
    memory_free(p->mimi_config);
    memset(p, 0, sizeof *p);
}
