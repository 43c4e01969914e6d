/* metadata.c: write that object. */
#include "serve/metadata.h"

#include <string.h>

#include <moshi/version.h>

static const char *file_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path ? path : "";
}

static void add_text(text_buffer *out, const char *key, const char *text)
{
    text_buffer_add(out, "\"%s\":", key);
    text_buffer_add_json(out, text);
}

static void add_build_info(text_buffer *out)
{
    static const char *const keys[] = {
        "build_timestamp", "build_date", "git_branch", "git_timestamp",
        "git_date", "git_hash", "git_describe", "rustc_host_triple",
        "rustc_version", "cargo_target_triple"};
    text_buffer_add(out, "\"build_info\":{");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        bool version = strcmp(keys[i], "git_describe") == 0;
        text_buffer_add(out, "%s\"%s\":\"%s\"", i ? "," : "", keys[i],
                        version ? "moshi.c " MOSHI_VERSION_STRING : "");
    }
    text_buffer_add(out, "}");
}

void metadata_write(text_buffer *out, const moshi_model *model,
                    const sampler *sampling, const query *q,
                    const char *instance_name)
{
    const sampler_choice *text = &sampling->text, *audio = &sampling->audio;
    text_buffer_add(out, "{\"text_temperature\":%g,\"text_topk\":%d,",
                    (double)text->temperature, text->top_k);
    text_buffer_add(out, "\"audio_temperature\":%g,\"audio_topk\":%d,",
                    (double)audio->temperature, audio->top_k);
    text_buffer_add(out, "\"pad_mult\":%g,", q->pad_mult);
    text_buffer_add(out, "\"repetition_penalty_context\":%llu,",
                    q->has_penalty_context
                        ? (unsigned long long)q->penalty_context : 32ull);
    text_buffer_add(out, "\"repetition_penalty\":%g,",
                    q->has_penalty ? q->penalty : 1.0);
    /* Beyond the official fields: what repeats this conversation. */
    text_buffer_add(out, "\"text_seed\":\"%llu\",\"audio_seed\":\"%llu\",",
                    (unsigned long long)text->seed,
                    (unsigned long long)audio->seed);
    add_text(out, "lm_model_file", file_name(model->files.lm));
    text_buffer_add(out, ",");
    add_text(out, "mimi_model_file", file_name(model->files.mimi));
    text_buffer_add(out, ",");
    add_text(out, "instance_name", instance_name);
    text_buffer_add(out, ",");
    add_build_info(out);
    text_buffer_add(out, "}");
}
