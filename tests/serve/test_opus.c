/* test_opus.c: Ogg/Opus as the official programs make it and take it.
 *
 * Goal: our stream begins with the published pages and is cut as kaudio cuts
 * it; streams of every known sender are read, in any pieces; damage costs what
 * was damaged and nothing else; a stream that never ends a packet costs no
 * memory. Method: byte vectors, streams built with the writer, flipped bits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audio/ogg_pages.h"
#include "audio/opus_packets.h"
#include "audio/sink_opus.h"
#include "audio/source_opus.h"

#define FRAME 1920
#define FRAMES 25

/* serving.md: pages 0 and 1, serial number 42. */
static const unsigned char first_pages[] = {
    0x4f, 0x67, 0x67, 0x53, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x2a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xae, 0xfe,
    0xf3, 0xf1, 0x01, 0x13, 0x4f, 0x70, 0x75, 0x73, 0x48, 0x65, 0x61, 0x64,
    0x01, 0x01, 0x00, 0x0f, 0x80, 0xbb, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x4f, 0x67, 0x67, 0x53, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x2a, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x4b, 0x3c,
    0x01, 0x71, 0x01, 0x1b, 0x4f, 0x70, 0x75, 0x73, 0x54, 0x61, 0x67, 0x73,
    0x0b, 0x00, 0x00, 0x00, 0x4b, 0x79, 0x75, 0x74, 0x61, 0x69, 0x4d, 0x6f,
    0x73, 0x68, 0x69, 0x00, 0x00, 0x00, 0x00};

typedef struct bytes {
    unsigned char data[1 << 17];
    size_t n, frame_at[FRAMES + 1];
} bytes;

static void tone(float *pcm, size_t n, size_t from)
{
    for (size_t i = 0; i < n; i++)
        pcm[i] = 0.3f * sinf(0.05f * (float)(from + i));
}

/* What our side sends: a tone of FRAMES frames. */
static void make_stream(bytes *b)
{
    moshi_error err = {0};
    sink_opus *sink = NULL;
    float pcm[FRAME];
    assert_int_equal(sink_opus_open(&sink, &err), 0);
    b->n = 0;
    for (int f = 0; f < FRAMES; f++) {
        size_t n;
        tone(pcm, FRAME, (size_t)f * FRAME);
        b->frame_at[f] = b->n;
        assert_int_equal(sink_opus_frame(sink, pcm, FRAME, b->data + b->n, &n),
                         0);
        b->n += n;
    }
    b->frame_at[FRAMES] = b->n;
    sink_opus_close(&sink);
}

/* Decode in pieces of `piece` bytes; returns samples. */
static size_t read_stream(const unsigned char *data, size_t n, size_t piece,
                          float *pcm, size_t room, uint64_t *damaged)
{
    moshi_error err = {0};
    source_opus *source = NULL;
    size_t all = 0, got;
    assert_int_equal(source_opus_open(&source, &err), 0);
    for (size_t at = 0; at < n; at += piece) {
        size_t part = n - at < piece ? n - at : piece;
        assert_int_equal(source_opus_push(source, data + at, part), 0);
        while (source_opus_pull(source, pcm + all, room - all, &got) == 0)
            all += got;
    }
    *damaged = source_opus_damaged(source);
    source_opus_close(&source);
    return all;
}

static uint32_t u32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

static void as_kaudio_writes_it(void **state)
{
    static bytes b;
    (void)state;
    make_stream(&b);
    assert_memory_equal(b.data, first_pages, sizeof first_pages);
    /* Then pages of one packet of 40 ms each, two a frame. */
    uint32_t sequence = 2, granule = 0;
    int pages = 0;
    for (size_t at = sizeof first_pages; at < b.n; pages++) {
        const unsigned char *p = b.data + at;
        assert_memory_equal(p, "OggS\0\0", 6);
        granule += 1920;
        assert_int_equal(u32(p + 6), granule);
        assert_int_equal(u32(p + 14), 42);
        assert_int_equal(u32(p + 18), sequence++);
        size_t body = 0;
        for (int s = 0; s < p[26]; s++)
            body += p[27 + s];
        assert_true(p[26 + p[26]] < 255); /* one packet, which ends here */
        at += 27 + (size_t)p[26] + body;
    }
    assert_int_equal(pages, 2 * FRAMES);
}

static void any_pieces(void **state)
{
    static const size_t pieces[] = {1, 7, 48, 1000, 1 << 20};
    static bytes b;
    static float whole[FRAMES * FRAME], pcm[FRAMES * FRAME + FRAME];
    uint64_t damaged;
    (void)state;
    make_stream(&b);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        size_t n = read_stream(b.data, b.n, pieces[i], pcm,
                               FRAMES * FRAME + FRAME, &damaged);
        /* No official decoder cuts the pre-skip, nor does this one. */
        assert_int_equal(n, FRAMES * FRAME);
        assert_int_equal(damaged, 0);
        if (i == 0)
            memcpy(whole, pcm, sizeof whole);
        assert_memory_equal(whole, pcm, sizeof whole);
    }
    /* It is the tone: as strong, and at its frequency. */
    double re = 0, im = 0, power = 0;
    for (int i = FRAME; i < FRAMES * FRAME; i++) {
        re += whole[i] * cos(0.05 * i);
        im += whole[i] * sin(0.05 * i);
        power += (double)whole[i] * whole[i];
    }
    double n = (FRAMES - 1) * FRAME;
    assert_true(fabs(sqrt(power / n) - 0.3 / sqrt(2)) < 0.02);
    assert_true(2 * hypot(re, im) / n > 0.27);
}

/* Packets of 20 ms, two a page, another serial number and rate: a browser.
 * Packets of 80 ms, granules of 24 kHz: the old Python module. */
static void other_senders(void **state)
{
    static const size_t sizes[] = {480, 960, 1920, 2880};
    static float pcm[FRAMES * FRAME * 2], in[2880];
    moshi_error err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        opus_packet_encoder *e = NULL;
        ogg_writer *w = NULL;
        static bytes b;
        unsigned char packet[OPUS_PACKET_BYTES_MAX];
        const unsigned char *page;
        size_t n, bytes_of_page;
        uint64_t damaged;
        assert_int_equal(opus_packet_encoder_open(&e, &err), 0);
        assert_int_equal(ogg_writer_open(&w, (int32_t)(0x80000000u + i), &err),
                         0);
        b.n = 0;
        for (int k = 0; k < 12; k++) {
            if (k < 2) {
                n = 8;
                memcpy(packet, k ? "OpusTags" : "OpusHead", 8);
            } else {
                tone(in, sizes[i], (size_t)(k - 2) * sizes[i]);
                assert_int_equal(opus_packet_encode(e, in, sizes[i], packet,
                                                    &n), 0);
            }
            assert_int_equal(ogg_writer_page(w, packet, n, k, &page,
                                             &bytes_of_page), 0);
            memcpy(b.data + b.n, page, bytes_of_page);
            b.n += bytes_of_page;
        }
        assert_int_equal(read_stream(b.data, b.n, 100, pcm,
                                     sizeof pcm / sizeof *pcm, &damaged),
                         10 * sizes[i]);
        assert_int_equal(damaged, 0);
        opus_packet_encoder_close(&e);
        ogg_writer_close(&w);
    }
}

/* A flipped bit costs its page; what comes after it is heard again. */
static void damage_is_skipped(void **state)
{
    static bytes b;
    static unsigned char bad[sizeof b.data];
    static float pcm[FRAMES * FRAME + FRAME];
    uint64_t damaged;
    (void)state;
    make_stream(&b);
    for (size_t at = 0; at < b.n; at += 13) {
        memcpy(bad, b.data, b.n);
        bad[at] ^= 0x10;
        size_t n = read_stream(bad, b.n, 500, pcm, FRAMES * FRAME + FRAME,
                               &damaged);
        assert_in_range(n, (FRAMES - 1) * FRAME, FRAMES * FRAME);
        assert_true(damaged > 0);
        for (size_t i = 0; i < n; i++)
            assert_true(isfinite(pcm[i]));
    }
    /* Rubbish before, and a frame missing in the middle. */
    memset(bad, 'O', 1000);
    memcpy(bad + 1000, b.data, b.frame_at[5]);
    memcpy(bad + 1000 + b.frame_at[5], b.data + b.frame_at[6],
           b.n - b.frame_at[6]);
    size_t n = read_stream(bad, 1000 + b.n - (b.frame_at[6] - b.frame_at[5]),
                           321, pcm, FRAMES * FRAME + FRAME, &damaged);
    assert_int_equal(n, (FRAMES - 1) * FRAME);
    assert_true(damaged > 0);
}

/* A second stream in the same connection begins anew. */
static void new_stream(void **state)
{
    static bytes b;
    static unsigned char twice[2 * sizeof b.data];
    static float pcm[2 * FRAMES * FRAME];
    uint64_t damaged;
    (void)state;
    make_stream(&b);
    memcpy(twice, b.data, b.n);
    memcpy(twice + b.n, b.data, b.n);
    size_t n = read_stream(twice, 2 * b.n, 777, pcm, 2 * FRAMES * FRAME,
                           &damaged);
    assert_int_equal(n, 2 * FRAMES * FRAME);
    assert_int_equal(damaged, 0);
    assert_memory_equal(pcm, pcm + FRAMES * FRAME,
                        FRAMES * FRAME * sizeof *pcm);
}

static uint32_t crc_of(const unsigned char *page, size_t n)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < n; i++) {
        crc ^= (uint32_t)page[i] << 24;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 0x80000000u ? crc << 1 ^ 0x04c11db7u : crc << 1;
    }
    return crc;
}

/* Pages of one packet that never ends: 100 MB of it must not be kept. The
 * reader counts each time that it lost patience. */
static void endless_packet(void **state)
{
    static unsigned char page[27 + 255 + 255 * 255];
    moshi_error err = {0};
    ogg_reader *r = NULL;
    const unsigned char *data;
    size_t n;
    bool begins;
    (void)state;
    assert_int_equal(ogg_reader_open(&r, &err), 0);
    for (uint32_t k = 0; k < 1600; k++) {
        memset(page, 0, 27);
        memcpy(page, "OggS", 4);
        page[5] = k == 0 ? 2 : 0;
        memset(page + 6, 0xff, 8); /* no packet ends here */
        for (int i = 0; i < 4; i++)
            page[18 + i] = (unsigned char)(k >> 8 * i);
        page[26] = 255;
        memset(page + 27, 255, 255);
        uint32_t crc = crc_of(page, sizeof page);
        for (int i = 0; i < 4; i++)
            page[22 + i] = (unsigned char)(crc >> 8 * i);
        assert_int_equal(ogg_reader_push(r, page, sizeof page), 0);
        assert_int_equal(ogg_reader_pull(r, &data, &n, &begins), MOSHI_AGAIN);
    }
    ogg_reader_counts c = ogg_reader_count(r);
    assert_int_equal(c.pages, 1600);
    assert_true(c.lost > 700);
    ogg_reader_close(&r);
}

static void wrong_calls(void **state)
{
    static unsigned char out[SINK_OPUS_FRAME_BYTES_MAX];
    static float pcm[4000];
    static unsigned char packet[1 << 16];
    moshi_error err = {0};
    sink_opus *sink = NULL;
    opus_packet_decoder *d = NULL;
    ogg_writer *w = NULL;
    const unsigned char *page;
    size_t n;
    (void)state;
    assert_int_equal(sink_opus_open(&sink, &err), 0);
    assert_int_equal(sink_opus_frame(sink, pcm, 100, out, &n), MOSHI_ARGUMENT);
    assert_int_equal(sink_opus_frame(sink, pcm, 2880, out, &n),
                     MOSHI_ARGUMENT);
    sink_opus_close(&sink);
    assert_int_equal(opus_packet_decoder_open(&d, &err), 0);
    assert_int_equal(opus_packet_decode(d, packet, 0, pcm, &n), MOSHI_FORMAT);
    memset(packet, 0xff, sizeof packet);
    assert_int_equal(opus_packet_decode(d, packet, 3, pcm, &n), MOSHI_FORMAT);
    opus_packet_decoder_close(&d);
    assert_int_equal(ogg_writer_open(&w, 1, &err), 0);
    assert_int_equal(ogg_writer_page(w, packet, 255 * 255, 0, &page, &n),
                     MOSHI_ARGUMENT);
    assert_int_equal(ogg_writer_page(w, packet, 255 * 255 - 1, 0, &page, &n),
                     0);
    ogg_writer_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_kaudio_writes_it),
        cmocka_unit_test(any_pieces),
        cmocka_unit_test(other_senders),
        cmocka_unit_test(damage_is_skipped),
        cmocka_unit_test(new_stream),
        cmocka_unit_test(endless_packet),
        cmocka_unit_test(wrong_calls),
    };
    return cmocka_run_group_tests_name("opus", tests, NULL, NULL);
}
