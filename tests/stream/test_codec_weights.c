/* test_codec_weights.c: the codec's large matrices in fewer bits.
 *
 * Goal: bf16 and Q8_0 change the sound as much as rounding does and no more,
 * and Q8_0 is the rounding of a Q8_0 file: its products are those of the same
 * matrix quantised row by row. Method: a random codec whose feed-forward is
 * wide enough to be rounded, in each type. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cpu/kernels.h"
#include "golden.h"
#include "mimi/stream.h"
#include "models.h"
#include "plan/panels.h"

#define FRAMES 12

static char path[] = "/tmp/moshi-weights-XXXXXX";

static int write_codec(void **state)
{
    (void)state;
    mimi_config c = synth_mimi_tiny;
    c.hidden = 65536 / c.width;
    return models_mimi_write(path, &c);
}

static int remove_codec(void **state)
{
    (void)state;
    return unlink(path);
}

/* FRAMES frames of the same codes. */
static float *decode(dtype type, bool panels, size_t *n)
{
    moshi_error err = {0};
    mimi_model *m = models_mimi_open(
        path, (mimi_model_params){.panels = panels, .weights = type});
    backend *be = golden_backend(2);
    mimi_runner *r = NULL;
    mimi_decoder *d = NULL;
    size_t samples = (size_t)m->config.frame_samples;
    float *pcm = malloc(FRAMES * samples * sizeof *pcm);
    *n = FRAMES * samples;
    if (mimi_runner_open(&r, m, be, MIMI_DECODE, 1, &err) ||
        mimi_decoder_open(&d, m, be, &err))
        fail_msg("%s", err.message);
    for (int f = 0; f < FRAMES; f++) {
        int32_t codes[64];
        const int32_t *in = codes;
        float *out = pcm + (size_t)f * samples;
        for (int q = 0; q < m->codebooks; q++)
            codes[q] = (f * 31 + q * 17) % m->config.bins;
        assert_int_equal(mimi_decode_frame(r, &d, 1, &in, m->codebooks, &out,
                                           NULL), MOSHI_OK);
    }
    mimi_decoder_close(&d);
    mimi_runner_close(&r);
    mimi_model_close(&m);
    be->close(&be);
    return pcm;
}

static double snr_db(const float *want, const float *got, size_t n)
{
    double signal = 0, noise = 0;
    for (size_t i = 0; i < n; i++) {
        signal += (double)want[i] * want[i];
        noise += ((double)want[i] - got[i]) * ((double)want[i] - got[i]);
    }
    return 10 * log10(signal / noise);
}

static void sound_is_near(void **state)
{
    (void)state;
    static const dtype types[] = {DTYPE_BF16, DTYPE_Q8_0};
    size_t n;
    float *want = decode(DTYPE_F32, true, &n);
    for (size_t i = 0; i < 2; i++) {
        float *got = decode(types[i], true, &n);
        assert_true(memcmp(want, got, n * sizeof *got) != 0);
        double db = snr_db(want, got, n);
        /* A backend without panels is given the same numbers in rows. */
        float *rows = decode(types[i], false, &n);
        double apart = snr_db(got, rows, n);
        printf("  %s: %.1f dB; in rows, from panels: %.1f dB\n",
               dtype_info(types[i])->name, db, apart);
        assert_true(db > 30);
        assert_true(apart > 100);
        free(got);
        free(rows);
    }
    free(want);
}

/* A panel of Q8_0, and a row, holds what quantising its rows gives. */
static void same_rounding(void **state)
{
    (void)state;
    enum { K = 96 };
    const kernel_table *ref = kernels_for(CPU_REF);
    float values[K][PANEL_ROWS], rows[PANEL_ROWS][K];
    unsigned char panel[34 * PANEL_ROWS * K / 32], block[34 * K / 32];
    unsigned char row[34 * K / 32];
    uint32_t seed = 7;
    for (size_t k = 0; k < K; k++)
        for (size_t r = 0; r < PANEL_ROWS; r++) {
            seed = seed * 1664525u + 1013904223u;
            values[k][r] = (float)(seed >> 8) / 0x1p23f - 1;
            /* A row of zeros, and one of a single number. */
            values[k][r] = r == 3 || (r == 4 && k != 40) ? 0 : values[k][r];
            rows[r][k] = values[k][r];
        }
    panel_put(panel, DTYPE_Q8_0, 0, K, (const float(*)[PANEL_ROWS])values);
    for (size_t r = 0; r < PANEL_ROWS; r++) {
        ref->quantize_q8_0(block, rows[r], K);
        panel_round_row(row, DTYPE_Q8_0, K, rows[r]);
        assert_memory_equal(row, block, sizeof block);
        for (size_t g = 0; g < K / 32; g++) {
            const unsigned char *group = panel + g * 34 * PANEL_ROWS;
            assert_memory_equal(group + 2 * r, block + 34 * g, 2);
            for (size_t k = 0; k < 32; k++)
                assert_int_equal(group[2 * PANEL_ROWS + k * PANEL_ROWS + r],
                                 block[34 * g + 2 + k]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_is_near),
        cmocka_unit_test(same_rounding),
    };
    return cmocka_run_group_tests(tests, write_codec, remove_codec);
}
