/* chat_record.c: what moshi chat --record keeps of a call, so that a bad one
 * can be repeated: both sides, every code and token, and how it was made.
 *
 *   heard.wav   what the model heard, 32-bit float: after echo cancellation
 *   spoken.wav  what it said
 *   codes.safetensors, text.txt, manifest.json */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <moshi/version.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/output_file.h"
#include "cli/chat_work.h"
#include "cli/json_out.h"

static moshi_status path_in(const chat_record *r, const char *name,
                            char path[LIMIT_PATH_BYTES], moshi_error *err)
{
    int n = snprintf(path, LIMIT_PATH_BYTES, "%s/%s", r->folder, name);
    if (n < 0 || n >= LIMIT_PATH_BYTES)
        return error_set(err, MOSHI_ARGUMENT, "the folder's name is too long");
    return MOSHI_OK;
}

static moshi_status open_sound(const chat_work *w, const char *name,
                               sink_file **out, moshi_error *err)
{
    char path[LIMIT_PATH_BYTES];
    moshi_status status = path_in(&w->record, name, path, err);
    return status == MOSHI_OK ? sink_file_open(out, path, w->ends.rate_hz,
                                               SINK_FLOAT32, err)
                              : status;
}

moshi_status chat_record_open(chat_work *w, moshi_error *err)
{
    const lm_config *c = &w->model->lm->config;
    chat_record *r = &w->record;
    r->folder = options_text(w->o, "record");
    r->tables[CHAT_CODES_IN] = (codes_table){.name = "codes_in",
                                             .K = c->n_q - c->dep_q};
    r->tables[CHAT_TEXT_TOKENS] = (codes_table){.name = "text_tokens"};
    r->tables[CHAT_AUDIO_TOKENS] = (codes_table){.name = "audio_tokens",
                                                 .K = c->dep_q};
    r->tables[CHAT_CODES_OUT] = (codes_table){.name = "codes_out",
                                              .K = c->dep_q};
    if (!r->folder)
        return MOSHI_OK;
    if (mkdir(r->folder, 0777) != 0 && errno != EEXIST)
        return error_set(err, MOSHI_IO, "cannot make the folder '%s': %s",
                         r->folder, strerror(errno));
    moshi_status status = open_sound(w, "heard.wav", &r->heard, err);
    return status == MOSHI_OK ? open_sound(w, "spoken.wav", &r->spoken, err)
                              : status;
}

static bool keep_text(chat_record *r, const char *text)
{
    size_t n = strlen(text);
    if (!memory_grow((void **)&r->text, &r->text_room, r->text_bytes + n + 1,
                     1))
        return false;
    memcpy(r->text + r->text_bytes, text, n + 1);
    r->text_bytes += n;
    return true;
}

static bool keep_tokens(const chat_work *w, chat_record *r,
                        const frame_result *f, bool late)
{
    if (late) {
        if (!memory_grow((void **)&r->late, &r->late_room, r->n_late + 1,
                         sizeof *r->late))
            return false;
        r->late[r->n_late++] = (int64_t)w->frames - 1;
    }
    return codes_table_add(&r->tables[CHAT_CODES_IN], f->codes_in) &&
           codes_table_add(&r->tables[CHAT_TEXT_TOKENS], f->tokens) &&
           codes_table_add(&r->tables[CHAT_AUDIO_TOKENS], f->tokens + 1) &&
           (!f->spoken ||
            codes_table_add(&r->tables[CHAT_CODES_OUT], f->codes_out));
}

moshi_status chat_record_frame(chat_work *w, const frame_result *f, bool late,
                               const char *text, moshi_error *err)
{
    chat_record *r = &w->record;
    if (!keep_text(r, text))
        return error_no_memory(err, "the text");
    if (!r->folder)
        return MOSHI_OK;
    if (!keep_tokens(w, r, f, late))
        return error_no_memory(err, "the record of the call");
    moshi_status status = sink_file_write(r->heard, w->heard,
                                          w->frame_samples, err);
    if (status == MOSHI_OK && f->spoken)
        status = sink_file_write(r->spoken, w->spoken, w->frame_samples, err);
    return status;
}

static void write_sampling(const chat_work *w, json_out *j)
{
    const sampler *s = &w->task->lm->sampling;
    char seed[32];
    snprintf(seed, sizeof seed, "%" PRIu64, s->text.seed);
    json_out_object(j, "sampling");
    json_out_text(j, "seed", seed);
    json_out_real(j, "text_temperature", (double)s->text.temperature);
    json_out_integer(j, "text_top_k", s->text.top_k);
    json_out_real(j, "temperature", (double)s->audio.temperature);
    json_out_integer(j, "top_k", s->audio.top_k);
    json_out_real(j, "cfg_alpha", (double)s->guidance);
    json_out_end(j);
}

static void write_times(chat_work *w, json_out *j)
{
    json_out_integer(j, "frames", (int64_t)w->frames);
    json_out_integer(j, "late", (int64_t)w->late);
    json_out_array(j, "late_frames");
    for (size_t i = 0; i < w->record.n_late; i++)
        json_out_integer(j, NULL, w->record.late[i]);
    json_out_end(j);
    timing_json(&w->times, j);
    if (w->ends.live) {
        live_sound_state l = live_sound_look(w->ends.live);
        json_out_integer(j, "underruns", (int64_t)l.underruns);
        json_out_integer(j, "overruns", (int64_t)(l.overruns + l.dropped));
    }
}

/* The command that runs the same frames again. */
static void write_replay(const chat_work *w, json_out *j)
{
    const sampler *s = &w->task->lm->sampling;
    char line[LIMIT_PATH_BYTES];
    if (!(s->text.temperature > 0) && !(s->audio.temperature > 0))
        snprintf(line, sizeof line, "moshi gen heard.wav again.wav --greedy");
    else
        snprintf(line, sizeof line, "moshi gen heard.wav again.wav --seed "
                 "%" PRIu64 " --temp %g --text-temp %g --top-k %d "
                 "--text-top-k %d", s->text.seed,
                 (double)s->audio.temperature, (double)s->text.temperature,
                 s->audio.top_k, s->text.top_k);
    json_out_text(j, "replay", line);
}

static void write_manifest(chat_work *w, FILE *file)
{
    json_out j;
    char when[40];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_out_init(&j, file);
    json_out_object(&j, NULL);
    json_out_text(&j, "program", "moshi.c " MOSHI_VERSION_STRING);
    json_out_text(&j, "ended", when);
    json_out_text(&j, "lm", w->model->files.lm);
    json_out_text(&j, "mimi", w->model->files.mimi);
    if (w->model->files.tokenizer)
        json_out_text(&j, "tokenizer", w->model->files.tokenizer);
    json_out_integer(&j, "acoustic_delay",
                     lm_config_acoustic_delay(&w->model->lm->config));
    write_sampling(w, &j);
    write_replay(w, &j);
    write_times(w, &j);
    json_out_end(&j);
}

static moshi_status write_file(const chat_record *r, const char *name,
                               const char *bytes, size_t n, moshi_error *err)
{
    char path[LIMIT_PATH_BYTES];
    output_file *file = NULL;
    moshi_status status = path_in(r, name, path, err);
    if (status == MOSHI_OK)
        status = output_file_open(&file, path, err);
    if (status == MOSHI_OK)
        status = output_file_write(file, bytes, n, err);
    if (status == MOSHI_OK)
        status = output_file_commit(file, err);
    output_file_close(&file);
    return status;
}

static moshi_status finish_manifest(chat_work *w, moshi_error *err)
{
    char *text = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&text, &n);
    if (!memory)
        return error_no_memory(err, "the manifest");
    write_manifest(w, memory);
    bool bad = ferror(memory);
    bad = fclose(memory) != 0 || bad;
    moshi_status status = bad ? error_no_memory(err, "the manifest")
                              : write_file(&w->record, "manifest.json", text,
                                           n, err);
    free(text);
    return status;
}

/* The manifest last: a folder that has one is whole. */
moshi_status chat_record_finish(chat_work *w, moshi_error *err)
{
    chat_record *r = &w->record;
    char path[LIMIT_PATH_BYTES];
    if (!r->folder)
        return MOSHI_OK;
    moshi_status status = path_in(r, "codes.safetensors", path, err);
    if (status == MOSHI_OK && w->frames > 0)
        status = codes_file_write(path, r->tables, CHAT_TABLES, err);
    if (status == MOSHI_OK)
        status = sink_file_finish(r->heard, err);
    if (status == MOSHI_OK)
        status = sink_file_finish(r->spoken, err);
    if (status == MOSHI_OK)
        status = write_file(r, "text.txt", r->text ? r->text : "",
                            r->text_bytes, err);
    return status == MOSHI_OK ? finish_manifest(w, err) : status;
}

void chat_record_release(chat_record *r)
{
    for (int i = 0; i < CHAT_TABLES; i++)
        codes_table_release(&r->tables[i]);
    sink_file_close(&r->heard);
    sink_file_close(&r->spoken);
    memory_free(r->late);
    memory_free(r->text);
}
