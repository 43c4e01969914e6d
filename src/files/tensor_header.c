/* tensor_header.c: lay out a safetensors or GGUF file (docs/FORMATS.md).
 *
 * A header is made twice by the same code: without a buffer to learn its
 * length, then into a buffer of that length. */
#include "files/tensor_header.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "files/text.h"

typedef struct sink {
    unsigned char *bytes; /* NULL: count only */
    size_t n;
} sink;

static void put(sink *s, const void *bytes, size_t n)
{
    if (s->bytes)
        memcpy(s->bytes + s->n, bytes, n);
    s->n += n;
}

static void put_text(sink *s, const char *text)
{
    put(s, text, strlen(text));
}

static void put_decimal(sink *s, size_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%zu", number);
    put_text(s, text);
}

/* n little-endian bytes. */
static void put_number(sink *s, uint64_t number, int n)
{
    unsigned char bytes[8];
    for (int i = 0; i < n; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
    put(s, bytes, (size_t)n);
}

static void pad(sink *s, size_t unit, char with)
{
    while (s->n % unit != 0)
        put(s, &with, 1);
}

bool tensor_spec_fits(checkpoint_format format, const tensor_spec *spec)
{
    if (!tensor_spec_bytes(spec))
        return false;
    if (format == CHECKPOINT_GGUF)
        return dtype_info(spec->type)->ggml >= 0;
    return dtype_info(spec->type)->block == 1 &&
           strcmp(spec->name, "__metadata__") != 0;
}

size_t tensor_spec_bytes(const tensor_spec *spec)
{
    size_t n;
    if (!memchr(spec->name, 0, sizeof spec->name) ||
        !text_is_name(spec->name, strlen(spec->name)) ||
        (unsigned)spec->type >= DTYPE_COUNT || spec->n_dims < 0 ||
        spec->n_dims > LIMIT_DIMS)
        return 0;
    size_t row = spec->n_dims ? spec->dims[spec->n_dims - 1] : 1;
    if (!dtype_row_bytes(spec->type, row, &n))
        return 0;
    for (int i = 0; i < spec->n_dims - 1; i++)
        if (!size_mul(n, spec->dims[i], &n))
            return 0;
    return n;
}

bool tensor_stored_bytes(checkpoint_format format, const tensor_spec *spec,
                         size_t *n_bytes)
{
    size_t n = tensor_spec_bytes(spec);
    if (format == CHECKPOINT_GGUF) {
        if (!size_add(n, TENSOR_GGUF_ALIGNMENT - 1, n_bytes))
            return false;
        n = *n_bytes & ~(size_t)(TENSOR_GGUF_ALIGNMENT - 1);
    }
    *n_bytes = n;
    return true;
}

/* A name has no control characters, so two need a backslash. */
static void put_json_string(sink *s, const char *text)
{
    put_text(s, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            put_text(s, "\\");
        put(s, text, 1);
    }
    put_text(s, "\"");
}

static void put_json_entry(sink *s, const tensor_spec *spec, size_t begin)
{
    put_json_string(s, spec->name);
    put_text(s, ":{\"dtype\":\"");
    put_text(s, dtype_info(spec->type)->name);
    put_text(s, "\",\"shape\":[");
    for (int i = 0; i < spec->n_dims; i++) {
        put_text(s, i ? "," : "");
        put_decimal(s, spec->dims[i]);
    }
    put_text(s, "],\"data_offsets\":[");
    put_decimal(s, begin);
    put_text(s, ",");
    put_decimal(s, begin + tensor_spec_bytes(spec));
    put_text(s, "]}");
}

static void put_gguf_entry(sink *s, const tensor_spec *spec, size_t begin)
{
    put_number(s, strlen(spec->name), 8);
    put_text(s, spec->name);
    put_number(s, (uint64_t)spec->n_dims, 4);
    for (int i = spec->n_dims - 1; i >= 0; i--)
        put_number(s, spec->dims[i], 8);
    put_number(s, (uint64_t)dtype_info(spec->type)->ggml, 4);
    put_number(s, begin, 8);
}

/* The length of a safetensors header is written last, when it is known. */
static void put_length(sink *s)
{
    sink start = {.bytes = s->bytes};
    put_number(&start, s->n - 8, 8);
}

static void put_notes(sink *s, const tensor_note *notes, size_t n, bool last)
{
    put_text(s, "\"__metadata__\":{");
    for (size_t i = 0; i < n; i++) {
        put_text(s, i ? "," : "");
        put_json_string(s, notes[i].key);
        put_text(s, ":");
        put_json_string(s, notes[i].text);
    }
    put_text(s, last ? "}" : "},");
}

static size_t build(checkpoint_format format, const tensor_note *notes,
                    size_t n_notes, const tensor_spec *specs, size_t count,
                    unsigned char *buffer)
{
    bool gguf = format == CHECKPOINT_GGUF;
    sink s = {.bytes = buffer};
    size_t begin = 0, stored;
    if (gguf) {
        put_text(&s, "GGUF");
        put_number(&s, 2, 4);
        put_number(&s, count, 8);
    }
    put_number(&s, 0, 8); /* metadata entries, or a length that comes later */
    put_text(&s, gguf ? "" : "{");
    if (n_notes)
        put_notes(&s, notes, n_notes, count == 0);
    for (size_t i = 0; i < count; i++) {
        if (!tensor_spec_fits(format, &specs[i]) ||
            !tensor_stored_bytes(format, &specs[i], &stored))
            return 0;
        if (gguf)
            put_gguf_entry(&s, &specs[i], begin);
        else
            put_json_entry(&s, &specs[i], begin);
        put_text(&s, gguf || i + 1 == count ? "" : ",");
        if (!size_add(begin, stored, &begin))
            return 0;
    }
    put_text(&s, gguf ? "" : "}");
    pad(&s, gguf ? TENSOR_GGUF_ALIGNMENT : 8, gguf ? 0 : ' ');
    if (!gguf)
        put_length(&s);
    return s.n;
}

size_t tensor_header_build(checkpoint_format format, const tensor_spec *specs,
                           size_t count, unsigned char *buffer)
{
    return build(format, NULL, 0, specs, count, buffer);
}

size_t tensor_header_build_noted(const tensor_note *notes, size_t n_notes,
                                 const tensor_spec *specs, size_t count,
                                 unsigned char *buffer)
{
    return build(CHECKPOINT_SAFETENSORS, notes, n_notes, specs, count, buffer);
}
