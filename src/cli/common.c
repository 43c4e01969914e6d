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
    {.name = "codec-weights", .type = OPTION_TEXT, .value = "TYPE",
     .help = "keep the codec's large matrices as f32, bf16 or q8_0; as the "
             "file has them unless given (docs/SPEED.md, the codec in fewer "
             "bits)"},
    {0},
};

const option common_device_options[] = {
    {.name = "device", .type = OPTION_TEXT, .value = "DEVICE",
     .fallback = "auto",
     .help = "where to compute: cpu; vulkan, the best GPU; vulkan:N, as moshi "
             "devices numbers them; auto, a GPU if there is one"},
    {.name = "gpu-layers", .type = OPTION_TEXT, .value = "N|auto",
     .help = "layers of the model that a GPU computes, the others stay on the "
             "CPU; auto, as many as fit, unless given"},
    {0},
};

const option common_threads_options[] = {
    {.name = "threads", .type = OPTION_INTEGER, .value = "N", .min = 1,
     .max = LIMIT_THREADS,
     .help = "threads to compute with; one per usable core unless given"},
    {0},
};

const option common_sampling_options[] = {
    {.name = "greedy", .type = OPTION_FLAG,
     .help = "always take the likeliest token"},
    {.name = "temp", .type = OPTION_REAL, .value = "X", .min = 0.001,
     .max = 100,
     .help = "temperature of the audio tokens; the model's own, else 0.8"},
    {.name = "text-temp", .type = OPTION_REAL, .value = "X", .min = 0.001,
     .max = 100,
     .help = "temperature of the text tokens; the model's own, else 0.8"},
    {.name = "top-k", .type = OPTION_INTEGER, .value = "N", .min = -1,
     .max = 1e6, .help = "draw audio tokens among the N likeliest, -1 for all; "
                         "the model's own, else 250"},
    {.name = "text-top-k", .type = OPTION_INTEGER, .value = "N", .min = -1,
     .max = 1e6, .help = "draw text tokens among the N likeliest, -1 for all; "
                         "the model's own, else 250"},
    {.name = "seed", .type = OPTION_INTEGER, .value = "N", .min = 1,
     .max = OPTION_INTEGER_MAX,
     .help = "seed of the random numbers; 299792458 unless given (a server "
             "draws one for each conversation)"},
    {.name = "cfg-alpha", .type = OPTION_REAL, .value = "X", .min = 0,
     .max = 100, .help = "classifier-free guidance, for models with "
                         "conditions; 1 is none"},
    {.name = "condition", .type = OPTION_TEXT, .value = "NAME=VALUE",
     .repeats = true, .help = "a condition of the model, such as "
                              "description=very_good"},
    {.name = "acoustic-delay", .type = OPTION_INTEGER, .value = "STEPS",
     .max = LIMIT_DELAY, .help = "use another acoustic delay than the model's"},
    {.name = "exact-activations", .type = OPTION_FLAG,
     .help = "float32 activations with quantised weights, which are "
             "otherwise met by activations of 8 bits"},
    {.name = "kv", .type = OPTION_TEXT, .value = "TYPE",
     .help = "keep keys and values in f16, f32 or q8_0 (f16 unless given)"},
    {0},
};

const option common_recording_options[] = {
    {.name = "lead-in", .type = OPTION_REAL, .value = "SECONDS",
     .fallback = "0", .max = 3600,
     .help = "silence before the recording"},
    {.name = "tail", .type = OPTION_REAL, .value = "SECONDS", .fallback = "0",
     .max = 3600, .help = "silence after the recording, beyond the half second "
                          "that is always added: room for the answer"},
    {.name = "max-seconds", .type = OPTION_REAL, .value = "SECONDS",
     .min = 0.08, .max = 1e6, .help = "stop after so much sound was heard"},
    {0},
};

const option common_ends_options[] = {
    {.name = "in", .letter = 'i', .type = OPTION_TEXT, .value = "FILE",
     .help = "speak this recording, in real time, instead of the microphone"},
    {.name = "out", .letter = 'o', .type = OPTION_TEXT, .value = "FILE.wav",
     .help = "write what is answered to a file instead of the loudspeaker"},
    {.name = "lead-in", .type = OPTION_REAL, .value = "SECONDS",
     .fallback = "0", .max = 3600,
     .help = "silence before the recording"},
    {.name = "tail", .type = OPTION_REAL, .value = "SECONDS",
     .fallback = "0.5", .max = 3600,
     .help = "silence after the recording: room for the answer"},
    {.name = "microphone", .type = OPTION_TEXT, .value = "NAME",
     .help = "listen there: a number or a part of a name from 'moshi chat "
             "--list'"},
    {.name = "loudspeaker", .type = OPTION_TEXT, .value = "NAME",
     .help = "play there"},
    {.name = "no-echo-cancel", .type = OPTION_FLAG,
     .help = "do not take the loudspeaker's sound out of the microphone's: "
             "with headphones"},
    {.name = "speed", .type = OPTION_REAL, .value = "X", .fallback = "1",
     .min = 0.1, .max = 1000,
     .help = "speak the recording X times as fast as real time, for tests"},
    {0},
};

const option common_trace_options[] = {
    {.name = "match", .type = OPTION_TEXT, .value = "GLOB", .repeats = true,
     .help = "record only operations whose names match, such as "
             "'transformer.layers.3*'"},
    {.name = "frames", .type = OPTION_TEXT, .value = "A:B",
     .help = "record only frames A up to, not including, B; A: to the last, "
             ":B from the first, A that one. All tokens are recorded anyway"},
    {.name = "codec", .type = OPTION_FLAG,
     .help = "the codec alone: encode, then decode that"},
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
