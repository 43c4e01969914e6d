/* cmd_serve.c: moshi serve: conversations over a network. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/model_args.h"
#include "cli/report.h"
#include "cli/serve_tls.h"
#include "cli/talk_args.h"
#include "serve/origin.h"
#include "serve/server.h"

#define ORIGINS_MAX 32

/* 1: end gracefully; 2: now. */
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = stop ? 2 : 1;
}

static void on_log(void *user, const char *line)
{
    report_note(*(const bool *)user, "%s", line);
}

static moshi_status open_model(moshi_model **model, const options *o,
                               moshi_error *err)
{
    moshi_model_params p;
    moshi_status status = talk_model_args(o, &p, err);
    if (status == MOSHI_OK)
        status = model_args_default(&p, err);
    return status == MOSHI_OK ? moshi_model_open(model, &p, err) : status;
}

static const char *address(const options *o)
{
    const char *host = options_text(o, "host");
    return strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
}

static void server_args(const options *o, server_params *p)
{
    const char *token = options_text(o, "token");
    p->host = address(o);
    p->port = (int)options_integer(o, "port");
    p->sessions = (int)options_integer(o, "sessions");
    p->speed_max = options_real(o, "speed-max");
    p->session_seconds = options_real(o, "session-seconds");
    p->idle_seconds = options_real(o, "idle-seconds");
    p->stall_seconds = options_real(o, "stall-seconds");
    p->grace_seconds = options_real(o, "grace-seconds");
    p->message_bytes_max = (size_t)options_integer(o, "message-bytes");
    p->token = token ? token : getenv("MOSHI_TOKEN");
    p->instance_name = options_text(o, "name");
    p->seeded = options_given(o, "seed");
    p->stop = &stop;
}

/* The line that tells where; scripts read the port from it. */
static void announce(const server *s, const server_params *p)
{
    bool ipv6 = strchr(p->host, ':') != NULL;
    printf("%s://%s%s%s:%d\n", p->certificate ? "https" : "http",
           ipv6 ? "[" : "", p->host, ipv6 ? "]" : "", server_port(s));
    fflush(stdout);
}

/* What to open in a browser; "0.0.0.0" is no address for that. */
static void show_way(const server *s, const server_params *p, bool quiet)
{
    const char *scheme = p->certificate ? "https" : "http";
    char machine[256] = "";
    bool all = strcmp(p->host, "0.0.0.0") == 0 || strcmp(p->host, "::") == 0;
    if (!all)
        report_note(quiet, "a browser that opens this address is given a page "
                    "to talk with; Ctrl-C ends the server");
    else if (gethostname(machine, sizeof machine - 1) == 0)
        report_note(quiet, "a browser is given a page to talk with: here at "
                    "%s://localhost:%d, elsewhere at %s://%s:%d; Ctrl-C ends "
                    "the server", scheme, server_port(s), scheme, machine,
                    server_port(s));
}

/* For who reads along; what is dangerous or will not work, in any case. */
static void advise(const server *s, const server_params *p, bool quiet)
{
    bool alone = origin_is_loopback(p->host);
    report_slow(server_frame_seconds(s));
    show_way(s, p, quiet);
    if (!alone && !p->token)
        report_warning("whoever reaches this address may talk: --token TOKEN "
                       "lets in only who knows it");
    if (!alone && !p->certificate)
        report_warning("without --tls, browsers on other machines give the "
                       "page no microphone, and what is said goes over the "
                       "network in the clear");
}

static moshi_status serve(const options *o, moshi_model *model,
                          moshi_error *err)
{
    const char *origins[ORIGINS_MAX];
    bool quiet = options_flag(o, "quiet");
    talk_stream_args stream;
    serve_tls tls;
    server *s = NULL;
    server_params p = {.model = model, .log = on_log, .user = &quiet};
    server_args(o, &p);
    while (p.n_origins < ORIGINS_MAX &&
           (origins[p.n_origins] = options_repeated(o, "origin",
                                                    p.n_origins)))
        p.n_origins++;
    p.origins = origins;
    moshi_status status = talk_stream_args_read(o, &stream, err);
    if (status == MOSHI_OK)
        status = serve_tls_find(&tls, o, p.host, err);
    if (status != MOSHI_OK)
        return status;
    p.stream = stream.params;
    p.certificate = tls.certificate;
    p.key = tls.key;
    if (tls.certificate)
        report_note(quiet, "%s the certificate %s",
                    tls.made ? "made" : "showing", tls.certificate);
    status = server_open(&s, &p, err);
    if (status != MOSHI_OK)
        return status;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN);
    announce(s, &p);
    advise(s, &p, quiet);
    status = server_run(s, err);
    server_close(&s);
    return status;
}

static exit_status run(const options *o)
{
    moshi_error err = {0};
    moshi_model *model = NULL;
    if (options_given(o, "certificate") != options_given(o, "key"))
        return report_usage("serve", "--certificate and --key belong "
                            "together");
    const char *origin;
    for (size_t i = 0; (origin = options_repeated(o, "origin", i)); i++)
        if (!origin_is_one(origin))
            return report_usage("serve", "--origin %s: an origin is like "
                                "https://example.org or http://host:8080, "
                                "without a path, or '*'", origin);
    if (!model_args_named(o, MODEL_PARTS_BOTH))
        return report_usage("serve", "half a model was named: --lm and --mimi "
                            "go together, or with --model");
    moshi_status status = open_model(&model, o, &err);
    if (status == MOSHI_OK)
        status = serve(o, model, &err);
    moshi_model_close(&model);
    return status == MOSHI_OK ? EXIT_STATUS_DONE : report_error(&err);
}

static const option own_options[] = {
    {.name = "host", .type = OPTION_TEXT, .value = "ADDRESS",
     .fallback = "127.0.0.1",
     .help = "listen on this address; 0.0.0.0 for everybody"},
    {.name = "port", .type = OPTION_INTEGER, .value = "N", .fallback = "8998",
     .max = 65535, .help = "listen on this port; 0 for any that is free"},
    {.name = "sessions", .type = OPTION_INTEGER, .value = "N",
     .fallback = "4", .min = 1, .max = LIMIT_LANES,
     .help = "conversations at once, at most"},
    {.name = "session-seconds", .type = OPTION_REAL, .value = "SECONDS",
     .fallback = "1800", .min = 1, .max = 1e6,
     .help = "end a conversation after so long"},
    {.name = "idle-seconds", .type = OPTION_REAL, .value = "SECONDS",
     .fallback = "30", .min = 1, .max = 1e6,
     .help = "end it when the client sends no sound for so long"},
    {.name = "stall-seconds", .type = OPTION_REAL, .value = "SECONDS",
     .fallback = "10", .min = 1, .max = 1e6,
     .help = "end it when the client takes nothing for so long"},
    {.name = "grace-seconds", .type = OPTION_REAL, .value = "SECONDS",
     .fallback = "10", .max = 1e6,
     .help = "when stopping, let conversations go on for so long"},
    {.name = "message-bytes", .type = OPTION_INTEGER, .value = "N",
     .fallback = "65536", .min = 1024, .max = 1 << 24,
     .help = "the longest message that is taken"},
    {.name = "speed-max", .type = OPTION_REAL, .value = "X", .fallback = "2",
     .max = 1000,
     .help = "hear a client at most X times as fast as real time; 0: no limit"},
    {.name = "tls", .type = OPTION_FLAG,
     .help = "speak TLS, with a certificate that is made on the first start "
             "and kept in ~/.local/share/moshi: browsers give a page the "
             "microphone only then, or on localhost"},
    {.name = "certificate", .type = OPTION_TEXT, .value = "FILE.pem",
     .help = "speak TLS with this certificate"},
    {.name = "key", .type = OPTION_TEXT, .value = "FILE.pem",
     .help = "and its key"},
    {.name = "token", .type = OPTION_TEXT, .value = "TOKEN",
     .help = "let in only who knows it; MOSHI_TOKEN in the environment does "
             "the same, and is not seen in the list of processes"},
    {.name = "origin", .type = OPTION_TEXT, .value = "ORIGIN", .repeats = true,
     .help = "let pages from there connect too, such as https://example.org; "
             "'*' for all"},
    {.name = "name", .type = OPTION_TEXT, .value = "NAME",
     .fallback = "moshi.c", .help = "what the server calls itself"},
    {0},
};

static const char *const usage[] = {"", NULL};

static const char *const examples[] = {
    "moshi serve",
    "moshi serve -m moshika --host 0.0.0.0 --tls --sessions 2",
    NULL,
};

const command cmd_serve = {
    .name = "serve",
    .summary = "let others talk to a model, over a network",
    .group = COMMAND_GROUP_USE,
    .needs = COMMAND_NEEDS_MODEL | COMMAND_NEEDS_DEVICE | COMMAND_SAMPLES,
    .usage = usage,
    .about =
        "A server for browsers (its own page), for 'moshi client' and for the "
        "official clients. Prints its address, then notes on standard error, "
        "until it is interrupted; then conversations may come to an end, and a "
        "second interrupt ends them at once.\n\n"
        "/healthz, /readyz and /metrics (for Prometheus) tell how it is. "
        "Clients may ask for a seed, temperatures and top-k; what is given "
        "here is for those who do not.",
    .options = own_options,
    .examples = examples,
    .args_min = 0,
    .args_max = 0,
    .run = run,
};
