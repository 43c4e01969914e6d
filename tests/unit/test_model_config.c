/* Goal: sizes that a hostile file or config gives are refused with a sentence
 * before anything is computed, allocated or indexed with them. Method: headers
 * of models written by hand, over data of zeros, and documents that fit them
 * but for one value. The sanitizers see what slips through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "file_bytes.h"
#include "lm/config_load.h"
#include "mimi/config.h"

/* A tensor of a file made here: "name", "shape" and its number of values. */
typedef struct item {
    const char *name, *shape;
    size_t count;
} item;

#define LM_ITEMS                                                      \
    {"text_emb.weight", "[7, 8]", 56},                                \
    {"emb.0.weight", "[5, 8]", 40},                                   \
    {"transformer.layers.0.norm1.alpha", "[1, 1, 8]", 8},             \
    {"transformer.layers.0.self_attn.in_proj_weight", "[24, 8]", 192}, \
    {"transformer.layers.0.gating.linear_out.weight", "[8, 4]", 32}

#define LM_CONFIG                                                          \
    "\"num_heads\": 2, \"context\": 10, \"positional_embedding\": \"rope\"," \
    "\"delays\": [0, 0]"

static checkpoint *make_file(const item *items, size_t n)
{
    static char header[1 << 16];
    size_t at = 0, offset = 0;
    for (size_t i = 0; i < n; i++) {
        at += (size_t)snprintf(
            header + at, sizeof header - at,
            "%s\"%s\": {\"dtype\": \"F32\", \"shape\": %s, "
            "\"data_offsets\": [%zu, %zu]}", i ? "," : "{", items[i].name,
            items[i].shape, offset, offset + 4 * items[i].count);
        offset += 4 * items[i].count;
    }
    snprintf(header + at, sizeof header - at, "}");
    file_bytes b = bytes_safetensors(header, offset);
    checkpoint *file = NULL;
    moshi_error err = {0};
    if (bytes_open(&file, b.data, b.n, &err))
        fail_msg("%s", err.message);
    bytes_release(&b);
    return file;
}

static value *parse(const char *text)
{
    value *v = NULL;
    moshi_error err = {0};
    if (value_parse_json(&v, text, strlen(text), "config", &err))
        fail_msg("%s", err.message);
    return v;
}

/* expected: NULL, or a part of the message. */
static void load_lm(const item *items, size_t n, const char *document,
                    const char *expected)
{
    static lm_config c;
    moshi_error err = {0};
    lm_layout layout;
    checkpoint *file = make_file(items, n);
    value *v = parse(document);
    assert_int_equal(lm_layout_recognise(file, &layout, &err), MOSHI_OK);
    moshi_status status = lm_config_load(&c, file, layout, v, "config", -1,
                                         &err);
    if (!expected && status != MOSHI_OK)
        fail_msg("%s", err.message);
    if (expected && (status != MOSHI_MISMATCH ||
                     !strstr(err.message, expected)))
        fail_msg("expected \"%s\", not %s \"%s\"", expected,
                 moshi_status_name(status), err.message);
    value_close(&v);
    bytes_close(&file);
}

static void language_model_sizes(void **state)
{
    static const item good[] = {LM_ITEMS,
                                {"text_linear.weight", "[6, 8]", 48}};
    static const item emits_more[] = {LM_ITEMS,
                                      {"text_linear.weight", "[9, 8]", 72}};
    (void)state;
    load_lm(good, 6, "{" LM_CONFIG ", \"max_period\": 10000}", NULL);
    load_lm(good, 6, "{" LM_CONFIG ", \"max_period\": 0}", "max_period");
    load_lm(emits_more, 6, "{" LM_CONFIG ", \"max_period\": 10000}",
            "text_linear.weight can choose 9 tokens");
    load_lm(good, 6, "{\"num_heads\": 2, \"context\": 10, \"max_period\": 1e4,"
            "\"positional_embedding\": \"rope\", \"delays\": [0]}",
            "gives 1 delays");
    load_lm(good, 6, "{" LM_CONFIG ", \"hidden_scale\": 1e300, \"dim\": 8}",
            "hidden_scale");
    load_lm(good, 6, "{" LM_CONFIG ", \"dim\": 900000000}", "dim");
    load_lm(good, 6, "{" LM_CONFIG ", \"depformer_dim\": 100000000,"
            "\"max_period\": 10000, \"gating\": \"silu\","
            "\"depformer_dim_feedforward\": 100000000}", NULL);
}

/* A table with less rows than the config has words would be read beyond. */
static void conditions_without_rows(void **state)
{
    static const char prefix[] = "condition_provider.conditioners.mood.";
    static const struct { const char *shape; size_t count; const char *bins; }
        tables[] = {{"[1, 4]", 4, "0"}, {"[0, 4]", 0, "-1"}};
    char names[3][80], document[512];
    (void)state;
    snprintf(names[0], sizeof names[0], "%sembed.weight", prefix);
    snprintf(names[1], sizeof names[1], "%soutput_proj.weight", prefix);
    snprintf(names[2], sizeof names[2], "%slearnt_padding", prefix);
    for (size_t i = 0; i < 2; i++) {
        const item items[] = {LM_ITEMS,
                              {"text_linear.weight", "[6, 8]", 48},
                              {names[0], tables[i].shape, tables[i].count},
                              {names[1], "[8, 4]", 32},
                              {names[2], "[1, 1, 8]", 8}};
        snprintf(document, sizeof document,
                 "{" LM_CONFIG ", \"max_period\": 10000, \"conditioners\": "
                 "{\"mood\": {\"type\": \"lut\", \"lut\": {\"n_bins\": %s, "
                 "\"dim\": 4, \"possible_values\": [\"a\", \"b\"]}}}}",
                 tables[i].bins);
        load_lm(items, 9, document, "2 possible values");
    }
}

/* One small weight set may serve many codebooks: the file is short, the step
 * would not be. */
static void too_many_slice_layers(void **state)
{
    enum { CODEBOOKS = 64, LAYERS = 17, FIXED = 8 };
    static char names[2 * CODEBOOKS + LAYERS][64];
    static item items[FIXED + 2 * CODEBOOKS + LAYERS] = {
        LM_ITEMS,
        {"text_linear.weight", "[6, 8]", 48},
        {"depformer_in.0.weight", "[4, 8]", 32},
        {"depformer.layers.0.gating.0.linear_out.weight", "[4, 4]", 16}};
    char document[2048] = "{\"num_heads\": 2, \"context\": 10,"
        "\"positional_embedding\": \"rope\", \"max_period\": 10000,"
        "\"depformer_num_heads\": 2, \"depformer_pos_emb\": \"none\","
        "\"depformer_weights_per_step_schedule\": [0";
    size_t n = FIXED, at = strlen(document);
    (void)state;
    for (int k = 0; k < CODEBOOKS; k++) {
        snprintf(names[n - FIXED], sizeof names[0], "linears.%d.weight", k);
        items[n] = (item){names[n - FIXED], "[4, 4]", 16};
        n++;
        if (k == 0)
            continue; /* emb.0 is there */
        snprintf(names[n - FIXED], sizeof names[0], "emb.%d.weight", k);
        items[n] = (item){names[n - FIXED], "[5, 8]", 40};
        n++;
    }
    for (int j = 0; j < LAYERS; j++, n++) {
        snprintf(names[n - FIXED], sizeof names[0],
                 "depformer.layers.%d.norm1.alpha", j);
        items[n] = (item){names[n - FIXED], "[1, 1, 4]", 4};
    }
    for (int k = 1; k < CODEBOOKS; k++)
        at += (size_t)snprintf(document + at, sizeof document - at, ", 0");
    at += (size_t)snprintf(document + at, sizeof document - at,
                           "], \"delays\": [0");
    for (int k = 0; k < CODEBOOKS; k++)
        at += (size_t)snprintf(document + at, sizeof document - at, ", 0");
    snprintf(document + at, sizeof document - at, "]}");
    load_lm(items, n, document, "64 codebooks through 17 layers");
}

/* Shapes without data may be as large as they like. */
static void codec_sizes(void **state)
{
    static const item items[] = {
        {"encoder.model.0.conv.conv.weight", "[4, 1, 7]", 28},
        {"encoder.model.1.block.1.conv.conv.weight", "[2, 4, 3]", 24},
        {"decoder.model.2.convtr.convtr.weight", "[0, 1, 64]", 0},
        {"decoder.model.5.convtr.convtr.weight", "[0, 1, 64]", 0},
        {"decoder.model.8.convtr.convtr.weight", "[0, 1, 64]", 0},
        {"encoder.model.11.conv.conv.weight", "[4, 4, 3]", 48},
        {"downsample.conv.conv.conv.weight", "[0, 1, 16777216]", 0}};
    mimi_config c;
    moshi_error err = {0};
    (void)state;
    checkpoint *file = make_file(items, 7);
    assert_int_equal(mimi_config_load(&c, file, NULL, NULL, &err),
                     MOSHI_MISMATCH);
    assert_non_null(strstr(err.message, "not a usable Mimi codec"));
    bytes_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(language_model_sizes),
        cmocka_unit_test(conditions_without_rows),
        cmocka_unit_test(too_many_slice_layers),
        cmocka_unit_test(codec_sizes),
    };
    return cmocka_run_group_tests_name("model config", tests, NULL,
                                       test_folder_remove);
}
