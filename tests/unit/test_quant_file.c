/* Quantised files. Goal: for Q8_0 the tensors and the bytes of the official
 * file, from either layout; every other layout and type readable; nothing
 * written when something is wrong. Method: the small models of
 * tests/fixtures, of which the same numbers exist as PyTorch, candle and
 * official GGUF files. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../golden/golden.h"
#include "file_bytes.h"
#include "quant/encode.h"
#include "quant/file.h"

static char out[512];

static lm_model *open_at(const char *path, const char *config)
{
    moshi_error err = {0};
    lm_model *m = NULL;
    lm_model_params p = {.path = path, .config_path = config,
                         .acoustic_delay = -1};
    if (lm_model_open(&m, &p, &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    return m;
}

static quant_summary quantize(const lm_model *m, dtype type, int threads)
{
    moshi_error err = {0};
    quant_summary s = {0};
    quant_params p = {.type = type, .threads = threads, .measure = true};
    if (quant_file_write(m, out, &p, &s, &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    return s;
}

static void same_tensors(const checkpoint *a, const checkpoint *b)
{
    assert_int_equal(checkpoint_count(a), checkpoint_count(b));
    for (size_t i = 0; i < checkpoint_count(a); i++) {
        const checkpoint_tensor *x = checkpoint_at(a, i);
        const checkpoint_tensor *y = checkpoint_find(b, x->name);
        if (!y)
            fail_msg("%s is missing", x->name);
        assert_int_equal(x->type, y->type);
        assert_int_equal(x->n_dims, y->n_dims);
        assert_memory_equal(x->dims, y->dims, sizeof x->dims);
        assert_int_equal(x->n_bytes, y->n_bytes);
        if (memcmp(x->data, y->data, x->n_bytes) != 0)
            fail_msg("the bytes of %s differ", x->name);
    }
}

static void q8_0_is_the_official_file(void **state)
{
    static const char *const sources[] = {
        "lm-moshi-tiny/model.candle.safetensors",
        "lm-moshi-tiny/model.pytorch.safetensors",
        "lm-moshi-tiny/model.q8.gguf"};
    (void)state;
    checkpoint *official = golden_open("lm-moshi-tiny/model.q8.gguf");
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        lm_model *m = golden_lm(sources[i], "lm-moshi-tiny/config.json");
        quant_summary s = quantize(m, DTYPE_Q8_0, 1 + (int)i);
        assert_int_equal(s.layout, LM_LAYOUT_CANDLE);
        assert_int_equal(s.other_type, 0);
        assert_int_equal(s.left_out, 0);
        checkpoint *written = NULL;
        moshi_error err = {0};
        assert_int_equal(checkpoint_open(&written, out, &err), MOSHI_OK);
        assert_int_equal(checkpoint_kind(written), CHECKPOINT_GGUF);
        same_tensors(written, official);
        checkpoint_close(&written);
        lm_model_close(&m);
    }
    checkpoint_close(&official);
    unlink(out);
}

/* From bf16 the numbers are others, but the tensors are the same. */
static void bfloat_sources(void **state)
{
    (void)state;
    lm_model *m = golden_lm("lm-moshi-tiny/model.candle.bf16.safetensors",
                            "lm-moshi-tiny/config.json");
    quantize(m, DTYPE_Q8_0, 1);
    lm_model *q = open_at(out, golden_path("lm-moshi-tiny/config.json"));
    for (size_t i = 0; i < checkpoint_count(m->file); i++) {
        const checkpoint_tensor *from = checkpoint_at(m->file, i);
        const checkpoint_tensor *to = checkpoint_find(q->file, from->name);
        assert_non_null(to);
        assert_int_equal(to->type, from->n_dims == 2 ? DTYPE_Q8_0 : DTYPE_F32);
    }
    lm_model_close(&q);
    lm_model_close(&m);
    unlink(out);
}

/* Every type of every model can be opened as the original can. */
static void all_types_of_all_models(void **state)
{
    static const struct {
        const char *model, *config;
        lm_layout layout;
    } models[] = {
        {"lm-moshi-tiny/model.candle.safetensors",
         "lm-moshi-tiny/config.json", LM_LAYOUT_CANDLE},
        {"lm-moshi-tiny/model.pytorch.safetensors",
         "lm-moshi-tiny/config.json", LM_LAYOUT_CANDLE},
        {"lm-hibiki-tiny/model.pytorch.safetensors",
         "lm-hibiki-tiny/config.json", LM_LAYOUT_CANDLE},
        /* Codebooks share weights: the names stay. */
        {"lm-tts-tiny/model.pytorch.safetensors",
         "lm-tts-tiny/config.json", LM_LAYOUT_PYTORCH},
        {"lm-stt-tiny/model.safetensors", "lm-stt-tiny/config.json",
         LM_LAYOUT_PLAIN},
    };
    static const dtype types[] = {DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_Q4_K,
                                  DTYPE_Q5_K, DTYPE_Q6_K, DTYPE_F16,
                                  DTYPE_BF16, DTYPE_F32};
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        lm_model *m = golden_lm(models[i].model, models[i].config);
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
            quant_summary s = quantize(m, types[t], 1);
            assert_int_equal(s.layout, models[i].layout);
            assert_int_equal(s.left_out, 0);
            lm_model *q = open_at(out, golden_path(models[i].config));
            assert_int_equal(q->layout, models[i].layout);
            assert_int_equal(q->plain.plan->n_tensors > 0, 1);
            lm_model_close(&q);
        }
        lm_model_close(&m);
    }
    unlink(out);
}

typedef struct reports {
    size_t n, other;
    double worst;
    uint64_t from, to;
} reports;

static void collect(void *user, const quant_report *t)
{
    reports *r = user;
    r->n++;
    r->other += t->n_dims == 2 && t->to != t->wanted;
    r->from += t->bytes_from;
    r->to += t->bytes_to;
    if (t->to == DTYPE_F32)
        assert_true(t->rms == 0 && t->most == 0);
    r->worst = t->rms > r->worst ? t->rms : r->worst;
}

static void errors_are_reported(void **state)
{
    (void)state;
    lm_model *m = golden_lm("lm-moshi-tiny/model.candle.safetensors",
                            "lm-moshi-tiny/config.json");
    quant_summary s = {0};
    moshi_error err = {0};
    reports r = {0};
    quant_params p = {.type = DTYPE_Q4_K, .threads = 2, .measure = true,
                      .tensor = collect, .user = &r};
    assert_int_equal(quant_file_write(m, out, &p, &s, &err), MOSHI_OK);
    assert_int_equal(r.n, checkpoint_count(m->file));
    assert_int_equal(r.n, s.tensors);
    assert_int_equal(r.other, s.other_type); /* rows of 64: all of them */
    assert_true(r.other > 100);
    assert_int_equal(r.from, s.bytes_from);
    assert_int_equal(r.to, s.bytes_to);
    assert_true(r.worst > 0.05 && r.worst < 0.12);
    /* The same errors for any number of threads. */
    reports again = {0};
    p.threads = 1;
    p.user = &again;
    assert_int_equal(quant_file_write(m, out, &p, &s, &err), MOSHI_OK);
    assert_true(again.worst == r.worst);
    lm_model_close(&m);
    unlink(out);
}

static void own_file_is_refused(void **state)
{
    char link_path[512];
    (void)state;
    lm_model *m = golden_lm("lm-moshi-tiny/model.candle.safetensors",
                            "lm-moshi-tiny/config.json");
    quantize(m, DTYPE_F32, 1);
    lm_model_close(&m);
    m = open_at(out, golden_path("lm-moshi-tiny/config.json"));
    snprintf(link_path, sizeof link_path, "%s.link", out);
    unlink(link_path);
    assert_int_equal(symlink(out, link_path), 0);
    const char *const paths[] = {out, link_path};
    for (int i = 0; i < 2; i++) {
        moshi_error err = {0};
        quant_summary s = {.tensors = 77};
        quant_params p = {.type = DTYPE_Q8_0, .threads = 1};
        assert_int_equal(quant_file_write(m, paths[i], &p, &s, &err),
                         MOSHI_ARGUMENT);
        assert_non_null(strstr(err.message, "the file that is read"));
        assert_int_equal(s.tensors, 77); /* left alone */
    }
    lm_model_close(&m);
    unlink(link_path);
    unlink(out);
}

/* A number that is none spoils its block: such a file is refused by name, and
 * what was there before stays. */
static void numbers_that_are_none(void **state)
{
    (void)state;
    checkpoint *good = golden_open("lm-moshi-tiny/model.candle.safetensors");
    size_t n = checkpoint_file_bytes(good), at = 0;
    unsigned char *bytes = malloc(n);
    const checkpoint_tensor *t = checkpoint_find(
        good, "transformer.layers.1.gating.linear_in.weight");
    FILE *f = fopen(checkpoint_path(good), "rb");
    assert_true(bytes && t && f && fread(bytes, 1, n, f) == n);
    fclose(f);
    for (; at + t->n_bytes <= n; at++) /* the data begins somewhere behind */
        if (memcmp(bytes + at, t->data, t->n_bytes) == 0)
            break;
    const float bad = NAN;
    memcpy(bytes + at + 400, &bad, sizeof bad);
    checkpoint_close(&good);

    checkpoint *file = NULL;
    lm_model *m = NULL;
    value *config = NULL;
    moshi_error err = {0};
    const char *path = golden_path("lm-moshi-tiny/config.json");
    lm_model_params lp = {.config_path = path, .acoustic_delay = -1};
    assert_int_equal(checkpoint_open_memory(&file, bytes, n, "sick", &err), 0);
    assert_int_equal(value_open(&config, path, &err), 0);
    assert_int_equal(lm_model_from_checkpoint(&m, &file, config, &lp, &err), 0);
    value_close(&config);
    f = fopen(out, "w");
    assert_true(f && fputs("before", f) >= 0 && fclose(f) == 0);
    quant_params p = {.type = DTYPE_Q8_0, .threads = 1};
    assert_int_equal(quant_file_write(m, out, &p, NULL, &err), MOSHI_FORMAT);
    assert_non_null(strstr(err.message,
                           "transformer.layers.1.gating.linear_in.weight"));
    char text[16] = {0};
    f = fopen(out, "r");
    assert_true(f && fread(text, 1, 15, f) == 6);
    fclose(f);
    assert_string_equal(text, "before");
    lm_model_close(&m);
    free(bytes);
    unlink(out);
}

static void wishes_that_cannot_be(void **state)
{
    (void)state;
    moshi_error err = {0};
    lm_model *m = golden_lm("lm-stt-tiny/model.safetensors",
                            "lm-stt-tiny/config.json");
    quant_params p = {.type = DTYPE_I32, .threads = 1};
    assert_int_equal(quant_file_write(m, out, &p, NULL, &err), MOSHI_ARGUMENT);
    p.type = DTYPE_Q8_0;
    assert_int_equal(quant_file_write(m, "/nowhere/x.gguf", &p, NULL, &err),
                     MOSHI_IO);
    lm_model_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(q8_0_is_the_official_file),
        cmocka_unit_test(bfloat_sources),
        cmocka_unit_test(all_types_of_all_models),
        cmocka_unit_test(errors_are_reported),
        cmocka_unit_test(own_file_is_refused),
        cmocka_unit_test(numbers_that_are_none),
        cmocka_unit_test(wishes_that_cannot_be),
    };
    snprintf(out, sizeof out, "%s", test_path("quantised.gguf"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
