/* gen_work.h: one run of moshi gen, shared by its three files.
 *
 * cmd_gen.c sets it up, gen_run.c runs the frames, gen_results.c writes down
 * what came of them. */
#ifndef MOSHI_CLI_GEN_WORK_H
#define MOSHI_CLI_GEN_WORK_H

#include <stdio.h>

#include "audio/sink_file.h"
#include "base/output_file.h"
#include "cli/codes_file.h"
#include "cli/loading.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/timing.h"
#include "tasks/speech_to_speech.h"

/* The tables of --codes. */
enum {
    GEN_CODES_IN,
    GEN_TEXT_TOKENS,
    GEN_AUDIO_TOKENS,
    GEN_CODES_OUT,
    GEN_TABLES
};

/* One run of the command; everything is released by cmd_gen.c. */
typedef struct gen_work {
    const options *o;
    bool quiet, json;
    FILE *words;         /* where the text goes as it is spoken */
    moshi_model *model;
    loading loading;     /* its weights, in the background */
    speech_to_speech *task;
    sink_file *sink;
    output_file *text_file;
    float *pcm;          /* the recording with its silence */
    float *spoken;       /* one frame */
    size_t n_frames, frame_samples;
    codes_table tables[GEN_TABLES];
    int32_t last_text;   /* text token before, -1 at the start */
    bool midline;        /* something was printed since the last newline */
    size_t frames_out;
    double started, took;
    timing times;
    progress bar;
} gen_work;

/* Hear and speak every frame, writing sound and text as they come. */
moshi_status gen_run_frames(gen_work *w, moshi_error *err);

/* Complete all output files; after success, print the results. */
moshi_status gen_finish_files(gen_work *w, moshi_error *err);
void gen_print_results(gen_work *w);

#endif
