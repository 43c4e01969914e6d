/* opus_packets_stub.c: stands in for opus_packets.c in a build without
 * libopus. */
#include "audio/opus_packets.h"
#include "base/error.h"

static moshi_status lacking(moshi_error *err)
{
    error_set(err, MOSHI_LACKING, "this program was built without libopus, "
              "which sound over a network needs");
    error_hint(err, "install libogg-dev and libopus-dev and build again");
    return MOSHI_LACKING;
}

moshi_status opus_packet_encoder_open(opus_packet_encoder **out,
                                      moshi_error *err)
{
    (void)out;
    return lacking(err);
}

void opus_packet_encoder_close(opus_packet_encoder **encoder)
{
    (void)encoder;
}

moshi_status opus_packet_encode(opus_packet_encoder *encoder,
                                const float *pcm, size_t n,
                                unsigned char *packet, size_t *bytes)
{
    (void)encoder, (void)pcm, (void)n, (void)packet, (void)bytes;
    return MOSHI_LACKING;
}

moshi_status opus_packet_decoder_open(opus_packet_decoder **out,
                                      moshi_error *err)
{
    (void)out;
    return lacking(err);
}

void opus_packet_decoder_close(opus_packet_decoder **decoder)
{
    (void)decoder;
}

void opus_packet_decoder_reset(opus_packet_decoder *decoder)
{
    (void)decoder;
}

moshi_status opus_packet_decode(opus_packet_decoder *decoder,
                                const unsigned char *packet, size_t bytes,
                                float *pcm, size_t *n)
{
    (void)decoder, (void)packet, (void)bytes, (void)pcm, (void)n;
    return MOSHI_LACKING;
}
