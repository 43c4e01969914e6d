/* model_files.c: resolve a folder, a file or single parts to paths. */
#include "tasks/model_files.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/value.h"

static const char *const lm_names[] = {
    "model.safetensors", "model.q8.gguf", "model.gguf",
    "dsm_tts_1e68beda@240.safetensors", "dsm_tts_d6ef30c7@1000.safetensors",
    NULL};
static const char *const mimi_names[] = {
    "tokenizer-e351c8d8-checkpoint125.safetensors",
    "mimi-pytorch-e351c8d8@125.safetensors", "mimi.safetensors", NULL};
static const char *const tokenizer_names[] = {
    "tokenizer_spm_32k_3.model",        "tokenizer_spm_48k_multi6_2.model",
    "tokenizer_en_fr_audio_8000.model", "tokenizer_spm_8k_en_fr_audio.model",
    "tokenizer_en_audio_4000.model",    "tokenizer.model", NULL};
static const char *const config_names[] = {"config.json", "config.toml", NULL};

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

static char *join(const char *folder, const char *name)
{
    size_t room = strlen(folder) + strlen(name) + 2;
    char *path = memory_calloc(room, 1);
    if (path)
        snprintf(path, room, "%s/%s", folder, name);
    return path;
}

/* The folder that holds a file: "." for a bare name. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return memory_strdup(".");
    char *folder = memory_strdup(path);
    if (folder)
        folder[slash == path ? 1 : slash - path] = 0;
    return folder;
}

/* folder/name for the first name that exists. *out stays NULL if none does;
 * false when out of memory. */
static bool find_in(const char *folder, const char *const *names, char **out)
{
    for (int i = 0; names[i]; i++) {
        char *path = join(folder, names[i]);
        if (!path)
            return false;
        if (exists(path)) {
            *out = path;
            return true;
        }
        memory_free(path);
    }
    return true;
}

/* A part that config.json names. Hub references are not files here. */
static bool named_by(const value *config, const char *key, const char *folder,
                     char **out)
{
    const char *name;
    if (!value_string(value_get(config, key), &name) || strstr(name, "://"))
        return true;
    *out = name[0] == '/' ? memory_strdup(name) : join(folder, name);
    return *out != NULL;
}

/* One part: as given, else as config.json names it, else under an official
 * name. */
static bool find_part(const char *given, const char *folder,
                      const value *config, const char *key,
                      const char *const *names, char **out)
{
    if (given) {
        *out = memory_strdup(given);
        return *out != NULL;
    }
    if (!folder)
        return true;
    if (key && !named_by(config, key, folder, out))
        return false;
    return *out || !names || find_in(folder, names, out);
}

/* A part that the user did not name: then config.json did, or it exists. */
static moshi_status check_named(const char *path, const model_files *f,
                                const char *key, const char *option,
                                moshi_error *err)
{
    if (exists(path))
        return MOSHI_OK;
    error_set(err, MOSHI_IO, "there is no file '%s', which %s names (%s)",
              path, f->config, key);
    return error_hint(err, "put it there, or name another with %s", option);
}

static moshi_status check_found(const model_files *f,
                                const moshi_model_params *p,
                                const char *folder, model_parts needed,
                                moshi_error *err)
{
    moshi_status status = MOSHI_OK;
    if (needed & MODEL_PARTS_LM && !f->lm) {
        error_set(err, MOSHI_IO, "'%s' holds no language model",
                  folder ? folder : "");
        return error_hint(err, "looked for config.json (moshi_name), "
                          "model.safetensors and model.q8.gguf; name the file "
                          "with --lm");
    }
    if (needed & MODEL_PARTS_MIMI && !f->mimi) {
        error_set(err, MOSHI_IO, "'%s' holds no Mimi codec",
                  folder ? folder : "");
        return error_hint(err, "looked for config.json (mimi_name) and %s; "
                          "name the file with --mimi", mimi_names[0]);
    }
    if (needed & MODEL_PARTS_LM && !p->lm)
        status = check_named(f->lm, f, "moshi_name", "--lm", err);
    if (status == MOSHI_OK && needed & MODEL_PARTS_MIMI && !p->mimi)
        status = check_named(f->mimi, f, "mimi_name", "--mimi", err);
    return status;
}

static moshi_status find_all(model_files *f, const moshi_model_params *p,
                             const char *folder, model_parts needed,
                             moshi_error *err)
{
    value *config = NULL;
    moshi_status status = MOSHI_OK;
    if (!find_part(p->config, folder, NULL, NULL, config_names, &f->config))
        return error_no_memory(err, "file names");
    if (f->config)
        status = value_open(&config, f->config, err);
    if (status == MOSHI_OK &&
        (!find_part(p->lm, folder, config, "moshi_name", lm_names, &f->lm) ||
         !find_part(p->mimi, folder, config, "mimi_name", mimi_names,
                    &f->mimi) ||
         !find_part(p->mimi_config, folder, config, "mimi_config_name", NULL,
                    &f->mimi_config) ||
         !find_part(p->tokenizer, folder, config, "tokenizer_name",
                    tokenizer_names, &f->tokenizer)))
        status = error_no_memory(err, "file names");
    value_close(&config);
    return status == MOSHI_OK ? check_found(f, p, folder, needed, err)
                              : status;
}

moshi_status model_files_find(model_files *out,
                              const moshi_model_params *params,
                              model_parts needed, moshi_error *err)
{
    moshi_model_params p = *params;
    model_files f = {0};
    char *folder = NULL;
    if (!p.model && ((needed & MODEL_PARTS_LM && !p.lm) ||
                     (needed & MODEL_PARTS_MIMI && !p.mimi))) {
        error_set(err, MOSHI_ARGUMENT, "no model was named");
        return error_hint(err, "name a model's folder, or its parts with --lm "
                          "FILE and --mimi FILE");
    }
    if (p.model && !exists(p.model)) {
        error_set(err, MOSHI_IO, "no such model: '%s'", p.model);
        return error_hint(err, "name a model's folder or its language model "
                          "file");
    }
    if (p.model && is_folder(p.model)) {
        folder = memory_strdup(p.model);
    } else if (p.model) {
        if (!p.lm)
            p.lm = p.model;
        folder = folder_of(p.model);
    }
    if (p.model && !folder)
        return error_no_memory(err, "file names");
    moshi_status status = find_all(&f, &p, folder, needed, err);
    memory_free(folder);
    if (status != MOSHI_OK) {
        model_files_release(&f);
        return status;
    }
    *out = f;
    return MOSHI_OK;
}

void model_files_release(model_files *f)
{
    memory_free(f->lm);
    memory_free(f->mimi);
    memory_free(f->tokenizer);
    memory_free(f->config);
    memory_free(f->mimi_config);
    memset(f, 0, sizeof *f);
}
