/* cmd_chat.c: moshi chat: talk in the terminal, full duplex. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/output_file.h"
#include "cli/chat_work.h"
#include "cli/command.h"
#include "cli/json_out.h"
#include "cli/model_args.h"
#include "cli/report.h"

static exit_status list_devices(void)
{
    moshi_error err = {0};
    sound_device *all = NULL;
    size_t n = 0;
    if (sound_card_list(&all, &n, &err) != MOSHI_OK)
        return report_error(&err);
    for (size_t i = 0; i < n; i++)
        printf("%3d  %s  (%s, %d in%s, %d out%s, %.0f Hz)\n", all[i].number,
               all[i].name, all[i].system, all[i].inputs,
               all[i].default_input ? ", default" : "", all[i].outputs,
               all[i].default_output ? ", default" : "", all[i].rate_hz);
    memory_free(all);
    if (n == 0)
        report_note(false, "this machine has no sound device");
    return n > 0 ? EXIT_STATUS_DONE : EXIT_STATUS_LACKING;
}

static moshi_status open_model(chat_work *w, moshi_error *err)
{
    moshi_model_params p;
    moshi_status status = talk_model_args(w->o, &p, err);
    if (status == MOSHI_OK)
        status = model_args_default(&p, err);
    loading_ask(&w->loading, &p);
    if (status == MOSHI_OK)
        status = moshi_model_open(&w->model, &p, err);
    if (status == MOSHI_OK)
        status = talk_stream_args_read(w->o, &w->args, err);
    if (status == MOSHI_OK)
        status = speech_to_speech_open(&w->task, w->model, &w->args.params,
                                       err);
    if (status == MOSHI_OK)
        loading_wait(&w->loading, w->model, w->quiet);
    return status;
}

/* The first frames touch memory for the first time; they shall not be those
 * of the conversation. */
static moshi_status warm_up(chat_work *w, moshi_error *err)
{
    frame_result r;
    w->frame_samples = (size_t)w->model->mimi->config.frame_samples;
    w->heard = memory_calloc(w->frame_samples, sizeof *w->heard);
    w->spoken = memory_calloc(w->frame_samples, sizeof *w->spoken);
    if (!w->heard || !w->spoken)
        return error_no_memory(err, "a frame");
    r.pcm = w->spoken;
    double quickest = INFINITY;
    for (int i = 0; i < 3; i++) {
        double start = clock_seconds();
        speech_to_speech_frame(w->task, w->heard, &r);
        quickest = fmin(quickest, clock_seconds() - start);
    }
    speech_to_speech_reset(w->task);
    report_slow(quickest);
    return MOSHI_OK;
}

static moshi_status write_text(const chat_work *w, moshi_error *err)
{
    const char *path = options_text(w->o, "text");
    output_file *file = NULL;
    if (!path)
        return MOSHI_OK;
    moshi_status status = output_file_open(&file, path, err);
    if (status == MOSHI_OK && w->record.text_bytes > 0)
        status = output_file_write(file, w->record.text, w->record.text_bytes,
                                   err);
    if (status == MOSHI_OK)
        status = output_file_write(file, "\n", 1, err);
    if (status == MOSHI_OK)
        status = output_file_commit(file, err);
    output_file_close(&file);
    return status;
}

static void print_results(chat_work *w)
{
    double p50 = timing_quantile(&w->times, TIMING_FRAME, 0.5);
    double p99 = timing_quantile(&w->times, TIMING_FRAME, 0.99);
    double added = timing_series_quantile(&w->added, 0.99);
    if (w->json) {
        json_out j;
        json_out_init(&j, stdout);
        json_out_object(&j, NULL);
        json_out_text(&j, "text", w->record.text ? w->record.text : "");
        json_out_integer(&j, "frames", (int64_t)w->frames);
        json_out_integer(&j, "late", (int64_t)w->late);
        json_out_real(&j, "seconds", w->took);
        json_out_real(&j, "added_ms_p50",
                      1e3 * timing_series_quantile(&w->added, 0.5));
        json_out_real(&j, "added_ms_p99", 1e3 * added);
        json_out_real(&j, "lateness_ms_max", 1e3 * w->lateness_max);
        timing_json(&w->times, &j);
        json_out_end(&j);
    }
    report_note(w->quiet || w->json, "%.1f s, %llu frames of 80 ms in "
                "%.1f ms (p50), %.1f ms (p99), and %.1f ms beside the model "
                "(p99); %llu late", w->took, (unsigned long long)w->frames,
                1e3 * p50, 1e3 * p99, 1e3 * added,
                (unsigned long long)w->late);
    if (w->late > 0)
        report_warning("%llu frames were late, by up to %.0f ms: this machine "
                       "did not keep up", (unsigned long long)w->late,
                       1e3 * w->lateness_max);
}

static moshi_status finish(chat_work *w, moshi_error *err)
{
    moshi_status status = chat_record_finish(w, err);
    if (status == MOSHI_OK)
        status = write_text(w, err);
    return status == MOSHI_OK ? ends_finish(&w->ends, err) : status;
}

static void release(chat_work *w)
{
    ends_release(&w->ends);
    chat_record_release(&w->record);
    timing_release(&w->times);
    timing_series_release(&w->added);
    speech_to_speech_close(&w->task);
    moshi_model_close(&w->model);
    memory_free(w->heard);
    memory_free(w->spoken);
}

static exit_status run(const options *o)
{
    moshi_error err = {0};
    chat_work w = {.o = o, .quiet = options_flag(o, "quiet"),
                   .json = options_flag(o, "json")};
    if (options_flag(o, "list"))
        return list_devices();
    if (!model_args_named(o, MODEL_PARTS_BOTH))
        return report_usage("chat", "half a model was named: --lm and --mimi "
                            "go together, or with --model");
    timing_init(&w.times);
    moshi_status status = open_model(&w, &err);
    if (status == MOSHI_OK)
        status = warm_up(&w, &err);
    if (status == MOSHI_OK)
        status = ends_open(&w.ends, o, w.model->mimi->config.sample_rate_hz,
                           w.frame_samples, &err);
    if (status == MOSHI_OK)
        status = chat_record_open(&w, &err);
    if (status == MOSHI_OK) {
        chat_screen_open(&w);
        status = chat_run(&w, &err);
        chat_screen_close(&w);
        /* A call that broke off is one that somebody may want to repeat. */
        moshi_error more = {0};
        moshi_status kept = finish(&w, &more);
        if (status == MOSHI_OK && kept != MOSHI_OK) {
            status = kept;
            err = more;
        }
    }
    if (status == MOSHI_OK)
        print_results(&w);
    release(&w);
    return status == MOSHI_OK ? EXIT_STATUS_DONE : report_error(&err);
}

static const option own_options[] = {
    {.name = "list", .type = OPTION_FLAG,
     .help = "list the sound devices, and do nothing else"},
    {.name = "record", .type = OPTION_TEXT, .value = "DIR",
     .help = "keep both sides (WAV), every code and token, the text and a "
             "manifest there, so that a call can be repeated"},
    {.name = "text", .type = OPTION_TEXT, .value = "FILE",
     .help = "write the text to FILE as well"},
    {0},
};

static const char *const usage[] = {"", NULL};

static const char *const examples[] = {
    "moshi chat -m moshika",
    "moshi chat --microphone USB --no-echo-cancel",
    "moshi chat --in question.wav --out answer.wav --tail 4",
    NULL,
};

const command cmd_chat = {
    .name = "chat",
    .summary = "talk with the microphone and the loudspeaker",
    .group = COMMAND_GROUP_USE,
    .needs = COMMAND_NEEDS_MODEL | COMMAND_NEEDS_DEVICE | COMMAND_SAMPLES |
             COMMAND_ENDS | COMMAND_REPORTS,
    .usage = usage,
    .about =
        "Talk and listen at the same time. The words are printed as they are "
        "spoken; a line below them shows both levels, the time of a frame "
        "(median and 99th percentile; it must stay below 80 ms), frames that "
        "were late, under- and overruns of the sound device, and the delay "
        "from mouth to ear. Key m mutes the microphone, q quits.\n\n"
        "The loudspeaker's sound is taken out of the microphone's, so that the "
        "model does not hear itself; with headphones that is not needed.",
    .options = own_options,
    .examples = examples,
    .args_min = 0,
    .args_max = 0,
    .run = run,
};
