/* known_models.c: the table of published models, and the search in it.
 *
 * A row states what differs; what all share is in the macros above the table.
 * Nothing is computed at run time. docs/FORMATS.md shows the same table. */
#include "lm/known_models.h"

#include <string.h>

/* Every field of a row counts as said by the preset. */
#define PRESET_INTEGER(field, name) [LM_FIELD_##field] = LM_FROM_PRESET,
#define PRESET_ORIGINS                                                     \
    {LM_INTEGERS(PRESET_INTEGER)[LM_FIELD_delays] = LM_FROM_PRESET,        \
     [LM_FIELD_schedule] = LM_FROM_PRESET,                                 \
     [LM_FIELD_conditioners] = LM_FROM_PRESET}

/* Common to the whole family: 2048 codes in a codebook, SiLU gates, RMS norm,
 * padding ids 3 and 0. Extra heads, where a file has them, give 6 classes;
 * their number is read from the file (the candle files of stt-1b have 4). */
#define FAMILY(type, label)                                                \
    .card = 2048, .gated = 1, .norm = LM_RMS_NORM, .text_pad = 3,          \
    .text_end_pad = 0, .extra_heads = 0, .extra_heads_dim = 6,             \
    .from = PRESET_ORIGINS, .model_type = type, .known_as = label

/* The temporal transformer: width, heads, layers, gated width; the steps it
 * sees and the period of its rotary embedding. */
#define TEMPORAL(D, H, L, F, steps, period)                                \
    .dim = D, .num_heads = H, .num_layers = L, .hidden = F,                \
    .context = steps, .max_period = period
#define ROPE .positions = LM_POSITIONS_ROPE, .kv_repeat = 1

/* text_emb has a row for the start token, which text_linear cannot emit. */
#define TEXT(cards) .text_in = cards + 1, .text_out = cards
#define AUDIO(read, own) .n_q = read, .dep_q = own

/* The depformer is 1024 wide with 16 heads in every model that has one. */
#define DEPFORMER(layers, F, sets)                                         \
    .depformer_dim = 1024, .depformer_num_heads = 16,                      \
    .depformer_num_layers = layers, .depformer_hidden = F,                 \
    .depformer_sets = sets, .depformer_gated = 1,                          \
    .depformer_positions = LM_POSITIONS_NONE

/* Delays in steps: text first, then streams of 1 semantic codebook without
 * delay and acoustic ones with delay d. */
#define TIMES_7(d) d, d, d, d, d, d, d
#define STREAM_8(d) 0, TIMES_7(d)
#define STREAM_16(d) STREAM_8(d), d, TIMES_7(d)
#define STREAM_32(d) STREAM_16(d), d, TIMES_7(d), d, TIMES_7(d)

/* Weight set of each own codebook: a set of its own, or shared eightfold. */
#define SETS_8 0, 1, 2, 3, 4, 5, 6, 7
#define SETS_16 SETS_8, 8, 9, 10, 11, 12, 13, 14, 15
#define SHARED(set) set, TIMES_7(set)

/* How good the translation should sound; "very_good" is what users want. */
#define DESCRIPTION                                                        \
    .n_conditioners = 1, .conditioners = {{                                \
        .name = "description", .kind = LM_CONDITIONER_LUT,                 \
        .n_bins = 31, .dim = 16, .n_values = 5,                            \
        .values = {"very_bad", "bad", "neutral", "good", "very_good"}}}

/* The voice by cross-attention; guidance strength and control by sum. */
#define SPEAKER_CFG_CONTROL                                                \
    .n_conditioners = 3, .conditioners = {                                 \
        {.name = "speaker_wavs", .kind = LM_CONDITIONER_TENSOR,            \
         .dim = 512, .cross = true},                                       \
        {.name = "cfg", .kind = LM_CONDITIONER_LUT,                        \
         .n_bins = 7, .dim = 16, .n_values = 7,                            \
         .values = {"1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0"}},     \
        {.name = "control", .kind = LM_CONDITIONER_LUT,                    \
         .n_bins = 1, .dim = 2048, .n_values = 1, .values = {"ok"}}},      \
    .cross_positions = true, .cross_position_scale = 1

#define MODEL(label, type, text, ...)                                      \
    {.name = label, .about = text,                                         \
     .config = {FAMILY(type, label), __VA_ARGS__}}

static const known_model models[] = {
    MODEL("moshi-7b", "moshi",
          "Moshi: full-duplex speech dialogue (moshiko, moshika)",
          TEMPORAL(4096, 32, 32, 11264, 3000, 10000), ROPE, TEXT(32000),
          AUDIO(16, 8), DEPFORMER(6, 2816, 8), .schedule = {SETS_8},
          .delays = {0, STREAM_8(1), STREAM_8(1)}),
    MODEL("personaplex-7b", "personaplex",
          "PersonaPlex: Moshi with a role and a voice, predicts both sides",
          TEMPORAL(4096, 32, 32, 11264, 3000, 10000), ROPE, TEXT(32000),
          AUDIO(16, 16), DEPFORMER(6, 2816, 16), .schedule = {SETS_16},
          .delays = {0, STREAM_8(1), STREAM_8(1)}),
    MODEL("moshi-dev-2b", "moshi",
          "a smaller Moshi of 16 codebooks, for development",
          TEMPORAL(2560, 20, 24, 7040, 3000, 100000), ROPE, TEXT(48000),
          AUDIO(32, 16), DEPFORMER(6, 2816, 16), .schedule = {SETS_16},
          .delays = {0, STREAM_16(2), STREAM_16(2)}, DESCRIPTION),
    MODEL("hibiki-1b", "hibiki",
          "Hibiki: live speech translation, French to English, 8 codebooks",
          TEMPORAL(2048, 16, 16, 5632, 3000, 100000), ROPE, TEXT(48000),
          AUDIO(16, 8), DEPFORMER(6, 2816, 8), .schedule = {SETS_8},
          .delays = {0, STREAM_8(2), STREAM_8(2)}, DESCRIPTION),
    MODEL("hibiki-2b", "hibiki",
          "Hibiki: live speech translation, French to English, 16 codebooks",
          TEMPORAL(2560, 20, 24, 7040, 3000, 100000), ROPE, TEXT(48000),
          AUDIO(32, 16), DEPFORMER(6, 2816, 9),
          .schedule = {SETS_8, SHARED(8)},
          .delays = {0, STREAM_16(2), STREAM_16(2)}, DESCRIPTION),
    MODEL("hibiki-zero-3b", "hibiki",
          "Hibiki-Zero: live speech translation into English",
          TEMPORAL(2048, 16, 28, 8192, 3000, 20000),
          .positions = LM_POSITIONS_ROPE_CONCAT, .kv_repeat = 2, TEXT(48000),
          AUDIO(32, 16), DEPFORMER(6, 4096, 9), .depformer_norm = 1,
          .schedule = {SETS_8, SHARED(8)},
          .delays = {0, STREAM_16(2), STREAM_16(2)}),
    MODEL("stt-1b", "stt",
          "speech to text, English and French, half a second behind",
          TEMPORAL(2048, 16, 16, 5632, 750, 100000), ROPE, TEXT(8000),
          AUDIO(32, 0), .delays = {0, STREAM_32(0)}),
    MODEL("stt-2.6b", "stt",
          "speech to text, English, two and a half seconds behind",
          TEMPORAL(2048, 32, 48, 5632, 375, 100000), ROPE, TEXT(4000),
          AUDIO(32, 0), .delays = {0, STREAM_32(0)}),
    MODEL("asr-300m", "stt",
          "speech to text, small, never published",
          TEMPORAL(1024, 8, 16, 2816, 750, 100000), ROPE, TEXT(48000),
          AUDIO(32, 0), .delays = {0, STREAM_32(0)}),
    MODEL("tts-1.6b", "tts",
          "text to speech, English and French, voices by cross-attention",
          TEMPORAL(2048, 16, 16, 5632, 500, 10000), ROPE, TEXT(8000),
          AUDIO(32, 32), DEPFORMER(4, 2048, 11), .depformer_low_rank = 128,
          .schedule = {SETS_8, SHARED(8), SHARED(9), SHARED(10)},
          .delays = {0, STREAM_32(2)}, .demux = 1, .cross_attention = 1,
          SPEAKER_CFG_CONTROL),
    MODEL("tts-0.75b", "tts",
          "text to speech, English, voices by an audio prefix",
          TEMPORAL(1024, 16, 24, 2816, 500, 10000), ROPE, .text_in = 8001,
          .text_out = 5, /* only decides when the next word begins */
          AUDIO(16, 16), DEPFORMER(4, 2048, 9), .depformer_low_rank = 128,
          .schedule = {SETS_8, SHARED(8)},
          .delays = {0, STREAM_16(2)}, .demux = 1),
};

size_t known_models_count(void)
{
    return sizeof models / sizeof *models;
}

const known_model *known_models_at(size_t index)
{
    return &models[index];
}

const known_model *known_models_find(const char *name)
{
    for (size_t i = 0; i < known_models_count(); i++)
        if (strcmp(models[i].name, name) == 0)
            return &models[i];
    return NULL;
}

static bool same_outline(const lm_config *a, const lm_config *b)
{
    return a->dim == b->dim && a->num_layers == b->num_layers &&
           a->text_in == b->text_in && a->n_q == b->n_q &&
           a->dep_q == b->dep_q;
}

const known_model *known_models_match(const lm_config *config)
{
    const known_model *only = NULL, *exact = NULL;
    size_t n = 0;
    for (size_t i = 0; i < known_models_count(); i++) {
        const lm_config *known = &models[i].config;
        if (!same_outline(known, config))
            continue;
        only = &models[i];
        n++;
        if (known->depformer_sets == config->depformer_sets &&
            known->kv_repeat == config->kv_repeat)
            exact = &models[i];
    }
    return n == 1 ? only : exact;
}
