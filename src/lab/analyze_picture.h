/* analyze_picture.h: waveform and spectrogram of one segment, for a report.
 *
 * Columns of 10 ms: the least and the largest sample, and 128 rows from 0 to
 * 12 kHz, row 0 lowest, 0 … 255 for 80 dB up to the loudest. */
#ifndef MOSHI_LAB_ANALYZE_PICTURE_H
#define MOSHI_LAB_ANALYZE_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

#define PICTURE_HOP  240
#define PICTURE_ROWS 128

typedef struct analyze_picture {
    size_t start;   /* sample of the recording at which column 0 begins */
    size_t columns;
    float *low, *high; /* owned, [columns] */
    uint8_t *shade;    /* owned, [columns * PICTURE_ROWS]; NULL: this build
                          has no Fourier transform */
} analyze_picture;

/* Draw n samples at 24 kHz; what was there is released. Errors:
 * MOSHI_NO_MEMORY. */
moshi_status analyze_picture_draw(analyze_picture *p, const float *pcm,
                                  size_t n, size_t start, moshi_error *err);
void analyze_picture_release(analyze_picture *p);

#endif
