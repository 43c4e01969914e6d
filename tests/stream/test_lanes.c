/* test_lanes.c: streams that run together do not know of each other.
 *
 * Goal: a stream's output is bit-identical whether it runs alone or in any
 * lane beside others that start, stop and reset; encoder and decoder may be
 * interleaved; reset equals a fresh stream. Method: record solo runs, repeat
 * them in company, compare bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden.h"
#include "models.h"

#define SAMPLES 1920
#define K 8
#define FRAMES 20
#define LANES 4
#define STEPS 70 /* the tiny model's window of 24 wraps almost three times */

/* Frame f of stream s hears this. */
static void hear(float *pcm, int s, int f)
{
    models_noise(pcm, SAMPLES, (uint32_t)(1000 * s + f));
}

static void encode_solo(mimi_runner *r, mimi_encoder *e, int s,
                        int32_t codes[FRAMES][K])
{
    float pcm[SAMPLES];
    const float *in = pcm;
    for (int f = 0; f < FRAMES; f++) {
        int32_t *out = codes[f];
        hear(pcm, s, f);
        mimi_encode_frame(r, &e, 1, &in, &out, NULL);
    }
}

static void mimi_lanes(void **state)
{
    (void)state;
    moshi_error err = {0};
    backend *be = golden_backend(2);
    mimi_model *m = models_mimi();
    mimi_runner *r = NULL;
    mimi_encoder *e[LANES];
    static int32_t solo[LANES][FRAMES][K], together[LANES][FRAMES][K];
    assert_int_equal(mimi_runner_open(&r, m, be, MIMI_BOTH, LANES, &err), 0);
    for (int s = 0; s < LANES; s++) {
        assert_int_equal(mimi_encoder_open(&e[s], m, be, &err), 0);
        encode_solo(r, e[s], s, solo[s]);
        mimi_encoder_reset(e[s]);
    }
    /* Stream s joins at tick 3 s; lanes are filled in reverse order. */
    for (int tick = 0; tick < FRAMES + 3 * LANES; tick++) {
        static float pcm[LANES][SAMPLES];
        const float *in[LANES];
        int32_t *out[LANES];
        mimi_encoder *lanes[LANES];
        int n = 0;
        for (int s = LANES - 1; s >= 0; s--) {
            int f = tick - 3 * s;
            if (f < 0 || f >= FRAMES)
                continue;
            hear(pcm[s], s, f);
            in[n] = pcm[s];
            out[n] = together[s][f];
            lanes[n++] = e[s];
        }
        mimi_encode_frame(r, lanes, n, in, out, NULL);
    }
    assert_memory_equal(solo, together, sizeof solo);
    for (int s = 0; s < LANES; s++)
        mimi_encoder_close(&e[s]);
    mimi_runner_close(&r);
    mimi_model_close(&m);
    be->close(&be);
}

static void decode_run(mimi_runner *r, mimi_decoder *d, mimi_encoder *beside,
                       uint32_t seed, float *pcm)
{
    int32_t codes[K], heard[K], *out = heard;
    const int32_t *in = codes;
    float noise[SAMPLES];
    const float *sound = noise;
    for (int f = 0; f < FRAMES; f++) {
        float *at = pcm + f * SAMPLES;
        models_codes(codes, K, 64, seed + (uint32_t)f);
        if (beside) {
            hear(noise, 9, f);
            mimi_encode_frame(r, &beside, 1, &sound, &out, NULL);
        }
        assert_int_equal(mimi_decode_frame(r, &d, 1, &in, K, &at, NULL), 0);
    }
}

static void mimi_reset_and_interleave(void **state)
{
    (void)state;
    moshi_error err = {0};
    backend *be = golden_backend(1);
    mimi_model *m = models_mimi();
    mimi_runner *r = NULL;
    mimi_encoder *e = NULL;
    mimi_decoder *d = NULL, *fresh = NULL;
    static float first[FRAMES * SAMPLES], again[FRAMES * SAMPLES];
    static float other[FRAMES * SAMPLES];
    assert_int_equal(mimi_runner_open(&r, m, be, MIMI_BOTH, 1, &err), 0);
    assert_int_equal(mimi_encoder_open(&e, m, be, &err), 0);
    assert_int_equal(mimi_decoder_open(&d, m, be, &err), 0);
    assert_int_equal(mimi_decoder_open(&fresh, m, be, &err), 0);
    decode_run(r, d, NULL, 1, first);
    mimi_decoder_reset(d);
    decode_run(r, d, NULL, 500, other);
    decode_run(r, fresh, NULL, 500, again);
    assert_memory_equal(other, again, sizeof other);
    assert_memory_not_equal(first, other, sizeof first);
    mimi_decoder_reset(d);
    decode_run(r, d, e, 1, again);
    assert_memory_equal(first, again, sizeof first);
    mimi_encoder_close(&e);
    mimi_decoder_close(&d);
    mimi_decoder_close(&fresh);
    mimi_runner_close(&r);
    mimi_model_close(&m);
    be->close(&be);
}

static void bad_codes(void **state)
{
    (void)state;
    moshi_error err = {0};
    backend *be = golden_backend(1);
    mimi_model *m = models_mimi();
    mimi_runner *r = NULL;
    mimi_decoder *d = NULL;
    static float pcm[SAMPLES];
    float *at = pcm;
    int32_t codes[K] = {0};
    const int32_t *in = codes;
    assert_int_equal(mimi_runner_open(&r, m, be, MIMI_DECODE, 1, &err), 0);
    assert_int_equal(mimi_decoder_open(&d, m, be, &err), 0);
    /* Initial, absent and ungenerated tokens of a language model. */
    static const int32_t bad[] = {64, 2048, -1, -2, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        codes[3] = bad[i];
        assert_int_equal(mimi_decode_frame(r, &d, 1, &in, K, &at, NULL),
                         MOSHI_ARGUMENT);
    }
    codes[3] = 0;
    assert_int_equal(mimi_decode_frame(r, &d, 1, &in, K + 1, &at, NULL),
                     MOSHI_ARGUMENT);
    assert_int_equal(mimi_decode_frame(r, &d, 1, &in, 0, &at, NULL),
                     MOSHI_ARGUMENT);
    assert_int_equal(mimi_decode_frame(r, &d, 1, &in, 3, &at, NULL), 0);
    mimi_decoder_close(&d);
    mimi_runner_close(&r);
    mimi_model_close(&m);
    be->close(&be);
}

static lm_stream *open_lm(const lm_model *m, backend *be, uint64_t seed)
{
    moshi_error err = {0};
    lm_stream *s = NULL;
    lm_stream_params p = {
        .sampling = {.text = {.temperature = 0.8f, .top_k = 25, .seed = seed},
                     .audio = {.temperature = 0.8f,
                               .top_k = 50,
                               .seed = ~seed}}};
    if (lm_stream_open(&s, m, be, &p, &err))
        fail_msg("%s", err.message);
    return s;
}

static void user_codes(int32_t *codes, int s, int step)
{
    models_codes(codes, K, 64, (uint32_t)(777 * s + step));
}

static void lm_solo(lm_runner *r, lm_stream *stream, int s,
                    int32_t tokens[STEPS][1 + K])
{
    for (int t = 0; t < STEPS; t++) {
        int32_t heard[K], *out = tokens[t];
        const int32_t *in = heard;
        user_codes(heard, s, t);
        assert_int_equal(lm_step(r, &stream, 1, &in, NULL, &out, NULL), 0);
    }
}

static void lm_lanes(void **state)
{
    (void)state;
    moshi_error err = {0};
    backend *be = golden_backend(2);
    lm_model *m = models_lm();
    lm_runner *r = NULL;
    lm_stream *stream[LANES];
    static int32_t solo[LANES][STEPS][1 + K], together[LANES][STEPS][1 + K];
    assert_int_equal(lm_runner_open(&r, m, be, false, LANES, &err), 0);
    for (int s = 0; s < LANES; s++) {
        stream[s] = open_lm(m, be, (uint64_t)s + 1);
        lm_solo(r, stream[s], s, solo[s]);
        lm_stream_reset(stream[s]); /* seeds start again too */
    }
    assert_memory_not_equal(solo[0], solo[1], sizeof solo[0]);
    for (int tick = 0; tick < STEPS + 5 * LANES; tick++) {
        int32_t heard[LANES][K], *out[LANES];
        const int32_t *in[LANES];
        lm_stream *lanes[LANES];
        int n = 0;
        for (int s = 0; s < LANES; s++) {
            int t = tick - 5 * s;
            if (t < 0 || t >= STEPS)
                continue;
            user_codes(heard[n], s, t);
            in[n] = heard[n];
            out[n] = together[s][t];
            lanes[n++] = stream[s];
        }
        assert_int_equal(lm_step(r, lanes, n, in, NULL, out, NULL), 0);
    }
    assert_memory_equal(solo, together, sizeof solo);
    for (int s = 0; s < LANES; s++)
        lm_stream_close(&stream[s]);
    lm_runner_close(&r);
    lm_model_close(&m);
    be->close(&be);
}

static void bad_tokens(void **state)
{
    (void)state;
    moshi_error err = {0};
    backend *be = golden_backend(1);
    lm_model *m = models_lm();
    lm_runner *r = NULL;
    lm_stream *s = open_lm(m, be, 1);
    int32_t heard[K] = {0}, tokens[1 + K], *out = tokens;
    int32_t forced[1 + K];
    const int32_t *in = heard, *force = forced;
    assert_int_equal(lm_runner_open(&r, m, be, false, 1, &err), 0);
    static const int32_t bad[] = {65, -2, 1 << 20, INT32_MIN};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        heard[5] = bad[i];
        assert_int_equal(lm_step(r, &s, 1, &in, NULL, &out, NULL),
                         MOSHI_ARGUMENT);
    }
    heard[5] = 64; /* the initial token is allowed */
    assert_int_equal(lm_step(r, &s, 1, &in, NULL, &out, NULL), 0);
    for (int k = 0; k <= K; k++)
        forced[k] = TOKEN_FREE;
    forced[0] = 97;
    assert_int_equal(lm_step(r, &s, 1, &in, &force, &out, NULL),
                     MOSHI_ARGUMENT);
    forced[0] = 5;
    forced[K] = 7;
    assert_int_equal(lm_step(r, &s, 1, &in, &force, &out, NULL), 0);
    assert_int_equal(tokens[0], 5);
    assert_int_equal(tokens[K], 7);
    /* A frame is spoken only if all of it is codes. */
    static const int32_t no_code[] = {TOKEN_ZERO, 64};
    int32_t frame[K];
    for (size_t i = 0; i < 2; i++) {
        forced[1] = no_code[i];
        assert_int_equal(lm_step(r, &s, 1, &in, &force, &out, NULL), 0);
        assert_true(lm_stream_frame(s, frame)); /* one step behind: delay 1 */
        forced[1] = 3;
        assert_int_equal(lm_step(r, &s, 1, &in, &force, &out, NULL), 0);
        assert_false(lm_stream_frame(s, frame));
    }
    lm_stream_close(&s);
    lm_runner_close(&r);
    lm_model_close(&m);
    be->close(&be);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mimi_lanes),
        cmocka_unit_test(mimi_reset_and_interleave),
        cmocka_unit_test(bad_codes),
        cmocka_unit_test(lm_lanes),
        cmocka_unit_test(bad_tokens),
    };
    return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
