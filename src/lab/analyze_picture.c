/* analyze_picture.c: draw a segment. */
#include "lab/analyze_picture.h"

#include <math.h>

#include "audio/fourier.h"
#include "base/error.h"
#include "base/memory.h"

#define FFT      512 /* 21 ms */
#define RANGE_DB 80

static void draw_wave(analyze_picture *p, const float *pcm, size_t n)
{
    for (size_t c = 0; c < p->columns; c++)
        for (size_t i = c * PICTURE_HOP; i < (c + 1) * PICTURE_HOP; i++) {
            float v = i < n ? pcm[i] : 0;
            p->low[c] = fminf(p->low[c], v);
            p->high[c] = fmaxf(p->high[c], v);
        }
}

/* Levels in dB into row[0 … PICTURE_ROWS - 1], two bins in each. */
static void spectrum(fourier *f, const float *pcm, size_t n, size_t column,
                     float *row)
{
    float in[FFT], power[FFT / 2 + 1];
    long first = (long)(column * PICTURE_HOP) + PICTURE_HOP / 2 - FFT / 2;
    for (long i = 0; i < FFT; i++) {
        double v = first + i >= 0 && first + i < (long)n
                       ? (double)pcm[first + i] : 0;
        double hann = 0.5 - 0.5 * cos(2 * acos(-1.0) * ((double)i + 0.5) /
                                      FFT);
        in[i] = (float)(v * hann);
    }
    fourier_power(f, in, power);
    for (int r = 0; r < PICTURE_ROWS; r++)
        row[r] = (float)(10 * log10((double)power[2 * r] +
                                    (double)power[2 * r + 1] + 1e-12));
}

static moshi_status draw_spectra(analyze_picture *p, const float *pcm,
                                 size_t n, moshi_error *err)
{
    fourier *f = NULL;
    size_t cells = p->columns * PICTURE_ROWS;
    moshi_status status = fourier_open(&f, FFT, err);
    if (status == MOSHI_LACKING)
        return MOSHI_OK; /* a waveform without a spectrogram */
    if (status != MOSHI_OK)
        return status;
    float *db = memory_calloc(cells, sizeof *db), top = -INFINITY;
    p->shade = memory_calloc(cells, 1);
    if (!db || !p->shade)
        status = error_no_memory(err, "the picture");
    for (size_t c = 0; status == MOSHI_OK && c < p->columns; c++)
        spectrum(f, pcm, n, c, db + c * PICTURE_ROWS);
    for (size_t i = 0; status == MOSHI_OK && i < cells; i++)
        top = fmaxf(top, db[i]);
    for (size_t i = 0; status == MOSHI_OK && i < cells; i++) {
        float v = 255 * (1 + (db[i] - top) / RANGE_DB);
        p->shade[i] = (uint8_t)fmaxf(0, fminf(255, v));
    }
    memory_free(db);
    fourier_close(&f);
    return status;
}

moshi_status analyze_picture_draw(analyze_picture *p, const float *pcm,
                                  size_t n, size_t start, moshi_error *err)
{
    analyze_picture_release(p);
    p->start = start;
    p->columns = (n + PICTURE_HOP - 1) / PICTURE_HOP;
    if (p->columns == 0)
        return MOSHI_OK;
    p->low = memory_calloc(p->columns, sizeof *p->low);
    p->high = memory_calloc(p->columns, sizeof *p->high);
    if (!p->low || !p->high)
        return error_no_memory(err, "the picture");
    draw_wave(p, pcm, n);
    return draw_spectra(p, pcm, n, err);
}

void analyze_picture_release(analyze_picture *p)
{
    memory_free(p->low);
    memory_free(p->high);
    memory_free(p->shade);
    *p = (analyze_picture){0};
}
