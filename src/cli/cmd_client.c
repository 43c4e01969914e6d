/* cmd_client.c: moshi client: talk to a server of /api/chat. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/output_file.h"
#include "cli/command.h"
#include "cli/ends.h"
#include "cli/json_out.h"
#include "cli/report.h"
#include "serve/client.h"
#include "serve/text_buffer.h"

#define RATE_HZ 24000
#define DEFAULT_PORT 8998

/* After the last frame was sent: how long to wait for more, when all that can
 * be expected has come, and when something is missing. */
#define QUIET_SECONDS 0.4
#define MISSING_SECONDS 5.0
/* Models keep one or two frames back: their acoustic delay. */
#define DELAY_FRAMES 3

typedef struct work {
    const options *o;
    bool quiet, json;
    ends ends;
    client *client;
    text_buffer said;
    bool midline;
    double begun_at, heard_at; /* clock_seconds */
    size_t sent_samples;
    moshi_status status;       /* of a callback that went wrong */
    moshi_error *err;
} work;

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* --- what the connection calls --- */

static void on_begun(void *user)
{
    work *w = user;
    report_note(w->quiet, "connected");
    w->begun_at = w->heard_at = clock_seconds();
    ends_start(&w->ends);
}

static bool on_speak(void *user, float frame[CLIENT_FRAME_SAMPLES])
{
    work *w = user;
    double due;
    if (!ends_take(&w->ends, frame, &due))
        return false;
    w->sent_samples += CLIENT_FRAME_SAMPLES;
    w->heard_at = clock_seconds();
    return true;
}

static void on_heard(void *user, const float *pcm, size_t n)
{
    work *w = user;
    w->heard_at = clock_seconds();
    if (w->status == MOSHI_OK)
        w->status = ends_give(&w->ends, pcm, n, w->err);
    if (w->status != MOSHI_OK)
        client_finish(w->client);
}

static void on_text(void *user, const char *text, size_t n)
{
    work *w = user;
    text_buffer_add_bytes(&w->said, text, n);
    if (w->json)
        return;
    fwrite(text, 1, n, stdout);
    fflush(stdout);
    w->midline = true;
}

static void on_metadata(void *user, const char *json, size_t n)
{
    work *w = user;
    report_note(w->quiet || w->json, "the server says of itself: %.*s",
                (int)n, json);
}

static void on_tick(void *user)
{
    work *w = user;
    bool all_sent = w->begun_at > 0 && ends_done(&w->ends);
    size_t expected = w->sent_samples;
    bool all_heard = w->ends.spoken_samples +
                         DELAY_FRAMES * CLIENT_FRAME_SAMPLES >= expected;
    double quiet = clock_seconds() - w->heard_at;
    if (w->status == MOSHI_OK)
        w->status = ends_check(&w->ends, w->err);
    if (interrupted || w->status != MOSHI_OK ||
        (all_sent && quiet > (all_heard ? QUIET_SECONDS : MISSING_SECONDS)))
        client_finish(w->client);
}

/* --- the command --- */

static moshi_status add_number(url *u, const options *o, const char *name,
                               const char *key, moshi_error *err)
{
    const char *text = options_given(o, name) ? options_text(o, name) : NULL;
    return text ? url_add(u, key, text, err) : MOSHI_OK;
}

/* The seed as `gen` uses it: audio tokens draw from its complement. */
static moshi_status add_seeds(url *u, const options *o, moshi_error *err)
{
    char text[32];
    if (!options_given(o, "seed"))
        return MOSHI_OK;
    uint64_t seed = (uint64_t)options_integer(o, "seed");
    snprintf(text, sizeof text, "%" PRIu64, seed);
    moshi_status status = url_add(u, "text_seed", text, err);
    snprintf(text, sizeof text, "%" PRIu64, ~seed);
    return status == MOSHI_OK ? url_add(u, "audio_seed", text, err) : status;
}

static const char *token_of(const options *o)
{
    const char *token = options_text(o, "token");
    return token ? token : getenv("MOSHI_TOKEN");
}

static moshi_status make_url(url *u, const options *o, moshi_error *err)
{
    static const char *const keys[][2] = {
        {"temp", "audio_temperature"}, {"text-temp", "text_temperature"},
        {"top-k", "audio_topk"},       {"text-top-k", "text_topk"}};
    const char *token = token_of(o);
    moshi_status status = url_parse(u, o->args[0], DEFAULT_PORT, err);
    for (size_t i = 0; i < sizeof keys / sizeof *keys && status == MOSHI_OK;
         i++)
        status = add_number(u, o, keys[i][0], keys[i][1], err);
    if (status == MOSHI_OK && token)
        status = url_add(u, "token", token, err);
    return status == MOSHI_OK ? add_seeds(u, o, err) : status;
}

static moshi_status connect_to(work *w, moshi_error *err)
{
    client_params p = {.insecure = options_flag(w->o, "insecure"),
                       .authority = options_text(w->o, "authority"),
                       .handlers = {.begun = on_begun,
                                    .speak = on_speak,
                                    .heard = on_heard,
                                    .text = on_text,
                                    .metadata = on_metadata,
                                    .tick = on_tick},
                       .user = w};
    moshi_status status = make_url(&p.url, w->o, err);
    return status == MOSHI_OK ? client_open(&w->client, &p, err) : status;
}

/* A server that answers, but has no conversation for us. Its own words for it
 * are lost in the library; the number is not. */
static moshi_status refused(const options *o, int status, moshi_error *err)
{
    const char *to = o->args[0];
    switch (status) {
    case 400:
        return error_set(err, MOSHI_IO, "'%s' refuses: it does not accept one "
                         "of the values asked for (HTTP 400)", to);
    case 401:
        error_set(err, MOSHI_IO, "'%s' refuses: %s (HTTP 401)", to,
                  token_of(o) ? "it does not accept this token"
                              : "it wants a token");
        error_hint(err, "--token TOKEN, or MOSHI_TOKEN in the environment: "
                   "whoever runs the server knows it");
        return err->status;
    case 403:
        return error_set(err, MOSHI_IO, "'%s' refuses: it does not let this "
                         "client in (HTTP 403)", to);
    case 503:
        return error_set(err, MOSHI_IO, "'%s' refuses: it is full or stopping "
                         "(HTTP 503)", to);
    default:
        error_set(err, MOSHI_IO, "'%s' answers, but holds no conversations "
                  "there (HTTP %d)", to, status);
        error_hint(err, "the address should end with /api/chat, or have no "
                   "path");
        return err->status;
    }
}

/* How the connection ended, as a status. */
static moshi_status judge(const work *w, const client_end *end,
                          moshi_error *err)
{
    const char *to = w->o->args[0];
    if (w->status != MOSHI_OK)
        return w->status;
    if (!end->connected && end->refused >= 200)
        return refused(w->o, end->refused, err);
    if (!end->connected) {
        error_set(err, MOSHI_IO, "cannot connect to '%s': %s", to,
                  end->reason);
        if (strstr(end->reason, "SSL") || strstr(end->reason, "cert"))
            error_hint(err, "a server with a certificate of its own: "
                       "--authority FILE.pem, or --insecure; one without TLS: "
                       "ws:// in front of its name");
        else
            error_hint(err, "is the name right, and does the server run "
                       "there? one with TLS: wss:// in front of its name");
        return err->status;
    }
    if (end->finished)
        return MOSHI_OK;
    error_set(err, MOSHI_IO, "'%s' ended the conversation%s%s", to,
              end->reason[0] ? ": " : "", end->reason);
    if (end->begun && options_given(w->o, "out"))
        error_hint(err, "what was heard until then is in %s",
                   options_text(w->o, "out"));
    return err->status;
}

static moshi_status write_text(work *w, moshi_error *err)
{
    const char *path = options_text(w->o, "text");
    output_file *file = NULL;
    if (!path)
        return MOSHI_OK;
    text_buffer_add(&w->said, "\n");
    if (w->said.failed)
        return error_no_memory(err, "the text");
    moshi_status status = output_file_open(&file, path, err);
    if (status == MOSHI_OK)
        status = output_file_write(file, w->said.text, w->said.bytes, err);
    if (status == MOSHI_OK)
        status = output_file_commit(file, err);
    output_file_close(&file);
    return status;
}

static void print_json(work *w, const client_end *end)
{
    json_out j;
    json_out_init(&j, stdout);
    json_out_object(&j, NULL);
    json_out_text(&j, "text", w->said.text ? w->said.text : "");
    json_out_real(&j, "seconds_in", ends_seconds(&w->ends, w->sent_samples));
    json_out_real(&j, "seconds_out",
                  ends_seconds(&w->ends, w->ends.spoken_samples));
    json_out_integer(&j, "damaged", (int64_t)end->damaged);
    json_out_end(&j);
}

static exit_status run(const options *o)
{
    moshi_error err = {0};
    client_end end = {0};
    work w = {.o = o, .quiet = options_flag(o, "quiet"),
              .json = options_flag(o, "json"), .err = &err};
    moshi_status status = ends_open(&w.ends, o, RATE_HZ, CLIENT_FRAME_SAMPLES,
                                    &err);
    if (status == MOSHI_OK)
        status = connect_to(&w, &err);
    if (status == MOSHI_OK) {
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        end = client_run(w.client);
        status = judge(&w, &end, &err);
    }
    if (w.midline)
        putchar('\n');
    if (status == MOSHI_OK && w.json)
        print_json(&w, &end);
    if (end.begun) { /* what was said is kept, however it ended */
        moshi_error more = {0};
        moshi_status kept = write_text(&w, &more);
        if (kept == MOSHI_OK)
            kept = ends_finish(&w.ends, &more);
        if (status == MOSHI_OK && kept != MOSHI_OK) {
            status = kept;
            err = more;
        }
    }
    client_close(&w.client);
    ends_release(&w.ends);
    text_buffer_release(&w.said);
    return status == MOSHI_OK ? EXIT_STATUS_DONE : report_error(&err);
}

static const option own_options[] = {
    {.name = "text", .type = OPTION_TEXT, .value = "FILE",
     .help = "write the text to FILE as well"},
    {.name = "seed", .type = OPTION_INTEGER, .value = "N", .min = 1,
     .max = OPTION_INTEGER_MAX,
     .help = "ask for this seed; as the server likes unless given"},
    {.name = "temp", .type = OPTION_TEXT, .value = "X",
     .help = "ask for this temperature of the audio tokens"},
    {.name = "text-temp", .type = OPTION_TEXT, .value = "X",
     .help = "ask for this temperature of the text tokens"},
    {.name = "top-k", .type = OPTION_TEXT, .value = "N",
     .help = "ask for audio tokens among the N likeliest"},
    {.name = "text-top-k", .type = OPTION_TEXT, .value = "N",
     .help = "ask for text tokens among the N likeliest"},
    {.name = "token", .type = OPTION_TEXT, .value = "TOKEN",
     .help = "the token that the server wants; MOSHI_TOKEN in the environment "
             "does the same, and is not seen in the list of processes"},
    {.name = "insecure", .type = OPTION_FLAG,
     .help = "accept any certificate of the server"},
    {.name = "authority", .type = OPTION_TEXT, .value = "FILE.pem",
     .help = "trust this certificate: a self-made one of a server"},
    {0},
};

static const char *const usage[] = {"URL", NULL};

static const char *const examples[] = {
    "moshi client localhost:8998 --in question.wav --out answer.wav --tail 4",
    "moshi client wss://moshi.example:8998 --insecure",
    NULL,
};

const command cmd_client = {
    .name = "client",
    .summary = "talk to a server",
    .group = COMMAND_GROUP_USE,
    .needs = COMMAND_REPORTS | COMMAND_ENDS,
    .usage = usage,
    .about =
        "Connects to /api/chat of a server (ours, or an official one) and "
        "talks to it: with the microphone and the loudspeaker, or with a "
        "recording and a file.\n\n"
        "URL begins with ws:// or wss:// (TLS). Without either, TLS is used "
        "unless the server is on this machine; the port is 8998 then.",
    .options = own_options,
    .examples = examples,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
