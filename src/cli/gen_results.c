/* gen_results.c: what moshi gen leaves behind: files, a report, statistics. */
#include "base/error.h"
#include "base/memory.h"
#include "cli/gen_work.h"
#include "cli/json_out.h"
#include "cli/report.h"

/* The sound last: a recording of an earlier run is only replaced when nothing
 * else can fail. */
moshi_status gen_finish_files(gen_work *w, moshi_error *err)
{
    const char *codes = options_text(w->o, "codes");
    moshi_status status = MOSHI_OK;
    if (codes)
        status = codes_file_write(codes, w->tables, GEN_TABLES, err);
    if (status == MOSHI_OK && w->text_file)
        status = output_file_write(w->text_file, "\n", 1, err);
    if (status == MOSHI_OK && w->text_file)
        status = output_file_commit(w->text_file, err);
    return status == MOSHI_OK ? sink_file_finish(w->sink, err) : status;
}

static uint64_t weight_bytes(const plan *p)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < p->n_ops; i++)
        sum += plan_op_weight_bytes(p, &p->ops[i]);
    return sum;
}

/* Weights that a frame reads, by part. */
static void count_bytes(gen_work *w)
{
    const plan *lm = w->task->runner->plan->plan;
    uint64_t *bytes = w->times.bytes;
    timing_part part = TIMING_TEMPORAL;
    for (size_t i = 0; i < lm->n_ops; i++) {
        bytes[part] += plan_op_weight_bytes(lm, &lm->ops[i]);
        if (lm->ops[i].kind == OP_SAMPLE && lm->ops[i].p.sample.text)
            part = TIMING_DEPFORMER;
    }
    bytes[TIMING_ENCODE] = weight_bytes(w->model->mimi->encoder);
    bytes[TIMING_DECODE] = weight_bytes(w->model->mimi->decoder);
    bytes[TIMING_LM] = bytes[TIMING_TEMPORAL] + bytes[TIMING_DEPFORMER];
    bytes[TIMING_FRAME] =
        bytes[TIMING_ENCODE] + bytes[TIMING_LM] + bytes[TIMING_DECODE];
}

static double seconds_of(const gen_work *w, size_t frames)
{
    return (double)(frames * w->frame_samples) /
           w->model->mimi->config.sample_rate_hz;
}

static double real_time_factor(const gen_work *w)
{
    return w->took > 0 ? seconds_of(w, w->n_frames) / w->took : 0;
}

/* The whole text at once, as the official gen decodes it. Allocated. */
static char *whole_text(const gen_work *w)
{
    const codes_table *t = &w->tables[GEN_TEXT_TOKENS];
    int32_t *ids = memory_calloc(t->T, sizeof *ids);
    size_t n = 0;
    char *text = NULL;
    for (size_t f = 0; ids && f < t->T; f++)
        if (speech_to_speech_is_text(w->model, t->rows[f]))
            ids[n++] = t->rows[f];
    if (ids && w->model->tokenizer) {
        size_t length = tokenizer_decode(w->model->tokenizer, ids, n, NULL, 0);
        text = memory_calloc(length + 1, 1);
        if (text)
            tokenizer_decode(w->model->tokenizer, ids, n, text, length + 1);
    } else if (ids) {
        size_t room = n * 12 + 1, at = 0;
        text = memory_calloc(room, 1);
        for (size_t i = 0; text && i < n; i++)
            at += (size_t)snprintf(text + at, room - at, "%s%d", i ? " " : "",
                                   ids[i]);
    }
    memory_free(ids);
    return text;
}

static void print_json(gen_work *w)
{
    json_out j;
    char *text = whole_text(w);
    json_out_init(&j, stdout);
    json_out_object(&j, NULL);
    json_out_text(&j, "text", text ? text : "");
    json_out_integer(&j, "frames", (int64_t)w->n_frames);
    json_out_real(&j, "seconds_in", seconds_of(w, w->n_frames));
    json_out_real(&j, "seconds_out", seconds_of(w, w->frames_out));
    json_out_real(&j, "real_time_factor", real_time_factor(w));
    json_out_integer(&j, "acoustic_delay",
                     lm_config_acoustic_delay(&w->model->lm->config));
    timing_json(&w->times, &j);
    json_out_real(&j, "rss_mb", (double)timing_peak_memory() * 1e-6);
    json_out_end(&j);
    memory_free(text);
}

void gen_print_results(gen_work *w)
{
    if (w->midline)
        fputc('\n', w->words);
    bool stats = options_flag(w->o, "stats");
    if (stats || w->json)
        count_bytes(w);
    if (w->json)
        print_json(w);
    if (stats) {
        timing_print(&w->times, stderr);
        fprintf(stderr, "peak memory %.0f MB\n",
                (double)timing_peak_memory() * 1e-6);
    }
    report_note(w->quiet, "%s: %.1f s from %.1f s heard, in %.1f s (%.2fx "
                "real time)", w->o->args[1], seconds_of(w, w->frames_out),
                seconds_of(w, w->n_frames), w->took, real_time_factor(w));
}
