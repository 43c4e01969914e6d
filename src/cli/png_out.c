/* png_out.c: PNG (ISO 15948) by hand: stored deflate blocks, then base64. */
#include "cli/png_out.h"

#include <string.h>

#include "base/memory.h"

#define BLOCK_MAX 65535 /* bytes of a stored deflate block */

typedef struct bytes {
    uint8_t *data; /* owned */
    size_t n, room;
    int failed;
} bytes;

static void put(bytes *b, const void *data, size_t n)
{
    if (b->failed ||
        !memory_grow((void **)&b->data, &b->room, b->n + n, 1)) {
        b->failed = 1;
        return;
    }
    memcpy(b->data + b->n, data, n);
    b->n += n;
}

static void put_u32(bytes *b, uint32_t v)
{
    uint8_t big[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16),
                      (uint8_t)(v >> 8), (uint8_t)v};
    put(b, big, 4);
}

static uint32_t crc(const uint8_t *data, size_t n)
{
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        c ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
    }
    return ~c;
}

static void put_chunk(bytes *b, const char *type, const void *data, size_t n)
{
    put_u32(b, (uint32_t)n);
    size_t from = b->n;
    put(b, type, 4);
    put(b, data, n);
    if (!b->failed)
        put_u32(b, crc(b->data + from, b->n - from));
}

/* The rows, each after a zero: "not filtered". */
static void fill_rows(bytes *out, const uint8_t *pixel, size_t width,
                      size_t height)
{
    for (size_t y = 0; y < height; y++) {
        put(out, "", 1);
        put(out, pixel + y * width, width);
    }
}

static void store(bytes *out, const bytes *raw)
{
    uint32_t a = 1, b = 0; /* Adler-32 */
    put(out, "\x78\x01", 2);
    for (size_t at = 0; at < raw->n; at += BLOCK_MAX) {
        size_t n = raw->n - at < BLOCK_MAX ? raw->n - at : BLOCK_MAX;
        uint8_t head[5] = {at + n == raw->n, (uint8_t)n, (uint8_t)(n >> 8),
                           (uint8_t)~n, (uint8_t)(~n >> 8)};
        put(out, head, sizeof head);
        put(out, raw->data + at, n);
    }
    for (size_t i = 0; i < raw->n; i++) {
        a = (a + raw->data[i]) % 65521;
        b = (b + a) % 65521;
    }
    put_u32(out, b << 16 | a);
}

static char *base64(const uint8_t *in, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char front[] = "data:image/png;base64,";
    char *out = memory_calloc(sizeof front + (n + 2) / 3 * 4, 1), *to = out;
    if (!out)
        return NULL;
    memcpy(out, front, sizeof front - 1);
    to += sizeof front - 1;
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)in[i] << 16;
        v |= i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0;
        v |= i + 2 < n ? (uint32_t)in[i + 2] : 0;
        *to++ = digits[v >> 18];
        *to++ = digits[v >> 12 & 63];
        *to++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
        *to++ = i + 2 < n ? digits[v & 63] : '=';
    }
    return out;
}

char *png_out_address(const uint8_t *pixel, size_t width, size_t height,
                      const uint8_t palette[256][3])
{
    bytes png = {0}, raw = {0}, packed = {0}, head = {0};
    char *address = NULL;
    put_u32(&head, (uint32_t)width);
    put_u32(&head, (uint32_t)height);
    put(&head, "\x08\x03\0\0\0", 5); /* 8 bits, palette */
    fill_rows(&raw, pixel, width, height);
    if (!raw.failed)
        store(&packed, &raw);
    if (!head.failed && !raw.failed && !packed.failed) {
        put(&png, "\x89PNG\r\n\x1a\n", 8);
        put_chunk(&png, "IHDR", head.data, head.n);
        put_chunk(&png, "PLTE", palette, 768);
        put_chunk(&png, "IDAT", packed.data, packed.n);
        put_chunk(&png, "IEND", "", 0);
        if (!png.failed)
            address = base64(png.data, png.n);
    }
    memory_free(head.data);
    memory_free(raw.data);
    memory_free(packed.data);
    memory_free(png.data);
    return address;
}
