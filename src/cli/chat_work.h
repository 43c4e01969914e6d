/* chat_work.h: one call of moshi chat, shared by its files.
 *
 * cmd_chat.c sets it up, chat_run.c is the loop of frames, chat_screen.c what
 * the terminal shows and which keys it hears, chat_record.c what is kept. */
#ifndef MOSHI_CLI_CHAT_WORK_H
#define MOSHI_CLI_CHAT_WORK_H

#include <stdint.h>
#include <stdio.h>

#include "audio/sink_file.h"
#include "cli/codes_file.h"
#include "cli/ends.h"
#include "cli/loading.h"
#include "cli/talk_args.h"
#include "cli/timing.h"
#include "tasks/speech_to_speech.h"
#include "tasks/words.h"

/* --- what is kept --- */

enum {
    CHAT_CODES_IN,
    CHAT_TEXT_TOKENS,
    CHAT_AUDIO_TOKENS,
    CHAT_CODES_OUT,
    CHAT_TABLES
};

typedef struct chat_record {
    const char *folder;         /* NULL: nothing is kept */
    sink_file *heard, *spoken;  /* owned */
    codes_table tables[CHAT_TABLES];
    int64_t *late;              /* owned: numbers of late frames */
    size_t n_late, late_room;
    char *text;                 /* owned: what was said */
    size_t text_bytes, text_room;
} chat_record;

/* --- the last seconds, for the status line --- */

#define CHAT_RECENT 125 /* ten seconds */

typedef struct chat_recent {
    double seconds[CHAT_RECENT]; /* time of a frame */
    size_t count;                /* ever */
} chat_recent;

/* --- the terminal --- */

typedef struct chat_screen {
    bool keys;   /* standard input is a terminal, in raw mode */
    bool status; /* standard error is one: a status line is drawn */
    bool drawn;
    double drawn_at;
    int column;  /* of the words */
} chat_screen;

typedef struct chat_work {
    const options *o;
    bool quiet, json;
    loading loading;            /* the model's weights, in the background */
    moshi_model *model;         /* owned, as what follows */
    speech_to_speech *task;
    ends ends;
    talk_stream_args args;
    chat_record record;
    chat_screen screen;
    words words;
    timing times;
    timing_series added;        /* from due to given away, without the model */
    chat_recent recent;
    float *heard, *spoken;      /* a frame each */
    size_t frame_samples;
    uint64_t frames, late;
    double lateness_max;        /* seconds */
    double level_in, level_out; /* dBFS of the last frame */
    bool muted, quit;
    double started, took;
} chat_work;

/* Hear and speak until somebody ends it. */
moshi_status chat_run(chat_work *w, moshi_error *err);

void chat_screen_open(chat_work *w);
void chat_screen_close(chat_work *w);
/* Words as they are spoken. */
void chat_screen_say(chat_work *w, const char *text);
/* Look at the keys, and draw the status line now and then. */
void chat_screen_look(chat_work *w);

moshi_status chat_record_open(chat_work *w, moshi_error *err);
moshi_status chat_record_frame(chat_work *w, const frame_result *r, bool late,
                               const char *text, moshi_error *err);
moshi_status chat_record_finish(chat_work *w, moshi_error *err);
void chat_record_release(chat_record *r);

#endif
