/* analyze_speech.c: envelope, its modulation, voicing. */
#include "lab/analyze_speech.h"

#include <math.h>

#include "base/error.h"
#include "base/memory.h"

#define RATE_HZ     24000
#define ENVELOPE_HZ (RATE_HZ / SPEECH_HOP)
#define PI          3.14159265358979323846

/* Voicing: 40 ms windows, of which half is compared with itself shifted. */
#define WINDOW       960
#define COMPARED     560
#define LAG_MIN      (RATE_HZ / SPEECH_PITCH_MAX)
#define LAG_MAX      (WINDOW - COMPARED) /* 60 Hz */
#define VOICED_MIN   0.6
#define OCTAVE_SHARE 0.97 /* a shorter lag nearly as good is the pitch */
#define QUIET        1e-5 /* mean square, -50 dBFS */

/* Modulation: windows of 4 s give steps of 0.25 Hz. */
#define SPAN      (4 * ENVELOPE_HZ)
#define STEPS     (20 * 4) /* up to 20 Hz */
#define QUIET_DB  40       /* steps of level are counted this far down */

static double match(const float *x, size_t lag)
{
    double xy = 0, xx = 0, yy = 0;
    for (size_t i = 0; i < COMPARED; i++) {
        double a = (double)x[i], b = (double)x[i + lag];
        xy += a * b;
        xx += a * a;
        yy += b * b;
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
}

static void add_window(speech_meter *m, const float *in)
{
    double best = 0, power = 0, mean = 0, by_lag[LAG_MAX + 1];
    float x[WINDOW];
    /* An offset under the sound is alike at every lag. */
    for (size_t i = 0; i < WINDOW; i++)
        mean += (double)in[i] / WINDOW;
    for (size_t i = 0; i < WINDOW; i++) {
        x[i] = (float)((double)in[i] - mean);
        power += (double)x[i] * (double)x[i];
    }
    if (power < QUIET * WINDOW)
        return;
    m->windows++;
    for (size_t lag = LAG_MIN; lag <= LAG_MAX; lag++) {
        by_lag[lag] = match(x, lag);
        best = fmax(best, by_lag[lag]);
    }
    if (best < VOICED_MIN)
        return;
    m->voiced++;
    for (size_t lag = LAG_MIN + 1; lag < LAG_MAX; lag++)
        if (by_lag[lag] >= OCTAVE_SHARE * best &&
            by_lag[lag] >= by_lag[lag - 1] && by_lag[lag] > by_lag[lag + 1]) {
            m->pitch[RATE_HZ / lag]++;
            return;
        }
}

moshi_status speech_meter_push(speech_meter *m, const float *pcm, size_t n,
                               moshi_error *err)
{
    if (!memory_grow((void **)&m->envelope, &m->room,
                     m->hops + n / SPEECH_HOP + 1, sizeof *m->envelope))
        return error_no_memory(err, "the envelope");
    for (size_t at = 0; at + SPEECH_HOP <= n; at += SPEECH_HOP) {
        double power = 0;
        for (size_t i = 0; i < SPEECH_HOP; i++)
            power += (double)pcm[at + i] * (double)pcm[at + i];
        m->envelope[m->hops++] = (float)sqrt(power / SPEECH_HOP);
    }
    for (size_t at = 0; at + WINDOW <= n; at += WINDOW)
        add_window(m, pcm + at);
    return MOSHI_OK;
}

/* Add the power of the envelope at each step of 0.25 Hz. */
static void add_spectrum(const float *envelope, double *power)
{
    double mean = 0;
    for (int i = 0; i < SPAN; i++)
        mean += (double)envelope[i] / SPAN;
    if (mean <= 0)
        return;
    for (int step = 1; step <= STEPS; step++) {
        double re = 0, im = 0;
        for (int i = 0; i < SPAN; i++) {
            double hann = 0.5 - 0.5 * cos(2 * PI * (i + 0.5) / SPAN);
            double v = ((double)envelope[i] / mean - 1) * hann;
            re += v * cos(2 * PI * step * i / SPAN);
            im += v * sin(2 * PI * step * i / SPAN);
        }
        power[step] += re * re + im * im;
    }
}

static double sum_between(const double *power, double low_hz, double high_hz)
{
    double sum = 0;
    for (int step = (int)(4 * low_hz); step <= (int)(4 * high_hz); step++)
        sum += power[step];
    return sum;
}

static void read_modulation(const speech_meter *m, speech_measures *out)
{
    double power[STEPS + 1] = {0};
    if (m->hops < SPAN)
        return;
    /* Half overlapping; the last window ends with the recording. */
    for (size_t at = 0; at + SPAN <= m->hops; at += SPAN / 2)
        add_spectrum(m->envelope + at, power);
    if (m->hops % (SPAN / 2))
        add_spectrum(m->envelope + m->hops - SPAN, power);
    double all = sum_between(power, 0.5, 20);
    if (all <= 0)
        return;
    out->modulation_4hz = sum_between(power, 2, 8) / all;
    /* Three steps about 12.5 Hz, against seven on either side. */
    double near = sum_between(power, 12.25, 12.75) / 3;
    double around = (sum_between(power, 10, 11.5) +
                     sum_between(power, 13.5, 15)) / 14;
    out->modulation_12hz = around > 0 ? near / around : NAN;
}

static void read_voice(const speech_meter *m, speech_measures *out)
{
    size_t pitched = 0, below = 0;
    if (m->windows < 5)
        return;
    out->voiced_share = (double)m->voiced / (double)m->windows;
    for (int hz = 0; hz <= SPEECH_PITCH_MAX; hz++)
        pitched += m->pitch[hz];
    if (pitched < 5)
        return;
    for (int hz = 0; hz <= SPEECH_PITCH_MAX; hz++) {
        below += m->pitch[hz];
        if (2 * below >= pitched) {
            out->pitch_hz = hz;
            return;
        }
    }
}

static void read_direction(const speech_meter *m, speech_measures *out)
{
    double loudest = 0, square = 0, cube = 0;
    size_t count = 0;
    /* Not by fmax: gcc 12 for Arm fails inside when it makes vectors of that. */
    for (size_t i = 0; i < m->hops; i++)
        if ((double)m->envelope[i] > loudest)
            loudest = (double)m->envelope[i];
    double least = loudest * pow(10, -QUIET_DB / 20.0);
    if (loudest <= 0)
        return;
    for (size_t i = 0; i + 2 < m->hops; i++) {
        double step = 20 * log10(fmax((double)m->envelope[i + 2], least) /
                                 fmax((double)m->envelope[i], least));
        square += step * step;
        cube += step * step * step;
        count++;
    }
    if (count > 0 && square > 0)
        out->attack_decay = cube / (double)count /
                            pow(square / (double)count, 1.5);
}

speech_measures speech_meter_read(const speech_meter *m)
{
    speech_measures out = {NAN, NAN, NAN, NAN, NAN};
    read_modulation(m, &out);
    read_voice(m, &out);
    read_direction(m, &out);
    return out;
}

void speech_meter_release(speech_meter *m)
{
    memory_free(m->envelope);
    *m = (speech_meter){0};
}
