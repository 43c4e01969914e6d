/* Known models. Goal: every row of the table is complete and consistent, and
 * a model is found again by its shapes. Method: rules that hold for all rows,
 * then the values that differ between models (docs/FORMATS.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lm/known_models.h"

static const lm_config *config_of(const char *name)
{
    const known_model *known = known_models_find(name);
    assert_non_null(known);
    return &known->config;
}

static void find_gives_the_named_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < known_models_count(); i++) {
        const known_model *known = known_models_at(i);
        assert_ptr_equal(known_models_find(known->name), known);
        assert_string_equal(known->config.known_as, known->name);
        assert_true(strlen(known->about) > 0);
    }
    assert_null(known_models_find("moshi-8b"));
    assert_null(known_models_find(""));
}

static void every_field_is_said_by_the_preset(void **state)
{
    (void)state;
    for (size_t i = 0; i < known_models_count(); i++)
        for (int f = 0; f < LM_FIELD_COUNT; f++)
            assert_int_equal(known_models_at(i)->config.from[f],
                             LM_FROM_PRESET);
}

static void sizes_are_consistent(void **state)
{
    (void)state;
    for (size_t i = 0; i < known_models_count(); i++) {
        const lm_config *c = &known_models_at(i)->config;
        assert_true(c->dim > 0 && c->num_layers > 0 && c->hidden > 0);
        assert_int_equal(c->dim % c->num_heads, 0);
        assert_int_equal(c->dim / c->num_heads % 2, 0);
        assert_int_equal(c->num_heads % c->kv_repeat, 0);
        assert_true(c->context > 0 && c->max_period > 0);
        assert_true(c->text_in > c->text_out && c->text_out > c->text_pad);
        assert_int_equal(c->card, 2048);
        assert_true(c->n_q >= c->dep_q && c->n_q <= LIMIT_CODEBOOKS);
        assert_int_equal(c->text_pad, 3);
        assert_int_equal(c->text_end_pad, 0);
        assert_int_equal(c->norm, LM_RMS_NORM);
        assert_int_equal(c->gated, 1);
    }
}

static void depformers_are_consistent(void **state)
{
    (void)state;
    for (size_t i = 0; i < known_models_count(); i++) {
        const lm_config *c = &known_models_at(i)->config;
        int most = -1;
        for (int k = 0; k < c->dep_q; k++) {
            /* Sets are numbered as they first occur. */
            assert_in_range(c->schedule[k], 0, most + 1);
            if (c->schedule[k] > most)
                most = c->schedule[k];
        }
        assert_int_equal(most + 1, c->depformer_sets);
        assert_int_equal(c->depformer_dim, c->dep_q ? 1024 : 0);
        assert_int_equal(c->depformer_num_heads, c->dep_q ? 16 : 0);
        assert_int_equal(c->depformer_gated, c->dep_q > 0);
        assert_int_equal(c->depformer_positions, LM_POSITIONS_NONE);
    }
}

/* Text and the first codebook of each stream have no delay, the others d. */
static void check_delays(const char *name, int stream, int d)
{
    const lm_config *c = config_of(name);
    assert_int_equal(c->n_q % stream, 0);
    assert_int_equal(c->delays[0], 0);
    for (int k = 0; k < c->n_q; k++)
        assert_int_equal(c->delays[1 + k], k % stream ? d : 0);
    for (int k = c->n_q; k < LIMIT_CODEBOOKS; k++)
        assert_int_equal(c->delays[1 + k], 0);
}

static void delays_are_those_of_the_model(void **state)
{
    (void)state;
    check_delays("moshi-7b", 8, 1);
    check_delays("personaplex-7b", 8, 1);
    check_delays("moshi-dev-2b", 16, 2);
    check_delays("hibiki-1b", 8, 2);
    check_delays("hibiki-2b", 16, 2);
    check_delays("hibiki-zero-3b", 16, 2);
    check_delays("stt-1b", 32, 0);
    check_delays("stt-2.6b", 32, 0);
    check_delays("asr-300m", 32, 0);
    check_delays("tts-1.6b", 32, 2);
    check_delays("tts-0.75b", 16, 2);
}

static void shapes_do_not_tell_these(void **state)
{
    static const struct {
        const char *name;
        int head_dim, context, max_period;
        lm_positions positions;
    } rows[] = {
        {"moshi-7b", 128, 3000, 10000, LM_POSITIONS_ROPE},
        {"personaplex-7b", 128, 3000, 10000, LM_POSITIONS_ROPE},
        {"moshi-dev-2b", 128, 3000, 100000, LM_POSITIONS_ROPE},
        {"hibiki-1b", 128, 3000, 100000, LM_POSITIONS_ROPE},
        {"hibiki-2b", 128, 3000, 100000, LM_POSITIONS_ROPE},
        {"hibiki-zero-3b", 128, 3000, 20000, LM_POSITIONS_ROPE_CONCAT},
        {"stt-1b", 128, 750, 100000, LM_POSITIONS_ROPE},
        {"stt-2.6b", 64, 375, 100000, LM_POSITIONS_ROPE},
        {"asr-300m", 128, 750, 100000, LM_POSITIONS_ROPE},
        {"tts-1.6b", 128, 500, 10000, LM_POSITIONS_ROPE},
        {"tts-0.75b", 64, 500, 10000, LM_POSITIONS_ROPE},
    };
    (void)state;
    assert_int_equal(sizeof rows / sizeof *rows, known_models_count());
    for (size_t i = 0; i < known_models_count(); i++) {
        const lm_config *c = config_of(rows[i].name);
        assert_int_equal(c->dim / c->num_heads, rows[i].head_dim);
        assert_int_equal(c->context, rows[i].context);
        assert_int_equal(c->max_period, rows[i].max_period);
        assert_int_equal(c->positions, rows[i].positions);
    }
}

static void shared_sets_are_scheduled(void **state)
{
    static const int tts[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8,
                              8, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9,
                              9, 9, 10, 10, 10, 10, 10, 10, 10, 10};
    (void)state;
    assert_memory_equal(config_of("tts-1.6b")->schedule, tts, sizeof tts);
    /* The others that share are the beginning of the same list. */
    assert_memory_equal(config_of("tts-0.75b")->schedule, tts,
                        16 * sizeof *tts);
    assert_memory_equal(config_of("hibiki-2b")->schedule, tts,
                        16 * sizeof *tts);
    assert_memory_equal(config_of("hibiki-zero-3b")->schedule, tts,
                        16 * sizeof *tts);
}

static void hibiki_has_a_description(void **state)
{
    static const char *const values[] = {"very_bad", "bad", "neutral", "good",
                                         "very_good"};
    static const char *const names[] = {"hibiki-1b", "hibiki-2b",
                                        "moshi-dev-2b"};
    (void)state;
    for (size_t m = 0; m < sizeof names / sizeof *names; m++) {
        const lm_config *c = config_of(names[m]);
        assert_int_equal(c->n_conditioners, 1);
        const lm_conditioner *d = &c->conditioners[0];
        assert_string_equal(d->name, "description");
        assert_int_equal(d->kind, LM_CONDITIONER_LUT);
        assert_int_equal(d->n_bins, 31);
        assert_int_equal(d->dim, 16);
        assert_int_equal(d->n_values, 5);
        assert_false(d->cross);
        for (int i = 0; i < 5; i++)
            assert_string_equal(d->values[i], values[i]);
    }
    assert_int_equal(config_of("moshi-7b")->n_conditioners, 0);
    assert_int_equal(config_of("hibiki-zero-3b")->n_conditioners, 0);
}

static void speech_synthesis_has_three_conditioners(void **state)
{
    (void)state;
    const lm_config *c = config_of("tts-1.6b");
    assert_int_equal(c->n_conditioners, 3);
    const lm_conditioner *voice = &c->conditioners[0];
    const lm_conditioner *cfg = &c->conditioners[1];
    const lm_conditioner *control = &c->conditioners[2];
    assert_string_equal(voice->name, "speaker_wavs");
    assert_int_equal(voice->kind, LM_CONDITIONER_TENSOR);
    assert_int_equal(voice->dim, 512);
    assert_true(voice->cross);
    assert_string_equal(cfg->name, "cfg");
    assert_int_equal(cfg->n_values, 7);
    assert_string_equal(cfg->values[0], "1.0");
    assert_string_equal(cfg->values[6], "4.0");
    assert_string_equal(control->name, "control");
    assert_int_equal(control->n_values, 1);
    assert_string_equal(control->values[0], "ok");
    assert_true(c->cross_positions);
    assert_true(c->cross_position_scale == 1.0f);
    assert_int_equal(c->cross_attention, 1);
    assert_int_equal(c->demux, 1);
    assert_int_equal(config_of("tts-0.75b")->n_conditioners, 0);
    assert_int_equal(config_of("tts-0.75b")->text_out, 5);
}

static void match_finds_every_model(void **state)
{
    (void)state;
    for (size_t i = 0; i < known_models_count(); i++) {
        const known_model *known = known_models_at(i);
        assert_ptr_equal(known_models_match(&known->config), known);
    }
}

static void match_needs_sets_only_in_doubt(void **state)
{
    (void)state;
    lm_config c = *config_of("tts-1.6b");
    c.depformer_sets = 32; /* a candle file: one set for each codebook */
    assert_ptr_equal(known_models_match(&c), known_models_find("tts-1.6b"));
    c = *config_of("hibiki-2b");
    c.depformer_sets = 16;
    assert_ptr_equal(known_models_match(&c),
                     known_models_find("moshi-dev-2b"));
    c.depformer_sets = 12;
    assert_null(known_models_match(&c));
}

static void match_refuses_another_outline(void **state)
{
    (void)state;
    lm_config c = *config_of("moshi-7b");
    int *fields[] = {&c.dim, &c.num_layers, &c.text_in, &c.n_q, &c.dep_q};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        (*fields[i])++;
        assert_null(known_models_match(&c));
        (*fields[i])--;
    }
    assert_non_null(known_models_match(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_gives_the_named_row),
        cmocka_unit_test(every_field_is_said_by_the_preset),
        cmocka_unit_test(sizes_are_consistent),
        cmocka_unit_test(depformers_are_consistent),
        cmocka_unit_test(delays_are_those_of_the_model),
        cmocka_unit_test(shapes_do_not_tell_these),
        cmocka_unit_test(shared_sets_are_scheduled),
        cmocka_unit_test(hibiki_has_a_description),
        cmocka_unit_test(speech_synthesis_has_three_conditioners),
        cmocka_unit_test(match_finds_every_model),
        cmocka_unit_test(match_needs_sets_only_in_doubt),
        cmocka_unit_test(match_refuses_another_outline),
    };
    return cmocka_run_group_tests_name("known_models", tests, NULL, NULL);
}
