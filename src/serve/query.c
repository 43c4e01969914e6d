/* query.c: take the query apart, key by key. */
#include "serve/query.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "files/text.h"

#define KEY_BYTES 64
#define VALUE_BYTES QUERY_TOKEN_BYTES

typedef enum value_kind { VALUE_REAL, VALUE_WHOLE, VALUE_TEXT } value_kind;

/* Where the value of a key goes. */
typedef struct key {
    const char *name;
    value_kind kind;
    size_t value, has; /* offsets; has is 0 for none */
    double min, max;   /* of reals; both are allowed */
} key;

#define AT(member) offsetof(query, member)

static const key keys[] = {
    {"text_temperature", VALUE_REAL, AT(text_temperature),
     AT(has_text_temperature), 0, 100},
    {"audio_temperature", VALUE_REAL, AT(audio_temperature),
     AT(has_audio_temperature), 0, 100},
    {"text_topk", VALUE_WHOLE, AT(text_topk), AT(has_text_topk), 0, 0},
    {"audio_topk", VALUE_WHOLE, AT(audio_topk), AT(has_audio_topk), 0, 0},
    {"text_seed", VALUE_WHOLE, AT(text_seed), AT(has_text_seed), 0, 0},
    {"audio_seed", VALUE_WHOLE, AT(audio_seed), AT(has_audio_seed), 0, 0},
    {"max_steps", VALUE_WHOLE, AT(max_steps), AT(has_max_steps), 0, 0},
    {"pad_mult", VALUE_REAL, AT(pad_mult), AT(has_pad_mult), -1e3, 1e3},
    {"repetition_penalty", VALUE_REAL, AT(penalty), AT(has_penalty), 1e-3,
     1e3},
    {"repetition_penalty_context", VALUE_WHOLE, AT(penalty_context),
     AT(has_penalty_context), 0, 0},
    {"token", VALUE_TEXT, AT(token), 0, 0, 0},
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool query_decode(const char *text, size_t n, char *out, size_t cap)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            if (n - i < 3)
                return false;
            int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == 0 || at + 1 >= cap)
            return false;
        out[at++] = c;
    }
    if (cap == 0)
        return false;
    out[at] = 0;
    return true;
}

/* As serde reads an u64: digits, nothing else. */
static bool parse_whole(const char *text, uint64_t *out)
{
    char *end;
    if (!*text || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno)
        return false;
    *out = n;
    return true;
}

static bool parse_real(const char *text, double min, double max, double *out)
{
    char *end;
    if (!*text || strspn(text, "0123456789.eE+-") != strlen(text))
        return false;
    double x = strtod(text, &end);
    if (*end || !isfinite(x) || x < min || x > max)
        return false;
    *out = x;
    return true;
}

static bool store(query *q, const key *k, const char *text)
{
    char *base = (char *)q;
    switch (k->kind) {
    case VALUE_REAL:
        if (!parse_real(text, k->min, k->max, (double *)(base + k->value)))
            return false;
        break;
    case VALUE_WHOLE:
        if (!parse_whole(text, (uint64_t *)(base + k->value)))
            return false;
        break;
    case VALUE_TEXT:
        memcpy(base + k->value, text, strlen(text) + 1);
        return true;
    }
    *(bool *)(base + k->has) = true;
    return true;
}

static moshi_status take(query *q, const char *name, const char *value,
                         size_t n, moshi_error *err)
{
    char text[VALUE_BYTES], shown[VALUE_BYTES];
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i].name, name) != 0)
            continue;
        if (!query_decode(value, n, text, sizeof text))
            return error_set(err, MOSHI_ARGUMENT,
                             "the value of %s cannot be read", name);
        if (!store(q, &keys[i], text))
            return error_set(err, MOSHI_ARGUMENT, "%s=%s: not a value it can "
                             "have", name,
                             text_printable(shown, sizeof shown, text));
        break;
    }
    return MOSHI_OK;
}

moshi_status query_parse(query *out, const char *text, moshi_error *err)
{
    char name[KEY_BYTES];
    query q = {0};
    while (*text) {
        size_t n = strcspn(text, "&");
        const char *equals = memchr(text, '=', n);
        size_t n_name = equals ? (size_t)(equals - text) : n;
        /* A key that cannot be read, or is this long, is none of ours. */
        if (n_name && query_decode(text, n_name, name, sizeof name)) {
            const char *value = equals ? equals + 1 : text + n;
            moshi_status status = take(&q, name, value,
                                       (size_t)(text + n - value), err);
            if (status != MOSHI_OK)
                return status;
        }
        text += n;
        text += *text == '&';
    }
    *out = q;
    return MOSHI_OK;
}
