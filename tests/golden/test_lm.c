/* test_lm.c: the language models against the official engine.
 *
 * Goal: all greedy tokens exact and logits within 1e-3, in every layout and
 * type that the family's files have. Method: the small random models of
 * fixtures/lm-*, free running and teacher-forced. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lm_run.h"

static lm_case moshi_case(const char *label, const char *model,
                          const char *expected)
{
    return (lm_case){.label = label,
                     .model = model,
                     .config = "lm-moshi-tiny/config.json",
                     .expected = expected,
                     .input = "lm-moshi-tiny/input.safetensors",
                     .activations = LM_ACTIVATIONS_EXACT,
                     .prefix = "tf",
                     .row_share = 1};
}

static void moshi_pytorch(void **state)
{
    (void)state;
    lm_case c = moshi_case("moshi f32 PyTorch layout",
                           "lm-moshi-tiny/model.pytorch.safetensors",
                           "lm-moshi-tiny/expected.safetensors");
    lm_check_greedy(&c);
    lm_check_forced(&c);
}

static void moshi_candle(void **state)
{
    (void)state;
    lm_case c = moshi_case("moshi f32 candle layout",
                           "lm-moshi-tiny/model.candle.safetensors",
                           "lm-moshi-tiny/expected.safetensors");
    lm_check_greedy(&c);
    lm_check_forced(&c);
}

static void moshi_bf16(void **state)
{
    (void)state;
    lm_case c = moshi_case("moshi bf16",
                           "lm-moshi-tiny/model.candle.bf16.safetensors",
                           "lm-moshi-tiny/expected_bf16.safetensors");
    lm_check_greedy(&c);
    lm_check_forced(&c);
}

static void moshi_q8_dequantised(void **state)
{
    (void)state;
    lm_case c = moshi_case("moshi Q8_0, weights dequantised",
                           "lm-moshi-tiny/model.q8.gguf",
                           "lm-moshi-tiny/expected_q8_dequant.safetensors");
    lm_check_greedy(&c);
    lm_check_forced(&c);
}

/* A tie in the rounding of one activation may move a row: 95 % must agree. */
static void moshi_q8_quantised(void **state)
{
    (void)state;
    lm_case c = moshi_case("moshi Q8_0, activations quantised",
                           "lm-moshi-tiny/model.q8.gguf",
                           "lm-moshi-tiny/expected_q8_activations.safetensors");
    c.activations = LM_ACTIVATIONS_AS_OFFICIAL;
    c.row_share = 0.95;
    lm_check_forced(&c);
}

static lm_case hibiki_case(void)
{
    return (lm_case){.label = "hibiki bf16",
                     .model = "lm-hibiki-tiny/model.pytorch.safetensors",
                     .config = "lm-hibiki-tiny/config.json",
                     .expected = "lm-hibiki-tiny/expected.safetensors",
                     .input = "lm-hibiki-tiny/input.safetensors",
                     .conditions = {{.name = "description",
                                     .text = "very_good"}},
                     .n_conditions = 1,
                     .prefix = "tf",
                     .row_share = 1};
}

static void hibiki(void **state)
{
    (void)state;
    lm_case c = hibiki_case();
    lm_check_greedy(&c);
    c.prefix = "tf_neutral";
    c.conditions[0].text = "neutral";
    lm_check_forced(&c);
    c.prefix = "tf_none";
    c.n_conditions = 0;
    lm_check_forced(&c);
}

static void hibiki_guided(void **state)
{
    (void)state;
    lm_case c = hibiki_case();
    c.label = "hibiki, guidance 3";
    c.expected = "lm-hibiki-tiny/expected_cfg3.safetensors";
    c.guidance = 3;
    c.null_conditions[0] =
        (lm_condition){.name = "description", .text = "very_bad"};
    c.n_null_conditions = 1;
    lm_check_greedy(&c);
}

static void hibiki_conditions(void **state)
{
    static const char *const words[] = {"very_bad", "bad", "neutral", "good",
                                        "very_good", NULL};
    (void)state;
    moshi_error err = {0};
    lm_model *model = golden_lm("lm-hibiki-tiny/model.pytorch.safetensors",
                                "lm-hibiki-tiny/config.json");
    checkpoint *want = golden_open("lm-hibiki-tiny/expected.safetensors");
    const float *rows = golden_floats(want, "condition_vectors", NULL);
    float sum[64];
    for (int i = 0; i < 6; i++) {
        lm_condition c = {.name = "description", .text = words[i]};
        assert_int_equal(conditioners_sum(&model->conditioners, &c, 1, sum,
                                          &err), MOSHI_OK);
        golden_expect(words[i] ? words[i] : "no value",
                      golden_error(sum, rows + 64 * i, 64), 1e-5);
    }
    lm_condition bad = {.name = "description", .text = "splendid"};
    assert_int_equal(conditioners_sum(&model->conditioners, &bad, 1, sum, &err),
                     MOSHI_ARGUMENT);
    bad.name = "colour";
    assert_int_equal(conditioners_sum(&model->conditioners, &bad, 1, sum, &err),
                     MOSHI_ARGUMENT);
    checkpoint_close(&want);
    lm_model_close(&model);
}

static void stt(void **state)
{
    (void)state;
    lm_case c = {.label = "stt bf16",
                 .model = "lm-stt-tiny/model.safetensors",
                 .config = "lm-stt-tiny/config.json",
                 .expected = "lm-stt-tiny/expected.safetensors",
                 .input = "lm-stt-tiny/input.safetensors"};
    lm_check_greedy(&c);
}

static void tts(void **state)
{
    (void)state;
    checkpoint *input = golden_open("lm-tts-tiny/input.safetensors");
    const float *voice = golden_floats(input, "speaker_wavs", NULL);
    const uint8_t *mask = golden_tensor(input, "speaker_mask")->data;
    lm_case c = {.label = "tts bf16",
                 .model = "lm-tts-tiny/model.pytorch.safetensors",
                 .config = "lm-tts-tiny/config.json",
                 .expected = "lm-tts-tiny/expected.safetensors",
                 .input = "lm-tts-tiny/input.safetensors",
                 .conditions = {{.name = "control", .text = "ok"},
                                {.name = "cfg", .text = "2.5"},
                                {.name = "speaker_wavs",
                                 .tensor = voice,
                                 .mask = mask,
                                 .positions = 10}},
                 .n_conditions = 3,
                 .prefix = "tf",
                 .row_share = 1};
    lm_check_forced(&c);
    /* Guidance 1 gives the logits of the conditioned branch, which must not
     * lose its voice because the other one has none. */
    c.label = "tts bf16, guidance 1";
    c.guidance = 1;
    lm_check_forced(&c);
    checkpoint_close(&input);
}

static void tts_conditions(void **state)
{
    (void)state;
    moshi_error err = {0};
    lm_model *model = golden_lm("lm-tts-tiny/model.pytorch.safetensors",
                                "lm-tts-tiny/config.json");
    checkpoint *input = golden_open("lm-tts-tiny/input.safetensors");
    checkpoint *want = golden_open("lm-tts-tiny/expected.safetensors");
    lm_condition given[] = {
        {.name = "control", .text = "ok"},
        {.name = "cfg", .text = "2.5"},
        {.name = "speaker_wavs",
         .tensor = golden_floats(input, "speaker_wavs", NULL),
         .mask = golden_tensor(input, "speaker_mask")->data,
         .positions = 10}};
    float sum[64], source[10 * 64];
    assert_int_equal(conditioners_source_positions(&model->conditioners, given,
                                                   3), 10);
    assert_int_equal(conditioners_sum(&model->conditioners, given, 3, sum,
                                      &err), MOSHI_OK);
    assert_int_equal(conditioners_source(&model->conditioners, given, 3,
                                         source, &err), MOSHI_OK);
    golden_expect("condition sum",
                  golden_error(sum, golden_floats(want, "condition_sum", NULL),
                               64), 1e-5);
    golden_expect("cross source",
                  golden_error(source,
                               golden_floats(want, "cross_source", NULL), 640),
                  1e-5);
    checkpoint_close(&input);
    checkpoint_close(&want);
    lm_model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moshi_pytorch),
        cmocka_unit_test(moshi_candle),
        cmocka_unit_test(moshi_bf16),
        cmocka_unit_test(moshi_q8_dequantised),
        cmocka_unit_test(moshi_q8_quantised),
        cmocka_unit_test(hibiki),
        cmocka_unit_test(hibiki_guided),
        cmocka_unit_test(hibiki_conditions),
        cmocka_unit_test(stt),
        cmocka_unit_test(tts),
        cmocka_unit_test(tts_conditions),
    };
    return cmocka_run_group_tests_name("golden lm", tests, NULL, NULL);
}
