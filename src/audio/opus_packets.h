/* opus_packets.h: Opus packets <-> 24 kHz mono samples, by libopus.
 *
 * Encoder: application VOIP, libopus's own bitrate and complexity, as the
 * official servers and clients have it. Decoder: any packet of any stream,
 * mixed down to one channel; lost packets are not concealed, since TCP hides
 * losses.
 *
 * One file stands behind this header; built without libopus, opening answers
 * MOSHI_LACKING. Thread-safety: one thread at a time. */
#ifndef MOSHI_AUDIO_OPUS_PACKETS_H
#define MOSHI_AUDIO_OPUS_PACKETS_H

#include <stddef.h>

#include <moshi/error.h>

#define OPUS_RATE_HZ 24000
/* Samples of the longest packet, 120 ms; bytes of the longest that we make. */
#define OPUS_PACKET_SAMPLES_MAX 2880
#define OPUS_PACKET_BYTES_MAX 4000

typedef struct opus_packet_encoder opus_packet_encoder;
typedef struct opus_packet_decoder opus_packet_decoder;

moshi_status opus_packet_encoder_open(opus_packet_encoder **out,
                                      moshi_error *err);
void opus_packet_encoder_close(opus_packet_encoder **encoder);

/* n: 480, 960, 1920 or 2880 samples. packet: room for OPUS_PACKET_BYTES_MAX.
 * MOSHI_ARGUMENT when libopus refuses. */
moshi_status opus_packet_encode(opus_packet_encoder *encoder,
                                const float *pcm, size_t n,
                                unsigned char *packet, size_t *bytes);

moshi_status opus_packet_decoder_open(opus_packet_decoder **out,
                                      moshi_error *err);
void opus_packet_decoder_close(opus_packet_decoder **decoder);
void opus_packet_decoder_reset(opus_packet_decoder *decoder);

/* pcm: room for OPUS_PACKET_SAMPLES_MAX; all samples are finite. MOSHI_FORMAT
 * for bytes that are no Opus packet. */
moshi_status opus_packet_decode(opus_packet_decoder *decoder,
                                const unsigned char *packet, size_t bytes,
                                float *pcm, size_t *n);

#endif
