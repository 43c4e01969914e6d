/* test_lm_known.c: every published model opens by its shapes alone.
 *
 * Goal: for each preset the layout, the known model, delays, schedule and
 * conditions are found without a config; the official config.json and candle's
 * TOML are accepted; one of another model is refused with both sides named.
 * Method: files of full size whose data is a hole: the real header is written
 * and the file made as long as it should be, so nothing fills the disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "files/tensor_header.h"
#include "files/value.h"
#include "lab/synth.h"
#include "lm/config_load.h"
#include "lm/model.h"

static char path[64];

/* Skips the test in a build without toml++. */
static void need_toml(void)
{
    value *v = NULL;
    if (value_parse_toml(&v, "", 0, "probe", NULL) == MOSHI_LACKING)
        skip();
    value_close(&v);
}

/* A file with the preset's header and no data; path names it. */
static void make_hollow(const char *name)
{
    const synth_preset *preset = synth_presets_find(name);
    moshi_error err = {0};
    tensor_spec *specs = NULL;
    size_t count;
    assert_non_null(preset);
    assert_int_equal(synth_specs(preset, &specs, &count, &err), MOSHI_OK);
    size_t bytes = tensor_header_build(preset->format, specs, count, NULL);
    unsigned char *header = memory_calloc(bytes, 1);
    assert_int_equal(tensor_header_build(preset->format, specs, count, header),
                     bytes);
    snprintf(path, sizeof path, "/tmp/moshi-hollow-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, header, bytes), (ssize_t)bytes);
    assert_int_equal(ftruncate(fd, (off_t)tensor_writer_file_bytes(
                                       preset->format, specs, count)), 0);
    close(fd);
    memory_free(header);
    memory_free(specs);
}

static lm_model *open_hollow(const char *config)
{
    moshi_error err = {0};
    lm_model *m = NULL;
    lm_model_params p = {.path = path, .config_path = config,
                         .acoustic_delay = -1};
    if (lm_model_open(&m, &p, &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    return m;
}

static const struct {
    const char *preset, *known_as;
    lm_layout layout;
    int delay, heads, context, period, sets, conditions;
    lm_positions positions;
} published[] = {
    {"moshi-7b", "moshi-7b", LM_LAYOUT_CANDLE, 1, 32, 3000, 10000, 8, 0,
     LM_POSITIONS_ROPE},
    {"moshi-7b-q8", "moshi-7b", LM_LAYOUT_CANDLE, 1, 32, 3000, 10000, 8, 0,
     LM_POSITIONS_ROPE},
    {"moshi-7b-pytorch", "moshi-7b", LM_LAYOUT_PYTORCH, 1, 32, 3000, 10000, 8,
     0, LM_POSITIONS_ROPE},
    {"hibiki-1b", "hibiki-1b", LM_LAYOUT_CANDLE, 2, 16, 3000, 100000, 8, 1,
     LM_POSITIONS_ROPE},
    {"hibiki-1b-q8", "hibiki-1b", LM_LAYOUT_CANDLE, 2, 16, 3000, 100000, 8, 1,
     LM_POSITIONS_ROPE},
    {"hibiki-2b", "hibiki-2b", LM_LAYOUT_PYTORCH, 2, 20, 3000, 100000, 9, 1,
     LM_POSITIONS_ROPE},
    {"hibiki-zero-3b", "hibiki-zero-3b", LM_LAYOUT_PYTORCH, 2, 16, 3000, 20000,
     9, 0, LM_POSITIONS_ROPE_CONCAT},
    {"stt-1b", "stt-1b", LM_LAYOUT_PLAIN, 0, 16, 750, 100000, 0, 0,
     LM_POSITIONS_ROPE},
    {"stt-1b-candle", "stt-1b", LM_LAYOUT_PLAIN, 0, 16, 750, 100000, 0, 0,
     LM_POSITIONS_ROPE},
    {"stt-2.6b", "stt-2.6b", LM_LAYOUT_PLAIN, 0, 32, 375, 100000, 0, 0,
     LM_POSITIONS_ROPE},
    {"tts-1.6b", "tts-1.6b", LM_LAYOUT_PYTORCH, 2, 16, 500, 10000, 11, 3,
     LM_POSITIONS_ROPE},
    {"tts-0.75b", "tts-0.75b", LM_LAYOUT_PYTORCH, 2, 16, 500, 10000, 9, 0,
     LM_POSITIONS_ROPE},
};

static void by_shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        make_hollow(published[i].preset);
        lm_model *m = open_hollow(NULL);
        const lm_config *c = &m->config;
        printf("  %s: %zu operations, %.1f MB of state, %.0f MB of weights "
               "copied\n", published[i].preset, m->plain.plan->n_ops,
               (double)m->plain.plan->state_bytes * 1e-6,
               (double)weights_store_bytes(m->store) * 1e-6);
        assert_non_null(c->known_as);
        assert_string_equal(c->known_as, published[i].known_as);
        assert_int_equal(m->layout, published[i].layout);
        assert_int_equal(m->acoustic_delay_own, published[i].delay);
        assert_int_equal(c->num_heads, published[i].heads);
        assert_int_equal(c->context, published[i].context);
        assert_int_equal(c->max_period, published[i].period);
        assert_int_equal(c->depformer_sets, published[i].sets);
        assert_int_equal(c->n_conditioners, published[i].conditions);
        assert_int_equal(c->positions, published[i].positions);
        /* The weights stay where they are: only norms and tables are copied. */
        assert_true(weights_store_bytes(m->store) < (size_t)48 << 20);
        lm_model_close(&m);
        unlink(path);
    }
}

static char *write_config(const char *text, const char *suffix)
{
    static char name[80];
    snprintf(name, sizeof name, "/tmp/moshi-known-%d%s", (int)getpid(),
             suffix);
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return name;
}

/* The keys of candle's TOML for Hibiki 1B; it carries no delays. */
static const char hibiki_toml[] =
    "text_in_vocab_size = 48001\ntext_out_vocab_size = 48000\n"
    "audio_vocab_size = 2049\naudio_codebooks = 16\n"
    "[transformer]\nd_model = 2048\nnum_heads = 16\nnum_layers = 16\n"
    "dim_feedforward = 8192\ncausal = true\nnorm_first = true\n"
    "bias_ff = false\nbias_attn = false\ncontext = 3000\n"
    "max_period = 100000\ngating = \"silu\"\nnorm = \"RmsNorm\"\n"
    "positional_embedding = \"Rope\"\nkv_repeat = 1\nmax_seq_len = 4096\n"
    "[depformer]\nnum_slices = 8\n"
    "[depformer.transformer]\nd_model = 1024\nnum_heads = 16\n"
    "num_layers = 6\ndim_feedforward = 4096\ngating = \"silu\"\n"
    "norm = \"RmsNorm\"\npositional_embedding = \"None\"\n"
    "[conditioners.description]\ntype = \"Lut\"\nn_bins = 31\ndim = 16\n"
    "possible_values = [\"very_bad\", \"bad\", \"neutral\", \"good\", "
    "\"very_good\"]\n";

static void candle_toml(void **state)
{
    (void)state;
    need_toml();
    make_hollow("hibiki-1b");
    char *config = write_config(hibiki_toml, ".toml");
    lm_model *m = open_hollow(config);
    const lm_config *c = &m->config;
    assert_int_equal(c->from[LM_FIELD_context], LM_FROM_CONFIG);
    assert_int_equal(c->from[LM_FIELD_delays], LM_FROM_PRESET);
    assert_int_equal(m->acoustic_delay_own, 2);
    assert_int_equal(c->hidden, 5632);
    assert_int_equal(c->conditioners[0].n_values, 5);
    assert_string_equal(c->conditioners[0].values[4], "very_good");
    lm_model_close(&m);
    unlink(path);
    /* The same config for the 7B model: both sides are named, and what fits. */
    make_hollow("moshi-7b-q8");
    moshi_error err = {0};
    lm_model_params p = {.path = path, .config_path = config,
                         .acoustic_delay = -1};
    assert_int_equal(lm_model_open(&m, &p, &err), MOSHI_MISMATCH);
    printf("  %s\n", err.message);
    assert_non_null(strstr(err.message, "[32001, 4096]"));
    assert_non_null(strstr(err.message, "moshi-7b"));
    assert_non_null(strstr(err.message, config));
    unlink(path);
    unlink(config);
}

static void another_vocabulary(void **state)
{
    (void)state;
    moshi_error err = {0};
    lm_model *m = NULL;
    need_toml();
    make_hollow("moshi-7b-q8");
    char *config = write_config("text_in_vocab_size = 48001\n", ".toml");
    lm_model_params p = {.path = path, .config_path = config,
                         .acoustic_delay = -1};
    assert_int_equal(lm_model_open(&m, &p, &err), MOSHI_MISMATCH);
    printf("  %s\n", err.message);
    assert_non_null(strstr(err.message, "tensor text_emb.weight is [32001, "
                                        "4096]"));
    assert_non_null(strstr(err.message, "text_in_vocab_size = 48001"));
    assert_non_null(strstr(err.message, "matches the known model moshi-7b"));
    unlink(path);
    unlink(config);
}

/* A model that nobody knows, with a config that has no delays: the option
 * stands for them. */
static void delay_of_an_unknown_model(void **state)
{
    (void)state;
    static const char keys[] =
        "text_in_vocab_size = 97\n[transformer]\nnum_heads = 4\n"
        "context = 24\nmax_period = 10000\npositional_embedding = \"Rope\"\n"
        "[depformer.transformer]\nnum_heads = 2\n"
        "positional_embedding = \"None\"\n";
    moshi_error err = {0};
    lm_model *m = NULL;
    need_toml();
    char *config = write_config(keys, ".toml");
    make_hollow("tiny");
    lm_model_params p = {.path = path, .config_path = config,
                         .acoustic_delay = -1};
    assert_int_equal(lm_model_open(&m, &p, &err), MOSHI_MISMATCH);
    assert_non_null(strstr(err.message, "delays"));
    p.acoustic_delay = 1;
    if (lm_model_open(&m, &p, &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    assert_int_equal(m->config.delays[1], 0);
    assert_int_equal(m->config.delays[2], 1);
    assert_int_equal(m->config.from[LM_FIELD_delays], LM_FROM_OPTION);
    lm_model_close(&m);
    unlink(path);
    unlink(config);
}

/* Options override; what is out of range is refused. */
static void delay_option(void **state)
{
    (void)state;
    moshi_error err = {0};
    lm_model *m = NULL;
    make_hollow("hibiki-1b");
    lm_model_params p = {.path = path, .acoustic_delay = 1};
    assert_int_equal(lm_model_open(&m, &p, &err), MOSHI_OK);
    assert_int_equal(lm_config_acoustic_delay(&m->config), 1);
    assert_int_equal(m->acoustic_delay_own, 2);
    assert_int_equal(m->config.delays[1], 0);
    assert_int_equal(m->config.delays[9], 0);
    assert_int_equal(m->config.delays[16], 1);
    lm_model_close(&m);
    p.acoustic_delay = 1000;
    assert_int_equal(lm_model_open(&m, &p, &err), MOSHI_ARGUMENT);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_shapes),
        cmocka_unit_test(candle_toml),
        cmocka_unit_test(another_vocabulary),
        cmocka_unit_test(delay_of_an_unknown_model),
        cmocka_unit_test(delay_option),
    };
    return cmocka_run_group_tests_name("known models", tests, NULL, NULL);
}
