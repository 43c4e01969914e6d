/* sound_card.c: the one file that touches PortAudio.
 *
 * Two streams, one for each direction: a single one for both is what sound
 * servers behind ALSA handle worst, and two devices may be meant. What was
 * played is kept beside what was recorded by the clock on the wall: both rings
 * grow at the same rate, and are brought into line when they drift apart. The
 * played sound then leads by the latency of both directions, so that an echo
 * is never older than its cause. */
#include "audio/sound_card.h"

#include <ctype.h>
#include <fcntl.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <portaudio.h>

#include "audio/sample_ring.h"
#include "base/error.h"
#include "base/memory.h"

#define RING_SECONDS 4
#define DRIFT_SECONDS 0.06
/* Asked of each side, at least. With less, sound servers between PortAudio and
 * the device lose sound on a busy machine (a PulseAudio without real-time
 * priority lost half of it at 9 ms, some at 35). */
#define LATENCY_SECONDS 0.06

struct sound_card {
    PaStream *in, *out; /* NULL: without */
    double rate_hz, latency;
    bool library; /* Pa_Initialize succeeded */
    bool aligned; /* the two rings were brought into line once */
    size_t lacking_played; /* samples of silence that stand in for some */
    sample_ring recorded, played, queue;
    atomic_bool speaking; /* the queue had something a moment ago */
    atomic_uint_fast64_t overruns, underruns;
};

/* ALSA and JACK talk to standard error while they look for devices; what they
 * say there is about devices that nobody asked for. */
static PaError initialize(void)
{
    int kept = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
    if (kept >= 0 && nowhere >= 0)
        dup2(nowhere, STDERR_FILENO);
    PaError code = Pa_Initialize();
    if (kept >= 0 && nowhere >= 0)
        dup2(kept, STDERR_FILENO);
    if (kept >= 0)
        close(kept);
    if (nowhere >= 0)
        close(nowhere);
    return code;
}

static moshi_status lacking(PaError code, const char *what, moshi_error *err)
{
    return error_set(err, MOSHI_LACKING, "%s: %s", what,
                     Pa_GetErrorText(code));
}

static void describe(int i, sound_device *d)
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
    const PaHostApiInfo *api = Pa_GetHostApiInfo(info->hostApi);
    *d = (sound_device){.number = i,
                        .inputs = info->maxInputChannels,
                        .outputs = info->maxOutputChannels,
                        .rate_hz = info->defaultSampleRate,
                        .default_input = i == Pa_GetDefaultInputDevice(),
                        .default_output = i == Pa_GetDefaultOutputDevice()};
    snprintf(d->name, sizeof d->name, "%s", info->name);
    snprintf(d->system, sizeof d->system, "%s", api ? api->name : "?");
}

moshi_status sound_card_list(sound_device **out, size_t *n, moshi_error *err)
{
    PaError code = initialize();
    if (code != paNoError)
        return lacking(code, "the sound system cannot be used", err);
    int count = Pa_GetDeviceCount();
    sound_device *all = NULL;
    moshi_status status = MOSHI_OK;
    if (count > 0) {
        all = memory_calloc((size_t)count, sizeof *all);
        if (!all)
            status = error_no_memory(err, "the list of sound devices");
    }
    for (int i = 0; i < count && all; i++)
        describe(i, &all[i]);
    if (status == MOSHI_OK) {
        *out = all;
        *n = count > 0 ? (size_t)count : 0;
    }
    Pa_Terminate();
    return status;
}

static bool holds(const char *name, const char *part)
{
    for (; *name; name++)
        if (strncasecmp(name, part, strlen(part)) == 0)
            return true;
    return false;
}

/* The device that the user named, or paNoDevice. */
static PaDeviceIndex find(const char *wanted, bool input)
{
    int count = Pa_GetDeviceCount();
    if (!wanted)
        return input ? Pa_GetDefaultInputDevice()
                     : Pa_GetDefaultOutputDevice();
    for (int i = 0; i < count; i++) {
        const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        bool able = input ? info->maxInputChannels > 0
                          : info->maxOutputChannels > 0;
        bool digits = wanted[strspn(wanted, "0123456789")] == 0;
        if (able && (digits ? strcmp(number, wanted) == 0
                            : holds(info->name, wanted)))
            return i;
    }
    return paNoDevice;
}

/* Both run in threads of the sound system: no lock, no allocation. */
static int on_played(const void *in, void *out, unsigned long n,
                     const PaStreamCallbackTimeInfo *time,
                     PaStreamCallbackFlags flags, void *user)
{
    sound_card *c = user;
    float *to = out;
    (void)in;
    (void)time;
    size_t played = sample_ring_read(&c->queue, to, n);
    memset(to + played, 0, (n - played) * sizeof *to);
    bool speaking = atomic_load(&c->speaking);
    if ((speaking && played < n) || flags & paOutputUnderflow)
        atomic_fetch_add(&c->underruns, 1);
    atomic_store(&c->speaking, played == n);
    sample_ring_write(&c->played, to, n);
    return paContinue;
}

static int on_recorded(const void *in, void *out, unsigned long n,
                       const PaStreamCallbackTimeInfo *time,
                       PaStreamCallbackFlags flags, void *user)
{
    sound_card *c = user;
    (void)out;
    (void)time;
    size_t kept = sample_ring_write(&c->recorded, in, n);
    if (kept < n || flags & paInputOverflow)
        atomic_fetch_add(&c->overruns, 1);
    return paContinue;
}

static PaStreamParameters side(PaDeviceIndex i, bool input)
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
    return (PaStreamParameters){
        .device = i,
        .channelCount = 1,
        .sampleFormat = paFloat32,
        .suggestedLatency = fmax(input ? info->defaultHighInputLatency
                                       : info->defaultHighOutputLatency,
                                 LATENCY_SECONDS)};
}

static moshi_status no_device(const char *wanted, const char *kind,
                              moshi_error *err)
{
    if (wanted)
        error_set(err, MOSHI_LACKING, "there is no %s called '%s'", kind,
                  wanted);
    else
        error_set(err, MOSHI_LACKING, "this machine has no %s", kind);
    return error_hint(err, "'moshi chat --list' shows what there is; --in "
                      "FILE and --out FILE stand in for devices");
}

static moshi_status start(sound_card *c, const PaStreamParameters *in,
                          const PaStreamParameters *out, PaStream **stream,
                          moshi_error *err)
{
    PaError code = Pa_OpenStream(stream, in, out, c->rate_hz,
                                 paFramesPerBufferUnspecified, paNoFlag,
                                 in ? on_recorded : on_played, c);
    if (code != paNoError) {
        *stream = NULL;
        return lacking(code, in ? "the microphone cannot be opened"
                                : "the loudspeaker cannot be opened", err);
    }
    code = Pa_StartStream(*stream);
    if (code != paNoError)
        return lacking(code, "the sound device does not start", err);
    const PaStreamInfo *info = Pa_GetStreamInfo(*stream);
    if (info)
        c->latency += in ? info->inputLatency : info->outputLatency;
    return MOSHI_OK;
}

/* The wished rate if the devices can, else the microphone's own. */
static double choose_rate(const PaStreamParameters *in,
                          const PaStreamParameters *out, double wished)
{
    if ((!in || Pa_IsFormatSupported(in, NULL, wished) ==
                    paFormatIsSupported) &&
        (!out || Pa_IsFormatSupported(NULL, out, wished) ==
                     paFormatIsSupported))
        return wished;
    return Pa_GetDeviceInfo(in ? in->device : out->device)->defaultSampleRate;
}

static moshi_status open_streams(sound_card *c, const sound_card_params *p,
                                 moshi_error *err)
{
    PaStreamParameters in = {0}, out = {0};
    PaDeviceIndex from = p->no_input ? paNoDevice : find(p->input, true);
    PaDeviceIndex to = p->no_output ? paNoDevice : find(p->output, false);
    if (!p->no_input && from == paNoDevice)
        return no_device(p->input, "microphone", err);
    if (!p->no_output && to == paNoDevice)
        return no_device(p->output, "loudspeaker", err);
    if (!p->no_input)
        in = side(from, true);
    if (!p->no_output)
        out = side(to, false);
    c->rate_hz = choose_rate(p->no_input ? NULL : &in,
                             p->no_output ? NULL : &out, p->rate_hz);
    size_t room = (size_t)(c->rate_hz * RING_SECONDS);
    if (!sample_ring_init(&c->recorded, room) ||
        !sample_ring_init(&c->played, room) ||
        !sample_ring_init(&c->queue, room))
        return error_no_memory(err, "the sound device");
    moshi_status status = MOSHI_OK;
    if (!p->no_output)
        status = start(c, NULL, &out, &c->out, err);
    if (status == MOSHI_OK && !p->no_input)
        status = start(c, &in, NULL, &c->in, err);
    return status;
}

moshi_status sound_card_open(sound_card **out, const sound_card_params *params,
                             moshi_error *err)
{
    sound_card *c = memory_calloc(1, sizeof *c);
    if (!c)
        return error_no_memory(err, "the sound device");
    PaError code = initialize();
    c->library = code == paNoError;
    moshi_status status =
        c->library ? open_streams(c, params, err)
                   : lacking(code, "the sound system cannot be used", err);
    if (status != MOSHI_OK) {
        sound_card_close(&c);
        return status;
    }
    *out = c;
    return MOSHI_OK;
}

void sound_card_close(sound_card **handle)
{
    sound_card *c = *handle;
    if (!c)
        return;
    if (c->in)
        Pa_CloseStream(c->in);
    if (c->out)
        Pa_CloseStream(c->out);
    if (c->library)
        Pa_Terminate();
    sample_ring_release(&c->recorded);
    sample_ring_release(&c->played);
    sample_ring_release(&c->queue);
    memory_free(c);
    *handle = NULL;
}

int sound_card_rate_hz(const sound_card *c)
{
    return (int)c->rate_hz;
}

double sound_card_latency(const sound_card *c)
{
    return c->latency;
}

bool sound_card_alive(const sound_card *c)
{
    return (!c->in || Pa_IsStreamActive(c->in) == 1) &&
           (!c->out || Pa_IsStreamActive(c->out) == 1);
}

/* Let the newest sample played stand beside the newest recorded: throw away
 * what is older, or fill up with silence. */
static void align(sound_card *c)
{
    long drift = (long)sample_ring_count(&c->played) -
                 (long)sample_ring_count(&c->recorded);
    if (c->aligned && labs(drift) <= (long)(DRIFT_SECONDS * c->rate_hz))
        return;
    c->aligned = true;
    if (drift > 0)
        sample_ring_read(&c->played, NULL, (size_t)drift);
    else
        c->lacking_played = (size_t)-drift;
}

size_t sound_card_read(sound_card *c, float *recorded, float *played,
                       size_t n)
{
    size_t got, silent = 0;
    if (!c->in || sample_ring_count(&c->recorded) == 0)
        return 0;
    align(c);
    got = sample_ring_read(&c->recorded, recorded, n);
    if (c->lacking_played > 0) {
        silent = c->lacking_played < got ? c->lacking_played : got;
        c->lacking_played -= silent;
    }
    memset(played, 0, got * sizeof *played);
    sample_ring_read(&c->played, played + silent, got - silent);
    return got;
}

size_t sound_card_queued(const sound_card *c)
{
    return sample_ring_count(&c->queue);
}

size_t sound_card_write(sound_card *c, const float *samples, size_t n)
{
    return sample_ring_write(&c->queue, samples, n);
}

sound_card_counts sound_card_count(const sound_card *c)
{
    return (sound_card_counts){.overruns = atomic_load(&c->overruns),
                               .underruns = atomic_load(&c->underruns)};
}
