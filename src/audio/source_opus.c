/* source_opus.c: bytes -> pages -> packets -> samples. */
#include "audio/source_opus.h"

#include <string.h>

#include "audio/ogg_pages.h"
#include "audio/opus_packets.h"
#include "base/error.h"
#include "base/memory.h"

struct source_opus {
    ogg_reader *pages;           /* owned */
    opus_packet_decoder *packets; /* owned */
    uint64_t refused;            /* packets that are not Opus */
    float pcm[OPUS_PACKET_SAMPLES_MAX];
    size_t at, end;              /* what waits in pcm */
};

moshi_status source_opus_open(source_opus **out, moshi_error *err)
{
    source_opus *s = memory_calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "an Opus stream");
    moshi_status status = ogg_reader_open(&s->pages, err);
    if (status == MOSHI_OK)
        status = opus_packet_decoder_open(&s->packets, err);
    if (status != MOSHI_OK) {
        source_opus_close(&s);
        return status;
    }
    *out = s;
    return MOSHI_OK;
}

void source_opus_close(source_opus **handle)
{
    if (!*handle)
        return;
    opus_packet_decoder_close(&(*handle)->packets);
    ogg_reader_close(&(*handle)->pages);
    memory_free(*handle);
    *handle = NULL;
}

moshi_status source_opus_push(source_opus *s, const void *bytes, size_t n)
{
    return ogg_reader_push(s->pages, bytes, n);
}

static int is_header(const unsigned char *packet, size_t n)
{
    return n >= 8 && (memcmp(packet, "OpusHead", 8) == 0 ||
                      memcmp(packet, "OpusTags", 8) == 0);
}

/* Decode packets until one brings samples. */
static moshi_status decode(source_opus *s)
{
    for (;;) {
        const unsigned char *packet;
        size_t n;
        bool begins;
        if (ogg_reader_pull(s->pages, &packet, &n, &begins) != MOSHI_OK)
            return MOSHI_AGAIN;
        if (begins)
            opus_packet_decoder_reset(s->packets);
        if (is_header(packet, n))
            continue;
        s->at = s->end = 0;
        if (opus_packet_decode(s->packets, packet, n, s->pcm, &s->end) !=
            MOSHI_OK)
            s->refused++;
        else if (s->end > 0)
            return MOSHI_OK;
    }
}

moshi_status source_opus_pull(source_opus *s, float *pcm, size_t cap,
                              size_t *got)
{
    for (*got = 0; *got < cap;) {
        if (s->at == s->end && decode(s) != MOSHI_OK)
            break;
        size_t n = s->end - s->at;
        if (n > cap - *got)
            n = cap - *got;
        memcpy(pcm + *got, s->pcm + s->at, n * sizeof *pcm);
        s->at += n;
        *got += n;
    }
    return *got > 0 ? MOSHI_OK : MOSHI_AGAIN;
}

uint64_t source_opus_damaged(const source_opus *s)
{
    ogg_reader_counts c = ogg_reader_count(s->pages);
    return c.skipped + c.lost + s->refused;
}
