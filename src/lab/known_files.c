/* known_files.c: the table, and the two ways to look into it. */
#include "lab/known_files.h"

#include <stddef.h>
#include <string.h>

static const known_file files[] = {
    {"tokenizer-e351c8d8-checkpoint125.safetensors", "the Mimi codec",
     384644900,
     "09b782f0629851a271227fb9d36db65c041790365f11bbe5d3d59369cf863f50"},
    {"mimi-pytorch-e351c8d8@125.safetensors", "the Mimi codec", 384644900,
     "09b782f0629851a271227fb9d36db65c041790365f11bbe5d3d59369cf863f50"},
    {"tokenizer_spm_32k_3.model", "Moshi's tokenizer", 0,
     "78d4336533ddc26f9acf7250d7fb83492152196c6ea4212c841df76933f18d2d"},
    {"tokenizer_spm_48k_multi6_2.model", "Hibiki's tokenizer", 0, "c22110fb"},
    {"tokenizer_en_fr_audio_8000.model", "the tokenizer of stt-1b and the TTS "
     "models", 120378,
     "cd87dd5d17169151782ac700280ec057e5d658a9afbe238a048ea5ff318cce69"},
    {"tokenizer_spm_8k_en_fr_audio.model", "the tokenizer of stt-1b and the "
     "TTS models", 120378,
     "cd87dd5d17169151782ac700280ec057e5d658a9afbe238a048ea5ff318cce69"},
    {"tokenizer_en_audio_4000.model", "the tokenizer of stt-2.6b", 59339,
     "d461765ae179566678c93091c5fa6f2984c31bbe990bf1aa62d92c64d91bc3f6"},
    {"dsm_tts_1e68beda@240.safetensors", "kyutai/tts-1.6b-en_fr", 3683719712,
     "726ddadd90a080c89cbc6b217745296ef32d8e25666d30f81a09e8ae5c9e0f0c"},
    {"dsm_tts_d6ef30c7@1000.safetensors", "kyutai/tts-0.75b-en-public",
     1560040168,
     "ee4342f0fd9bd244a1d540993beadaf02dcb8116b376fa91b28f4b2568f3f571"},
    {"model.safetensors", "kyutai/stt-1b-en_fr-candle", 1978522200,
     "b9e97c53229dce728d65c76bfa892f7b563c69d671899f0ebc6518582dddec6f"},
    {"model.safetensors", "kyutai/stt-1b-en_fr", 1978423520,
     "8f6e244d44baf63c6fa3587d25a4e8d3627ecbafe177cf34a736e697bb725116"},
    {"model.safetensors", "kyutai/stt-2.6b-en", 5234275128,
     "2471add7da1fdb2d5dc4561e88a9069376333d992760d55d29d1db46c52849b2"},
    {"model.safetensors", "kyutai/moshiko-pytorch-bf16", 0,
     "5b835c664f3830bf453808cbca9bfbcc9de332c328cc01cbffdfbaba2a8838a7"},
    {"model.safetensors", "kyutai/moshika-pytorch-bf16", 0,
     "e0a5a1c79010680eb916adb940ee8567978c78902c5a6b743c79202e75858712"},
    {"model.q8.gguf", "nano", 12512608,
     "39b698d031fd97a5c8c5bd631f2065196f2b9e2118c81a977ecee9a019368059"},
    {"mimi.safetensors", "nano", 11192674,
     "bdd82dd56dba16559838ff564ed4ca4124d9aaef19ff945b78535ecce16562c7"},
    {"tokenizer.model", "nano", 7710,
     "3e70303dfa639ca584eb3145a43728ded76e2f6a28ce52c82879faeaa9da33a8"},
};

#define COUNT (sizeof files / sizeof *files)

/* Many models call their files so; such a name claims nothing. */
static int is_generic(const known_file *f)
{
    static const char *const names[] = {"model.safetensors", "model.q8.gguf",
                                        "mimi.safetensors", "tokenizer.model"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(f->name, names[i]) == 0)
            return 1;
    return 0;
}

const known_file *known_files_by_hash(const char *sha256)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strncmp(files[i].sha256, sha256, strlen(files[i].sha256)) == 0)
            return &files[i];
    return NULL;
}

const known_file *known_files_claimed(const char *name, uint64_t bytes)
{
    for (size_t i = 0; i < COUNT; i++)
        if (!is_generic(&files[i]) && strcmp(files[i].name, name) == 0)
            return &files[i];
    for (size_t i = 0; i < COUNT; i++)
        if (files[i].bytes && files[i].bytes == bytes)
            return &files[i];
    return NULL;
}
