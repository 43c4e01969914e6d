/* codec_replay.c: open the codec, run the scan, print what came out. */
#include "cli/codec_replay.h"

#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/codec_open.h"
#include "cli/json_out.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "lab/replay.h"

/* Of the test sound that the control is made of: 4 s. */
#define CONTROL_FRAMES 50

bool codec_replay_wanted(const options *o)
{
    return options_flag(o, "delay-scan") || options_flag(o, "order-scan");
}

/* --- the two forms of the report --- */

/* The view to name as the best, or NULL when that would be a guess. */
static const replay_row *best_row(const replay *r)
{
    return r->verdict == LAB_OK || r->verdict == LAB_TIMELINE
               ? &r->rows[r->verdict == LAB_OK ? 0 : r->best] : NULL;
}

static void print_text(const replay *r)
{
    printf("%-22s %7s %7s %7s %7s   first codebooks\n", "view", "echo %",
           "chance", "gain", "+-");
    for (size_t i = 0; i < r->n_rows; i++) {
        const replay_row *row = &r->rows[i];
        printf("%c %-20s %7.1f %7.1f %+7.1f %7.1f  ", row == best_row(r) ? '*' : ' ',
               row->view.name, 100 * row->score.share,
               100 * row->score.by_chance, 100 * row->gain,
               100 * row->gain_se);
        for (int k = 0; k < row->view.K && k < 4; k++)
            printf(" %5.1f", 100 * row->score.book[k]);
        putchar('\n');
    }
    if (r->has_control)
        printf("  %-20s %7.1f %7.1f\n", "(control: own codes)",
               100 * r->control.share, 100 * r->control.by_chance);
    printf("\nverdict: %s: %s\nadvice: %s\n", lab_class_name(r->verdict),
           r->line, r->advice);
}

static void json_score(json_out *j, const echo_score *s)
{
    json_out_real(j, "echo", s->share);
    json_out_real(j, "chance", s->by_chance);
}

static void print_json(const replay *r)
{
    json_out j;
    json_out_init(&j, stdout);
    json_out_object(&j, NULL);
    json_out_text(&j, "verdict", lab_class_name(r->verdict));
    json_out_text(&j, "line", r->line);
    json_out_text(&j, "advice", r->advice);
    json_out_integer(&j, "codebooks", r->K);
    json_out_integer(&j, "frames", (int64_t)r->n);
    json_out_integer(&j, "first_frame", (int64_t)r->first);
    if (best_row(r))
        json_out_text(&j, "best", best_row(r)->view.name);
    else
        json_out_null(&j, "best");
    json_out_object(&j, "control");
    json_score(&j, &r->control);
    json_out_end(&j);
    json_out_array(&j, "views");
    for (size_t i = 0; i < r->n_rows; i++) {
        const replay_row *row = &r->rows[i];
        json_out_object(&j, NULL);
        json_out_text(&j, "name", row->view.name);
        json_score(&j, &row->score);
        json_out_real(&j, "gain", row->gain);
        json_out_real(&j, "gain_error", row->gain_se);
        json_out_array(&j, "codebooks");
        for (int k = 0; k < row->view.K; k++)
            json_out_real(&j, NULL, row->score.book[k]);
        json_out_end(&j);
        json_out_end(&j);
    }
    json_out_end(&j);
    json_out_end(&j);
}

/* --- running --- */

static void show_progress(void *user, size_t done, size_t total)
{
    progress_set(user, (double)done / (double)total, NULL);
}

static moshi_status run(replay *r, const mimi_model *model, backend *be,
                        moshi_error *err)
{
    echo_mimi *echo = NULL;
    int32_t *control = memory_calloc(CONTROL_FRAMES * (size_t)model->codebooks,
                                     sizeof *control);
    moshi_status status = control ? MOSHI_OK
                                  : error_no_memory(err, "the control");
    if (status == MOSHI_OK)
        status = echo_mimi_open(&echo, model, be, err);
    if (status == MOSHI_OK)
        status = echo_mimi_hear(echo, CONTROL_FRAMES, control, err);
    if (status == MOSHI_OK)
        status = replay_run(r, echo_mimi_codec(echo), control,
                            model->codebooks, CONTROL_FRAMES, err);
    echo_mimi_close(&echo);
    memory_free(control);
    return status;
}

moshi_status codec_replay(const options *o, const int32_t *codes, int K,
                          size_t T, exit_status *answer, moshi_error *err)
{
    backend *be = NULL;
    mimi_model *model = NULL;
    replay *r = NULL;
    progress bar;
    replay_params p = {
        .delays = options_flag(o, "delay-scan"),
        .orders = options_flag(o, "order-scan"),
        .frames_max = (size_t)(options_real(o, "scan-seconds") * 12.5),
        .progress = show_progress,
        .user = &bar,
    };
    progress_open(&bar, "replaying", options_flag(o, "quiet"));
    moshi_status status = codec_open(o, &be, &model, err);
    if (status == MOSHI_OK)
        status = replay_open(&r, codes, K, T, &p, err);
    if (status == MOSHI_OK) {
        report_note(options_flag(o, "quiet"),
                    "%zu ways to see %d codebooks; each is decoded and encoded "
                    "again, %zu frames (%.1f s) from frame %zu on", r->n_rows,
                    K, r->n, (double)r->n * 0.08, r->first);
        status = run(r, model, be, err);
    }
    progress_close(&bar);
    if (status == MOSHI_OK) {
        if (options_flag(o, "json"))
            print_json(r);
        else
            print_text(r);
        *answer = r->verdict == LAB_OK || r->verdict == LAB_CANNOT_TELL
                      ? EXIT_STATUS_DONE : EXIT_STATUS_NO;
    }
    replay_close(&r);
    mimi_model_close(&model);
    if (be)
        be->close(&be);
    return status;
}
