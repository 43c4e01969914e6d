/* sound_card_stub.c: stands in for sound_card.c in a build without
 * PortAudio. */
#include "audio/sound_card.h"
#include "base/error.h"

static moshi_status lacking(moshi_error *err)
{
    error_set(err, MOSHI_LACKING, "this program was built without PortAudio, "
              "which the microphone and the loudspeaker need");
    error_hint(err, "give --in FILE and --out FILE, or install "
                    "portaudio19-dev and build again");
    return MOSHI_LACKING;
}

moshi_status sound_card_list(sound_device **out, size_t *n, moshi_error *err)
{
    (void)out, (void)n;
    return lacking(err);
}

moshi_status sound_card_open(sound_card **out, const sound_card_params *params,
                             moshi_error *err)
{
    (void)out, (void)params;
    return lacking(err);
}

void sound_card_close(sound_card **card)
{
    (void)card;
}

int sound_card_rate_hz(const sound_card *card)
{
    (void)card;
    return 0;
}

double sound_card_latency(const sound_card *card)
{
    (void)card;
    return 0;
}

bool sound_card_alive(const sound_card *card)
{
    (void)card;
    return false;
}

size_t sound_card_read(sound_card *card, float *recorded, float *played,
                       size_t n)
{
    (void)card, (void)recorded, (void)played, (void)n;
    return 0;
}

size_t sound_card_queued(const sound_card *card)
{
    (void)card;
    return 0;
}

size_t sound_card_write(sound_card *card, const float *samples, size_t n)
{
    (void)card, (void)samples, (void)n;
    return 0;
}

sound_card_counts sound_card_count(const sound_card *card)
{
    (void)card;
    return (sound_card_counts){0};
}
