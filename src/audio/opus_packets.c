/* opus_packets.c: the one file that touches libopus. */
#include "audio/opus_packets.h"

#include <math.h>

#include <opus.h>

#include "base/error.h"
#include "base/memory.h"

struct opus_packet_encoder {
    OpusEncoder *opus;
};

struct opus_packet_decoder {
    OpusDecoder *opus;
};

moshi_status opus_packet_encoder_open(opus_packet_encoder **out,
                                      moshi_error *err)
{
    int code = OPUS_OK;
    opus_packet_encoder *e = memory_calloc(1, sizeof *e);
    if (e)
        e->opus = opus_encoder_create(OPUS_RATE_HZ, 1, OPUS_APPLICATION_VOIP,
                                      &code);
    if (!e || !e->opus) {
        memory_free(e);
        return error_no_memory(err, "an Opus encoder");
    }
    *out = e;
    return MOSHI_OK;
}

void opus_packet_encoder_close(opus_packet_encoder **handle)
{
    if (!*handle)
        return;
    opus_encoder_destroy((*handle)->opus);
    memory_free(*handle);
    *handle = NULL;
}

moshi_status opus_packet_encode(opus_packet_encoder *e, const float *pcm,
                                size_t n, unsigned char *packet,
                                size_t *bytes)
{
    if (n > OPUS_PACKET_SAMPLES_MAX)
        return MOSHI_ARGUMENT;
    opus_int32 made = opus_encode_float(e->opus, pcm, (int)n, packet,
                                        OPUS_PACKET_BYTES_MAX);
    if (made < 0)
        return MOSHI_ARGUMENT;
    *bytes = (size_t)made;
    return MOSHI_OK;
}

moshi_status opus_packet_decoder_open(opus_packet_decoder **out,
                                      moshi_error *err)
{
    int code = OPUS_OK;
    opus_packet_decoder *d = memory_calloc(1, sizeof *d);
    if (d)
        d->opus = opus_decoder_create(OPUS_RATE_HZ, 1, &code);
    if (!d || !d->opus) {
        memory_free(d);
        return error_no_memory(err, "an Opus decoder");
    }
    *out = d;
    return MOSHI_OK;
}

void opus_packet_decoder_close(opus_packet_decoder **handle)
{
    if (!*handle)
        return;
    opus_decoder_destroy((*handle)->opus);
    memory_free(*handle);
    *handle = NULL;
}

void opus_packet_decoder_reset(opus_packet_decoder *d)
{
    opus_decoder_ctl(d->opus, OPUS_RESET_STATE);
}

moshi_status opus_packet_decode(opus_packet_decoder *d,
                                const unsigned char *packet, size_t bytes,
                                float *pcm, size_t *n)
{
    /* An empty packet would mean a lost one, of a length we do not know. */
    if (bytes == 0 || bytes > OPUS_PACKET_BYTES_MAX * 48)
        return MOSHI_FORMAT;
    int got = opus_decode_float(d->opus, packet, (opus_int32)bytes, pcm,
                                OPUS_PACKET_SAMPLES_MAX, 0);
    if (got < 0)
        return MOSHI_FORMAT;
    for (int i = 0; i < got; i++)
        if (!isfinite(pcm[i]))
            pcm[i] = 0;
    *n = (size_t)got;
    return MOSHI_OK;
}
