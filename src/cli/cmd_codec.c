/* cmd_codec.c: moshi codec encode | decode | roundtrip: Mimi alone. */
#include <stdio.h>
#include <string.h>

#include <moshi/codec.h>

#include "audio/sink_file.h"
#include "audio/source_file.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "cli/codec_replay.h"
#include "cli/codes_file.h"
#include "cli/command.h"
#include "cli/model_args.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "files/token_file.h"

/* One run of the command; everything is released by run(). */
typedef struct work {
    const options *o;
    const char *in, *out;
    moshi_codec *codec;
    moshi_decoder *decoder;
    sink_file *sink;
    int rate_hz, codebooks;
    size_t samples; /* of a frame */
    progress bar;
    exit_status answer; /* when nothing failed */
} work;

static moshi_status open_codec(work *w, bool limit, moshi_error *err)
{
    char *mimi = NULL, *config = NULL;
    moshi_codec_params p = {0};
    moshi_status status = device_args(w->o, &p.device, &p.threads,
                                      err);
    if (status == MOSHI_OK)
        status = codec_args(w->o, &mimi, &config, err);
    if (status == MOSHI_OK) {
        p.path = mimi;
        p.config_path = config;
        p.weights = options_text(w->o, "codec-weights");
        if (limit && options_given(w->o, "codebooks"))
            p.codebooks = (int)options_integer(w->o, "codebooks");
        status = moshi_codec_open(&w->codec, &p, err);
    }
    memory_free(mimi);
    memory_free(config);
    if (status != MOSHI_OK)
        return status;
    device_report(w->o, moshi_codec_device(w->codec),
                  moshi_codec_device_note(w->codec));
    w->rate_hz = moshi_codec_sample_rate_hz(w->codec);
    w->codebooks = moshi_codec_codebooks(w->codec);
    w->samples = (size_t)moshi_codec_frame_samples(w->codec);
    return MOSHI_OK;
}

static moshi_status open_sink(work *w, moshi_error *err)
{
    return sink_file_open(&w->sink, w->out, w->rate_hz,
                          options_flag(w->o, "float") ? SINK_FLOAT32
                                                      : SINK_PCM16, err);
}

/* The recording, filled up with silence to whole frames. */
static moshi_status load(work *w, float **pcm, size_t *frames, size_t *samples,
                         moshi_error *err)
{
    size_t n;
    float *loaded = NULL;
    moshi_status status = source_file_load(w->in, w->rate_hz, &loaded, &n,
                                           err);
    if (status != MOSHI_OK)
        return status;
    *frames = (n + w->samples - 1) / w->samples;
    *samples = n;
    *pcm = memory_calloc(*frames * w->samples, sizeof **pcm);
    if (*pcm)
        memcpy(*pcm, loaded, n * sizeof **pcm);
    memory_free(loaded);
    return *pcm ? MOSHI_OK : error_no_memory(err, "the recording");
}

typedef struct encode_progress {
    progress *bar;
    size_t frames;
} encode_progress;

static void note_encoded(void *user, size_t done)
{
    const encode_progress *p = user;
    progress_set(p->bar, (double)done / (double)p->frames, NULL);
}

static moshi_status encode_all(work *w, codes_table *codes, size_t *samples,
                               moshi_error *err)
{
    float *pcm = NULL;
    size_t frames = 0, K = (size_t)w->codebooks;
    moshi_status status = load(w, &pcm, &frames, samples, err);
    encode_progress p = {&w->bar, frames};
    int32_t *rows = memory_calloc(frames * K, sizeof *rows);
    if (!rows && status == MOSHI_OK)
        status = error_no_memory(err, "the codes");
    if (status == MOSHI_OK) {
        status = moshi_codec_encode(w->codec, pcm, frames, rows, note_encoded,
                                    &p, err);
        if (status != MOSHI_OK)
            error_context(err, "%s", w->in);
    }
    codes->K = w->codebooks;
    for (size_t f = 0; f < frames && status == MOSHI_OK; f++)
        if (!codes_table_add(codes, rows + f * K))
            status = error_no_memory(err, "the codes");
    memory_free(rows);
    memory_free(pcm);
    return status;
}

/* samples: how many to write in all; the rest of the last frame was silence
 * that was added. */
static moshi_status decode_all(work *w, const int32_t *codes, int K, size_t T,
                               size_t samples, moshi_error *err)
{
    float *pcm = memory_calloc(w->samples, sizeof *pcm);
    moshi_status status = pcm ? MOSHI_OK : error_no_memory(err, "a frame");
    if (status == MOSHI_OK)
        status = moshi_decoder_open(&w->decoder, w->codec, err);
    for (size_t f = 0; f < T && status == MOSHI_OK; f++) {
        size_t left = samples - f * w->samples;
        status = moshi_decoder_decode(w->decoder, codes + f * (size_t)K, 1, K,
                                      pcm);
        if (status == MOSHI_OK)
            status = sink_file_write(w->sink, pcm,
                                     left < w->samples ? left : w->samples,
                                     err);
        progress_set(&w->bar, (double)(f + 1) / (double)T, NULL);
    }
    memory_free(pcm);
    return status == MOSHI_OK ? sink_file_finish(w->sink, err) : status;
}

static moshi_status encode(work *w, moshi_error *err)
{
    codes_table codes = {.name = "codes"};
    size_t samples;
    moshi_status status = open_codec(w, true, err);
    if (status == MOSHI_OK)
        status = encode_all(w, &codes, &samples, err);
    if (status == MOSHI_OK)
        status = codes_file_write(w->out, &codes, 1, err);
    codes_table_release(&codes);
    return status;
}

/* Recorded codes, from whatever file. *codes: [T][K], allocated. */
static moshi_status read_codes(work *w, int32_t **codes, int *K, size_t *T,
                               moshi_error *err)
{
    token_matrix m = {0};
    token_layout layout = TOKEN_LAYOUT_AUTO;
    const char *said = options_text(w->o, "layout");
    if (said && strcmp(said, "kt") == 0)
        layout = TOKEN_LAYOUT_KT;
    else if (said && strcmp(said, "tk") == 0)
        layout = TOKEN_LAYOUT_TK;
    else if (said)
        return error_set(err, MOSHI_ARGUMENT, "--layout %s: kt (codebooks by "
                         "frames) or tk (frames by codebooks)", said);
    moshi_status status = token_file_open(&m, w->in,
                                          options_text(w->o, "tensor"), err);
    if (status == MOSHI_OK)
        status = token_matrix_codes(&m, layout, w->codebooks,
                                    moshi_codec_bins(w->codec), w->in, codes,
                                    K, T, err);
    token_matrix_release(&m);
    return status;
}

/* Only the first codebooks of each frame, packed. */
static moshi_status keep_first(const work *w, int32_t *codes, int *K,
                               size_t T, moshi_error *err)
{
    int wanted = (int)options_integer(w->o, "codebooks");
    if (wanted > *K)
        return error_set(err, MOSHI_ARGUMENT,
                         "%d codebooks asked for; %s holds %d", wanted, w->in,
                         *K);
    for (size_t f = 0; f < T; f++)
        memmove(codes + f * (size_t)wanted, codes + f * (size_t)*K,
                (size_t)wanted * sizeof *codes);
    *K = wanted;
    return MOSHI_OK;
}

static moshi_status decode(work *w, moshi_error *err)
{
    int32_t *codes = NULL;
    int K = 0;
    size_t T = 0;
    moshi_status status = open_codec(w, false, err);
    if (status == MOSHI_OK)
        status = read_codes(w, &codes, &K, &T, err);
    if (status == MOSHI_OK && options_given(w->o, "codebooks"))
        status = keep_first(w, codes, &K, T, err);
    if (status == MOSHI_OK && w->out)
        status = open_sink(w, err);
    if (status == MOSHI_OK && w->out)
        status = decode_all(w, codes, K, T, T * w->samples, err);
    progress_close(&w->bar);
    if (status == MOSHI_OK && codec_replay_wanted(w->o))
        status = codec_replay(w->o, codes, K, T, &w->answer, err);
    memory_free(codes);
    return status;
}

static moshi_status roundtrip(work *w, moshi_error *err)
{
    codes_table codes = {.name = "codes"};
    size_t samples = 0;
    moshi_status status = open_codec(w, true, err);
    if (status == MOSHI_OK)
        status = open_sink(w, err);
    if (status == MOSHI_OK)
        status = encode_all(w, &codes, &samples, err);
    if (status == MOSHI_OK)
        status = decode_all(w, codes.rows, codes.K, codes.T, samples, err);
    codes_table_release(&codes);
    return status;
}

static const struct {
    const char *name, *label;
    moshi_status (*run)(work *w, moshi_error *err);
} verbs[] = {
    {"encode", "encoding", encode},
    {"decode", "decoding", decode},
    {"roundtrip", "coding", roundtrip},
};

/* What the arguments cannot mean; NULL when all is well. */
static const char *misuse(const options *o)
{
    bool decodes = strcmp(o->args[0], "decode") == 0;
    if (codec_replay_wanted(o) && !decodes)
        return "only decode can scan";
    if (o->n_args < 3 && !(decodes && codec_replay_wanted(o)))
        return "no output file was named";
    if (options_flag(o, "json") && !codec_replay_wanted(o))
        return "--json is for --delay-scan and --order-scan";
    if (!model_args_named(o, MODEL_PARTS_MIMI))
        return "no codec was named: give --mimi or --model";
    return NULL;
}

static exit_status run(const options *o)
{
    moshi_error err = {0};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(o->args[0], verbs[i].name) != 0)
            continue;
        if (misuse(o))
            return report_usage("codec", "%s", misuse(o));
        work w = {.o = o, .in = o->args[1],
                  .out = o->n_args > 2 ? o->args[2] : NULL};
        progress_open(&w.bar, verbs[i].label, options_flag(o, "quiet"));
        moshi_status status = verbs[i].run(&w, &err);
        progress_close(&w.bar);
        sink_file_close(&w.sink);
        moshi_decoder_close(&w.decoder);
        moshi_codec_close(&w.codec);
        return status == MOSHI_OK ? w.answer : report_error(&err);
    }
    return report_usage("codec", "'%s' is none of encode, decode, roundtrip",
                        o->args[0]);
}

static const option own_options[] = {
    {.name = "codebooks", .type = OPTION_INTEGER, .value = "N", .min = 1,
     .max = 64, .help = "use the first N codebooks; all unless given"},
    {.name = "float", .type = OPTION_FLAG,
     .help = "write 32-bit float samples, not clamped, instead of 16-bit"},
    {.name = "tensor", .type = OPTION_TEXT, .value = "NAME",
     .help = "decode: the tensor to read, instead of codes or codes_out"},
    {.name = "layout", .type = OPTION_TEXT, .value = "kt|tk",
     .help = "decode: codebooks by frames (kt) or frames by codebooks (tk), "
             "where the file could be either"},
    {.name = "delay-scan", .type = OPTION_FLAG,
     .help = "decode: try other delays and say which are the most consistent"},
    {.name = "order-scan", .type = OPTION_FLAG,
     .help = "decode: try other orders of codebooks and of frames"},
    {.name = "scan-seconds", .type = OPTION_REAL, .value = "S", .min = 1.28,
     .max = 3600, .fallback = "10",
     .help = "scans use at most so much of the recording"},
    {0},
};

static const char *const usage[] = {"encode IN CODES", "decode CODES OUT.wav",
                                    "decode --delay-scan --order-scan CODES",
                                    "roundtrip IN OUT.wav", NULL};

static const char *const examples[] = {
    "moshi codec encode --mimi mimi.safetensors talk.wav talk.safetensors",
    "moshi codec decode --mimi mimi.safetensors talk.safetensors back.wav",
    "moshi codec decode -m my-model --delay-scan --order-scan tokens.npy",
    "moshi codec roundtrip -m my-model --codebooks 8 talk.flac heard.wav",
    NULL,
};

const command cmd_codec = {
    .name = "codec",
    .summary = "turn sound into codes and codes into sound, with Mimi alone",
    .group = COMMAND_GROUP_PARTS,
    .needs = COMMAND_NEEDS_MODEL | COMMAND_NEEDS_DEVICE | COMMAND_REPORTS,
    .usage = usage,
    .about =
        "CODES is a safetensors file with one tensor, codes, of shape [K, T] "
        "and type I32: K codebooks, the semantic one first, and T frames of "
        "80 ms. The last frame is filled up with silence.\n\n"
        "decode also reads what other programs recorded: a safetensors tensor "
        "of another name, a NumPy array (.npy), or text with a row of numbers "
        "a line.\n\n"
        "A scan decodes the codes under other delays (up to three frames) or "
        "in other orders, encodes the sound again and compares the codes: "
        "those that belong together come back. It names the most consistent "
        "view, with exit status 1 when that is not the recorded one, and says "
        "so when it cannot tell.\n\n"
        "What a round trip does to a recording is the most that any model can "
        "hear of it, and the best that it can sound.",
    .options = own_options,
    .examples = examples,
    .args_min = 2,
    .args_max = 3,
    .run = run,
};
