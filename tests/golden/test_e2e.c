/* test_e2e.c: a recording in, speech out: the whole way, exact.
 *
 * Goal: codes heard, tokens, codes spoken and PCM equal those of the official
 * engine, with the model's own delay of 1 (both attention windows of the
 * codec) and with the delay of 2 that the official gen uses for every model.
 * Method: fixtures/e2e-tiny with mimi-tiny and lm-moshi-tiny, greedy; 12,000
 * zero samples are appended and whole frames are kept, as by gen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audio/source_file.h"
#include "base/memory.h"
#include "golden.h"
#include "tasks/speech_to_speech.h"

#define FRAMES 43
#define K 8
#define SAMPLES 1920
#define SILENCE 12000

/* Test models are opened part by part: the codec's window rule is not an
 * option of the public API. */
static moshi_model *open_model(bool ring, int delay)
{
    moshi_error err = {0};
    moshi_model *m = memory_calloc(1, sizeof *m);
    char path[1024];
    m->backend = golden_backend(2);
    m->defaults = (model_defaults){-1, -1, -1, -1};
    snprintf(path, sizeof path, "%s",
             golden_path("lm-moshi-tiny/model.candle.safetensors"));
    lm_model_params lm = {
        .path = path,
        .config_path = golden_path("lm-moshi-tiny/config.json"),
        .acoustic_delay = delay};
    if (lm_model_open(&m->lm, &lm, &err))
        fail_msg("%s", err.message);
    snprintf(path, sizeof path, "%s",
             golden_path("mimi-tiny/model.safetensors"));
    mimi_model_params mimi = {
        .path = path,
        .config_path = golden_path("mimi-tiny/config.json"),
        .panels = m->backend->panels,
        .ring_window = ring};
    if (mimi_model_open(&m->mimi, &mimi, &err))
        fail_msg("%s", err.message);
    return m;
}

static void check(const char *fixture, bool ring, int delay)
{
    moshi_error err = {0};
    moshi_model *m = open_model(ring, delay);
    moshi_stream_params params = {.greedy = 1};
    speech_to_speech *s = NULL;
    float *pcm = NULL;
    size_t n = 0;
    if (speech_to_speech_open(&s, m, &params, &err) ||
        source_file_load(golden_path("e2e-tiny/input.wav"), 24000, &pcm, &n,
                         &err))
        fail_msg("%s", err.message);
    checkpoint *want = golden_open(fixture);
    size_t delay_steps = delay < 0 ? 1 : (size_t)delay;
    size_t out_frames = FRAMES - delay_steps, spoken = 0;
    static int32_t in[K * FRAMES], text[FRAMES], audio[K * FRAMES];
    static int32_t out[K * FRAMES];
    static float frame[SAMPLES], speech[FRAMES * SAMPLES], room[SAMPLES];
    assert_int_equal((n + SILENCE) / SAMPLES, FRAMES);
    for (size_t f = 0; f < FRAMES; f++) {
        frame_result r = {.pcm = room};
        for (size_t i = 0; i < SAMPLES; i++) {
            size_t at = f * SAMPLES + i;
            frame[i] = at < n ? pcm[at] : 0;
        }
        speech_to_speech_frame(s, frame, &r);
        text[f] = r.tokens[0];
        for (size_t k = 0; k < K; k++) {
            in[k * FRAMES + f] = r.codes_in[k];
            audio[k * FRAMES + f] = r.tokens[1 + k];
        }
        if (!r.spoken)
            continue;
        for (size_t k = 0; k < K; k++)
            out[k * out_frames + spoken] = r.codes_out[k];
        memcpy(speech + spoken++ * SAMPLES, room, sizeof room);
    }
    printf("%s\n", fixture);
    assert_int_equal(spoken, out_frames);
    golden_expect_ints("codes in", in, golden_ints(want, "codes_in", NULL),
                       K * FRAMES);
    golden_expect_ints("text tokens", text,
                       golden_ints(want, "text_tokens", NULL), FRAMES);
    golden_expect_ints("audio tokens", audio,
                       golden_ints(want, "audio_tokens", NULL), K * FRAMES);
    golden_expect_ints("codes out", out, golden_ints(want, "codes_out", NULL),
                       K * out_frames);
    golden_expect("pcm", golden_error(speech, golden_floats(want, "pcm", NULL),
                                      out_frames * SAMPLES), 1e-5);
    checkpoint_close(&want);
    memory_free(pcm);
    speech_to_speech_close(&s);
    moshi_model_close(&m);
}

static void delay1_exact(void **state)
{
    (void)state;
    check("e2e-tiny/expected_delay1_exact.safetensors", false, -1);
}

static void delay1_ring(void **state)
{
    (void)state;
    check("e2e-tiny/expected_delay1_ring.safetensors", true, -1);
}

static void delay2_ring(void **state)
{
    (void)state;
    check("e2e-tiny/expected_delay2_ring.safetensors", true, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delay1_exact),
        cmocka_unit_test(delay1_ring),
        cmocka_unit_test(delay2_ring),
    };
    return cmocka_run_group_tests_name("golden e2e", tests, NULL, NULL);
}
