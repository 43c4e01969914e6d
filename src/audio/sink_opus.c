/* sink_opus.c: samples -> packets -> pages. */
#include "audio/sink_opus.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "audio/ogg_pages.h"
#include "audio/opus_packets.h"
#include "base/error.h"
#include "base/memory.h"

#define SERIAL 42
#define GRANULE_HZ 48000

/* RFC 7845: version 1, one channel, pre-skip 3840, 48 kHz, no gain, family 0;
 * then vendor and no comments. */
static const unsigned char head[19] = {
    'O', 'p', 'u', 's', 'H',  'e',  'a', 'd', 1, 1,
    0,   15,  128, 187, 0,    0,    0,   0,   0};
static const unsigned char tags[27] = {
    'O', 'p', 'u', 's', 'T', 'a', 'g', 's', 11,  0, 0, 0, 'K', 'y',
    'u', 't', 'a', 'i', 'M', 'o', 's', 'h', 'i', 0, 0, 0, 0};

struct sink_opus {
    ogg_writer *pages;            /* owned */
    opus_packet_encoder *packets; /* owned */
    bool begun;
    int64_t granule;
};

moshi_status sink_opus_open(sink_opus **out, moshi_error *err)
{
    sink_opus *s = memory_calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "an Opus stream");
    moshi_status status = ogg_writer_open(&s->pages, SERIAL, err);
    if (status == MOSHI_OK)
        status = opus_packet_encoder_open(&s->packets, err);
    if (status != MOSHI_OK) {
        sink_opus_close(&s);
        return status;
    }
    *out = s;
    return MOSHI_OK;
}

void sink_opus_close(sink_opus **handle)
{
    if (!*handle)
        return;
    opus_packet_encoder_close(&(*handle)->packets);
    ogg_writer_close(&(*handle)->pages);
    memory_free(*handle);
    *handle = NULL;
}

static moshi_status add_page(sink_opus *s, const void *packet, size_t n,
                             unsigned char *out, size_t *at)
{
    const unsigned char *page;
    size_t bytes;
    moshi_status status = ogg_writer_page(s->pages, packet, n, s->granule,
                                          &page, &bytes);
    if (status != MOSHI_OK)
        return status;
    assert(*at + bytes <= SINK_OPUS_FRAME_BYTES_MAX);
    memcpy(out + *at, page, bytes);
    *at += bytes;
    return MOSHI_OK;
}

moshi_status sink_opus_frame(sink_opus *s, const float *pcm, size_t n,
                             unsigned char *out, size_t *bytes)
{
    unsigned char packet[OPUS_PACKET_BYTES_MAX];
    moshi_status status = MOSHI_OK;
    size_t at = 0, size;
    if (n % SINK_OPUS_PACKET_SAMPLES || n > 2 * SINK_OPUS_PACKET_SAMPLES)
        return MOSHI_ARGUMENT;
    if (!s->begun) {
        status = add_page(s, head, sizeof head, out, &at);
        if (status == MOSHI_OK)
            status = add_page(s, tags, sizeof tags, out, &at);
        s->begun = true;
    }
    for (size_t i = 0; i < n && status == MOSHI_OK;
         i += SINK_OPUS_PACKET_SAMPLES) {
        status = opus_packet_encode(s->packets, pcm + i,
                                    SINK_OPUS_PACKET_SAMPLES, packet, &size);
        s->granule += SINK_OPUS_PACKET_SAMPLES * (GRANULE_HZ / OPUS_RATE_HZ);
        if (status == MOSHI_OK)
            status = add_page(s, packet, size, out, &at);
    }
    *bytes = at;
    return status;
}
