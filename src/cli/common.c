/* common.c: the options that several commands share. */
#include "cli/common.h"

#include "base/limits.h"

const option common_model_options[] = {
    {.name = "model", .letter = 'm', .type = OPTION_TEXT, .value = "MODEL",
     .help = "the model: a folder, or a file in it; nano, which ships with the "
             "program, unless given"},
    {.name = "lm", .type = OPTION_TEXT, .value = "FILE",
     .help = "the language model's weights, instead of the model's own"},
    {.name = "mimi", .type = OPTION_TEXT, .value = "FILE",
     .help = "the codec's weights, instead of the model's own"},
    {.name = "tokenizer", .type = OPTION_TEXT, .value = "FILE",
     .help = "the SentencePiece model, instead of the model's own"},
    {.name = "config", .type = OPTION_TEXT, .value = "FILE",
     .help = "the language model's config (JSON or TOML), instead of the "
             "model's own"},
    {.name = "mimi-config", .type = OPTION_TEXT, .value = "FILE",
     .help = "the codec's config, only for a codec that is not the "
             "published one"},
    {0},
};

const option common_device_options[] = {
    {.name = "device", .type = OPTION_TEXT, .value = "DEVICE",
     .fallback = "auto", .help = "where to compute: cpu or auto"},
    {.name = "threads", .type = OPTION_INTEGER, .value = "N", .min = 1,
     .max = LIMIT_THREADS,
     .help = "threads to compute with; one per usable core unless given"},
    {0},
};

const option common_report_options[] = {
    {.name = "json", .type = OPTION_FLAG,
     .help = "print one JSON object instead of text"},
    {0},
};

const option common_options[] = {
    {.name = "quiet", .letter = 'q', .type = OPTION_FLAG,
     .help = "no progress and no notes; warnings and errors stay"},
    {.name = "help", .letter = 'h', .type = OPTION_FLAG,
     .help = "print this help"},
    {0},
};
