/* test_mimi.c: the codec against the official engine, number by number.
 *
 * Goal: all codes exact, latents and PCM within 1e-5, every named activation
 * within 1e-5 of its peak, for both attention-window rules. Method: the tiny
 * random codec of fixtures/mimi-tiny, fed frame by frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden.h"
#include "mimi/stream.h"

#define FRAMES 40
#define CODEBOOKS 8
#define SAMPLES 1920
#define CHANNELS 64

typedef struct codec {
    backend *be;
    mimi_model *model;
    mimi_runner *runner;
    mimi_encoder *encoder;
    mimi_decoder *decoder;
} codec;

/* In panels if the backend takes them and `rows` does not forbid it. */
static codec open_codec(bool ring, bool rows)
{
    codec c = {.be = golden_backend(2)};
    moshi_error err = {0};
    char model[1024];
    snprintf(model, sizeof model, "%s",
             golden_path("mimi-tiny/model.safetensors"));
    mimi_model_params params = {
        .path = model,
        .config_path = golden_path("mimi-tiny/config.json"),
        .panels = c.be->panels && !rows,
        .ring_window = ring};
    if (mimi_model_open(&c.model, &params, &err) ||
        mimi_runner_open(&c.runner, c.model, c.be, MIMI_BOTH, 1, &err) ||
        mimi_encoder_open(&c.encoder, c.model, c.be, &err) ||
        mimi_decoder_open(&c.decoder, c.model, c.be, &err))
        fail_msg("%s", err.message);
    return c;
}

static void close_codec(codec *c)
{
    mimi_encoder_close(&c->encoder);
    mimi_decoder_close(&c->decoder);
    mimi_runner_close(&c->runner);
    mimi_model_close(&c->model);
    c->be->close(&c->be);
}

static void check_rule(bool ring, bool rows, const char *rule)
{
    codec c = open_codec(ring, rows);
    checkpoint *input = golden_open("mimi-tiny/input.safetensors");
    checkpoint *expected = golden_open("mimi-tiny/expected.safetensors");
    const float *pcm = golden_floats(input, "pcm", NULL);
    char name[64];
    static int32_t codes[CODEBOOKS * FRAMES];
    static float latent[CHANNELS * FRAMES], out[FRAMES * SAMPLES];
    float z[CHANNELS];
    int32_t frame[CODEBOOKS];

    snprintf(name, sizeof name, "codes_%s", rule);
    const int32_t *want = golden_ints(expected, name, NULL);
    for (int f = 0; f < FRAMES; f++) {
        const float *in = pcm + f * SAMPLES;
        int32_t *given = frame;
        mimi_encode_frame(c.runner, &c.encoder, 1, &in, &given, NULL);
        c.be->read(c.runner->encode, c.model->latent, 0, z);
        for (int q = 0; q < CODEBOOKS; q++)
            codes[q * FRAMES + f] = frame[q];
        for (int i = 0; i < CHANNELS; i++)
            latent[i * FRAMES + f] = z[i];
        for (int q = 0; q < CODEBOOKS; q++)
            frame[q] = want[q * FRAMES + f];
        float *at = out + f * SAMPLES;
        const int32_t *taken = frame;
        assert_int_equal(mimi_decode_frame(c.runner, &c.decoder, 1, &taken,
                                           CODEBOOKS, &at, NULL), MOSHI_OK);
    }
    printf("mimi-tiny, %s window\n", ring ? "ring" : "exact");
    snprintf(name, sizeof name, "latent_%s", rule);
    golden_expect(name,
                  golden_error(latent, golden_floats(expected, name, NULL),
                               CHANNELS * FRAMES), 1e-5);
    snprintf(name, sizeof name, "codes_%s", rule);
    golden_expect_ints(name, codes, want, CODEBOOKS * FRAMES);
    snprintf(name, sizeof name, "pcm_%s", rule);
    golden_expect(name, golden_error(out, golden_floats(expected, name, NULL),
                                     FRAMES * SAMPLES), 1e-5);
    checkpoint_close(&input);
    checkpoint_close(&expected);
    close_codec(&c);
}

static void exact_window(void **state)
{
    (void)state;
    check_rule(false, false, "offline");
    check_rule(false, true, "offline");
}

static void ring_window(void **state)
{
    (void)state;
    check_rule(true, false, "streaming");
    check_rule(true, true, "streaming");
}

/* [T][C] as we have it -> [C][T] as the fixture has it. */
static void channels_first(const plan_tensor *t, const float *in, float *out)
{
    for (size_t r = 0; r < t->rows; r++)
        for (size_t w = 0; w < t->width; w++)
            out[t->channels_first ? w * t->rows + r : r * t->width + w] =
                in[r * t->width + w];
}

/* Is this tensor of the fixture one that the plan writes? */
static bool in_plan(const plan *p, const char *name)
{
    return plan_find(p, name) != TENSOR_NONE;
}

static void check_taps(codec *c, const plan *p, golden_taps *taps,
                       const checkpoint *want, int frame)
{
    for (size_t i = 0; i < taps->n_taps; i++) {
        golden_tap *t = &taps->taps[i];
        if (!in_plan(p, t->name))
            continue;
        char label[128];
        const plan_tensor *tensor = &p->tensors[plan_find(p, t->name)];
        float *turned = malloc(t->n * sizeof *turned);
        const float *gold = golden_floats(want, t->name, NULL);
        assert_int_equal(t->seen, 1);
        channels_first(tensor, t->data, turned);
        double peak = golden_peak(gold, 3 * t->n);
        snprintf(label, sizeof label, "%s, frame %d", t->name, frame);
        golden_expect(label,
                      golden_error(turned, gold + (size_t)frame * t->n, t->n) /
                          peak, 1e-5);
        free(turned);
        t->seen = 0;
    }
    (void)c;
}

static void activations(void **state)
{
    (void)state;
    codec c = open_codec(true, false);
    checkpoint *input = golden_open("mimi-tiny/input.safetensors");
    checkpoint *expected = golden_open("mimi-tiny/expected.safetensors");
    checkpoint *want = golden_open("mimi-tiny/activations.safetensors");
    const float *pcm = golden_floats(input, "pcm", NULL);
    const int32_t *codes = golden_ints(expected, "codes_streaming", NULL);
    size_t n = checkpoint_count(want), in_some_plan = 0;
    golden_tap *list = calloc(n, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        const checkpoint_tensor *t = checkpoint_at(want, i);
        list[i].name = t->name;
        list[i].n = checkpoint_elements(t) / 3;
        list[i].data = calloc(list[i].n, sizeof(float));
        in_some_plan += in_plan(c.model->encoder, t->name) ||
                        in_plan(c.model->decoder, t->name);
    }
    /* Every name of the fixture must be one of ours. */
    assert_int_equal(in_some_plan, n);
    golden_taps encode = {c.be, c.model->encoder, list, n};
    golden_taps decode = {c.be, c.model->decoder, list, n};
    plan_hook encode_hook = {golden_record, &encode, NULL};
    plan_hook decode_hook = {golden_record, &decode, NULL};
    static float out[SAMPLES];
    for (int f = 0; f < 3; f++) {
        int32_t frame[CODEBOOKS], *given = frame;
        const int32_t *taken = frame;
        const float *in = pcm + f * SAMPLES;
        float *at = out;
        mimi_encode_frame(c.runner, &c.encoder, 1, &in, &given, &encode_hook);
        check_taps(&c, c.model->encoder, &encode, want, f);
        for (int q = 0; q < CODEBOOKS; q++)
            frame[q] = codes[q * FRAMES + f];
        mimi_decode_frame(c.runner, &c.decoder, 1, &taken, CODEBOOKS, &at,
                          &decode_hook);
        check_taps(&c, c.model->decoder, &decode, want, f);
    }
    for (size_t i = 0; i < n; i++)
        free(list[i].data);
    free(list);
    checkpoint_close(&input);
    checkpoint_close(&expected);
    checkpoint_close(&want);
    close_codec(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_window),
        cmocka_unit_test(ring_window),
        cmocka_unit_test(activations),
    };
    return cmocka_run_group_tests_name("golden mimi", tests, NULL, NULL);
}
