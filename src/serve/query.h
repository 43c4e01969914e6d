/* query.h: what a client asks for in the query of /api/chat?…
 *
 * The keys of the official server (docs/SERVING.md), unknown ones ignored; a
 * value that is not what its key wants is an error, answered with 400. Pure:
 * text in, numbers out. */
#ifndef MOSHI_SERVE_QUERY_H
#define MOSHI_SERVE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

#define QUERY_TOKEN_BYTES 256

typedef struct query {
    bool has_text_temperature, has_audio_temperature;
    bool has_text_topk, has_audio_topk;
    bool has_text_seed, has_audio_seed;
    bool has_max_steps, has_pad_mult;
    bool has_penalty, has_penalty_context;
    double text_temperature, audio_temperature;
    uint64_t text_topk, audio_topk;
    uint64_t text_seed, audio_seed;
    uint64_t max_steps;
    double pad_mult;
    double penalty;
    uint64_t penalty_context;
    char token[QUERY_TOKEN_BYTES]; /* "" when there is none */
} query;

/* text: what stands after the '?', percent-encoded; may be empty. Errors:
 * MOSHI_ARGUMENT, with the key in the message. */
moshi_status query_parse(query *out, const char *text, moshi_error *err);

/* Percent-decode n bytes, '+' as a blank; 0-terminated. False when it does
 * not fit into cap, or a '%' is not followed by two hexadecimal digits, or a
 * byte 0 comes out. */
bool query_decode(const char *text, size_t n, char *out, size_t cap);

#endif
