/* sound_card.c: the one file that touches PortAudio. */
#include "audio/sound_card.h"

#include <ctype.h>
#include <fcntl.h>
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

struct sound_card {
    PaStream *stream;
    double rate_hz, latency;
    bool has_input, has_output;
    bool library; /* Pa_Initialize succeeded */
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

/* Runs in a thread of the sound system: no lock, no allocation. */
static int on_block(const void *in, void *out, unsigned long n,
                    const PaStreamCallbackTimeInfo *time,
                    PaStreamCallbackFlags flags, void *user)
{
    sound_card *c = user;
    float *to = out;
    size_t played = 0;
    (void)time;
    (void)flags;
    if (to) {
        played = sample_ring_read(&c->queue, to, n);
        memset(to + played, 0, (n - played) * sizeof *to);
        bool speaking = atomic_load(&c->speaking);
        if (speaking && played < n)
            atomic_fetch_add(&c->underruns, 1);
        atomic_store(&c->speaking, played == n);
    }
    if (c->has_input) {
        size_t got = sample_ring_write(&c->recorded, in, n);
        /* As many as were recorded, so that both rings stay side by side. */
        sample_ring_write(&c->played, to, got);
        if (got < n)
            atomic_fetch_add(&c->overruns, 1);
    }
    return paContinue;
}

static bool side(const char *wanted, bool none, bool input,
                 PaStreamParameters *p, bool *has)
{
    *has = !none;
    if (none)
        return true;
    PaDeviceIndex i = find(wanted, input);
    if (i == paNoDevice)
        return false;
    const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
    *p = (PaStreamParameters){
        .device = i,
        .channelCount = 1,
        .sampleFormat = paFloat32,
        .suggestedLatency = input ? info->defaultLowInputLatency
                                  : info->defaultLowOutputLatency};
    return true;
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

static moshi_status open_stream(sound_card *c, const sound_card_params *p,
                                moshi_error *err)
{
    PaStreamParameters in, out;
    if (!side(p->input, p->no_input, true, &in, &c->has_input))
        return no_device(p->input, "microphone", err);
    if (!side(p->output, p->no_output, false, &out, &c->has_output))
        return no_device(p->output, "loudspeaker", err);
    const PaStreamParameters *i = c->has_input ? &in : NULL;
    const PaStreamParameters *o = c->has_output ? &out : NULL;
    c->rate_hz = p->rate_hz;
    if (Pa_IsFormatSupported(i, o, c->rate_hz) != paFormatIsSupported)
        c->rate_hz = Pa_GetDeviceInfo(i ? in.device : out.device)
                         ->defaultSampleRate;
    size_t room = (size_t)(c->rate_hz * RING_SECONDS);
    if (!sample_ring_init(&c->recorded, room) ||
        !sample_ring_init(&c->played, room) ||
        !sample_ring_init(&c->queue, room))
        return error_no_memory(err, "the sound device");
    PaError code = Pa_OpenStream(&c->stream, i, o, c->rate_hz,
                                 paFramesPerBufferUnspecified, paNoFlag,
                                 on_block, c);
    if (code != paNoError)
        return lacking(code, "the sound device cannot be opened", err);
    code = Pa_StartStream(c->stream);
    if (code != paNoError)
        return lacking(code, "the sound device does not start", err);
    const PaStreamInfo *info = Pa_GetStreamInfo(c->stream);
    if (info)
        c->latency = info->inputLatency + info->outputLatency;
    return MOSHI_OK;
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
        c->library ? open_stream(c, params, err)
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
    if (c->stream)
        Pa_CloseStream(c->stream);
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

size_t sound_card_recorded(const sound_card *c)
{
    /* The callback fills the ring of the recorded first. */
    return sample_ring_count(&c->played);
}

size_t sound_card_read(sound_card *c, float *recorded, float *played,
                       size_t n)
{
    size_t there = sound_card_recorded(c);
    n = n < there ? n : there;
    sample_ring_read(&c->recorded, recorded, n);
    sample_ring_read(&c->played, played, n);
    return n;
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
