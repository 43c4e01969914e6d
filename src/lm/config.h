/* config.h: what a language model of the family is: sizes, delays, options.
 *
 * A value comes from one of four places: the shapes of the tensors, a config
 * file (config.json with the official fields, or candle's TOML), the table of
 * known models, or an option of the caller. Every field records which, for
 * `inspect` and for messages. Sources that disagree are an error
 * (lm_config_load), never a silent choice.
 * Field names are those of the official config.json (docs/FORMATS.md). */
#ifndef MOSHI_LM_CONFIG_H
#define MOSHI_LM_CONFIG_H

#include <stdbool.h>

#include <moshi/error.h>

#include "base/limits.h"
#include "files/checkpoint.h"
#include "files/value.h"

/* X(field, official name): the scalar integers. Booleans are 0 or 1. */
#define LM_INTEGERS(X)                                                     \
    X(dim, "dim")                       /* D: temporal width */            \
    X(num_heads, "num_heads")           /* H */                            \
    X(num_layers, "num_layers")         /* L */                            \
    X(hidden, "hidden")                 /* F: gated width */               \
    X(kv_repeat, "kv_repeat")           /* query heads per k/v head */     \
    X(context, "context")               /* steps a query can see */        \
    X(max_period, "max_period")         /* of the rotary embedding */      \
    X(text_in, "text_in")               /* rows of text_emb: card + 1 */   \
    X(text_out, "text_out")             /* rows of text_linear */          \
    X(card, "card")                     /* codes of an audio codebook */   \
    X(n_q, "n_q")                       /* audio codebooks read */         \
    X(dep_q, "dep_q")                   /* own codebooks, generated */     \
    X(depformer_dim, "depformer_dim")                                      \
    X(depformer_num_heads, "depformer_num_heads")                          \
    X(depformer_num_layers, "depformer_num_layers")                        \
    X(depformer_hidden, "depformer_hidden")                                \
    X(depformer_sets, "depformer_sets") /* distinct weight sets */         \
    X(depformer_low_rank, "depformer_low_rank_embeddings") /* 0: none */   \
    X(depformer_norm, "depformer_norm") /* LayerNorm before each head */   \
    X(demux, "demux_second_stream")                                        \
    X(cross_attention, "cross_attention")                                  \
    X(gated, "gating")                  /* temporal feed-forward gated */  \
    X(depformer_gated, "depformer_gating")                                 \
    X(extra_heads, "extra_heads_num_heads")                                \
    X(extra_heads_dim, "extra_heads_dim")                                  \
    X(text_pad, "existing_text_padding_id")                                \
    X(text_end_pad, "existing_text_end_padding_id")                        \
    X(norm, "norm")                     /* enum lm_norm */                 \
    X(positions, "positional_embedding") /* enum lm_positions */           \
    X(depformer_positions, "depformer_pos_emb")

typedef enum lm_norm { LM_RMS_NORM, LM_LAYER_NORM } lm_norm;
typedef enum lm_positions {
    LM_POSITIONS_NONE,
    LM_POSITIONS_ROPE,        /* pairs (2i, 2i+1) */
    LM_POSITIONS_ROPE_CONCAT, /* pairs (i, i + hd/2) */
    LM_POSITIONS_SIN          /* added to the input */
} lm_positions;

typedef enum lm_origin {
    LM_FROM_NOWHERE, /* not set yet */
    LM_FROM_SHAPES,
    LM_FROM_CONFIG,
    LM_FROM_PRESET,
    LM_FROM_OPTION
} lm_origin;

typedef enum lm_field {
#define LM_FIELD_ENUM(field, name) LM_FIELD_##field,
    LM_INTEGERS(LM_FIELD_ENUM)
#undef LM_FIELD_ENUM
    LM_FIELD_delays,
    LM_FIELD_schedule,
    LM_FIELD_conditioners,
    LM_FIELD_COUNT
} lm_field;

typedef enum lm_conditioner_kind {
    LM_CONDITIONER_LUT,   /* one of `values`: a row of a table */
    LM_CONDITIONER_TENSOR /* a tensor [T, dim] given by the caller */
} lm_conditioner_kind;

typedef struct lm_conditioner {
    char name[64];
    lm_conditioner_kind kind;
    int n_bins, dim;
    int n_values;
    char values[LIMIT_VALUES][32]; /* possible_values, in order */
    bool cross;                       /* fused by cross-attention, not sum */
} lm_conditioner;

typedef struct lm_config {
#define LM_FIELD_MEMBER(field, name) int field;
    LM_INTEGERS(LM_FIELD_MEMBER)
#undef LM_FIELD_MEMBER
    int delays[1 + LIMIT_CODEBOOKS]; /* [1 + n_q]: text, own, user; steps */
    int schedule[LIMIT_CODEBOOKS];   /* [dep_q]: weight set of codebook k */
    lm_conditioner conditioners[LIMIT_CONDITIONERS];
    int n_conditioners;
    bool cross_positions;      /* fuser.cross_attention_pos_emb */
    float cross_position_scale;
    lm_origin from[LM_FIELD_COUNT];
    char model_type[32];       /* "moshi", "hibiki", "stt", "tts" or "" */
    const char *known_as;      /* name of the known model, or NULL; static */
} lm_config;

/* Field name ("dim") and origin name ("shapes"); static strings. */
const char *lm_field_name(lm_field field);
const char *lm_origin_name(lm_origin origin);

/* A scalar field by number (NULL for the lists), and setting one. */
int *lm_config_integer(lm_config *config, lm_field field);
void lm_config_set(lm_config *config, lm_field field, int v,
                   lm_origin from);

/* Give the acoustic codebooks of both sides this delay, the semantic none. */
void lm_config_set_delay(lm_config *config, int delay);

/* The acoustic delay: the largest of the own and user delays. */
int lm_config_acoustic_delay(const lm_config *config);

#endif
