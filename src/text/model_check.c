/* model_check.c: walk through a SentencePiece model without believing it. */
#include "text/model_check.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

/* Field numbers of sentencepiece_model.proto. */
enum {
    MODEL_PIECES = 1,
    MODEL_NORMALIZER = 3,
    MODEL_DENORMALIZER = 5,
    NORMALIZER_CHARSMAP = 2,
};

/* Wire types of Protocol Buffers. */
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* A stretch of bytes that is read from the front. */
typedef struct span {
    const unsigned char *data;
    size_t bytes;
} span;

typedef struct field {
    uint64_t number;
    span content; /* of a WIRE_BYTES field; empty for the others */
} field;

static bool take(span *s, uint64_t n, span *out)
{
    if (n > s->bytes)
        return false;
    *out = (span){s->data, (size_t)n};
    s->data += n;
    s->bytes -= (size_t)n;
    return true;
}

static bool take_varint(span *s, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && s->bytes > 0; shift += 7) {
        unsigned char byte = *s->data++;
        s->bytes--;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool take_field(span *s, field *out)
{
    uint64_t key, n;
    span skipped;
    if (!take_varint(s, &key))
        return false;
    out->number = key >> 3;
    out->content = (span){NULL, 0};
    switch (key & 7) {
    case WIRE_VARINT:
        return take_varint(s, &n);
    case WIRE_64:
        return take(s, 8, &skipped);
    case WIRE_BYTES:
        return take_varint(s, &n) && take(s, n, &out->content);
    case WIRE_32:
        return take(s, 4, &skipped);
    default:
        return false;
    }
}

static uint32_t little_32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

/* Where the children of unit `i` of a double array begin; the layout of a
 * unit is darts-clone's. */
static uint64_t children_of(uint32_t i, uint32_t unit)
{
    return i ^ (uint64_t)((unit >> 10) << ((unit & 1u << 9) >> 6));
}

/* The table of normalisation: the size of a double array in bytes, the array
 * of 32-bit units, then the replacements, each ended by a zero. The library
 * follows a unit to any of 256 children, and a leaf to its replacement. */
static bool charsmap_is_sound(span s)
{
    span head, units;
    if (s.bytes == 0)
        return true; /* nothing is normalised */
    if (!take(&s, 4, &head) || !take(&s, little_32(head.data), &units))
        return false;
    size_t n = units.bytes / 4;
    if (n == 0 || units.bytes % 4 != 0 || s.bytes == 0 ||
        s.data[s.bytes - 1] != 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint32_t unit = little_32(units.data + 4 * i);
        if (unit >> 31 && i > 0)
            continue; /* a leaf's value: judged where it is pointed at */
        uint64_t first = children_of((uint32_t)i, unit);
        if ((first | 255) >= n)
            return false;
        bool has_leaf = unit >> 8 & 1;
        uint32_t leaf = little_32(units.data + 4 * first) & INT32_MAX;
        if (has_leaf && leaf >= s.bytes)
            return false;
    }
    return true;
}

static const char *check_normalizer(span s)
{
    field f;
    while (s.bytes > 0) {
        if (!take_field(&s, &f))
            return "it is damaged";
        if (f.number == NORMALIZER_CHARSMAP && !charsmap_is_sound(f.content))
            return "its table of normalisation is damaged";
    }
    return NULL;
}

const char *model_check(const unsigned char *data, size_t bytes)
{
    span s = {data, bytes};
    size_t pieces = 0;
    if (bytes == 0)
        return "it is empty";
    while (s.bytes > 0) {
        field f;
        if (!take_field(&s, &f))
            return pieces > 0 ? "it is damaged or cut short"
                              : "it is of another type";
        const char *wrong = NULL;
        if (f.number == MODEL_PIECES)
            pieces++;
        else if (f.number == MODEL_NORMALIZER ||
                 f.number == MODEL_DENORMALIZER)
            wrong = check_normalizer(f.content);
        if (wrong)
            return wrong;
    }
    if (pieces == 0)
        return "it holds no pieces";
    if (pieces > LIMIT_VOCABULARY)
        return "it holds more pieces than any model has";
    return NULL;
}
