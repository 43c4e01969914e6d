/* test_official.c: the official repository's own language-model test.
 *
 * Goal: logits of every position within 1e-5 and the mean cross-entropy
 * within a relative 1e-6, as the official test asks. Method: its three data
 * files, teacher-forced step by step; they are not ours to ship, so the test
 * is skipped (exit 77) where $MOSHI_SHARED/golden/official-test-lm is not.
 * The only fixture with layer norm, sinusoids and an ungated feed-forward. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "golden.h"
#include "lm/stream.h"

#define BATCH 3
#define K 3
#define T 7
#define CARD 32
#define TEXT_CARD 48

static const char config_text[] =
    "{\"dim\": 16, \"num_heads\": 1, \"num_layers\": 2, \"hidden_scale\": 1,"
    " \"context\": 4, \"norm\": \"layer_norm\", \"gating\": \"none\","
    " \"positional_embedding\": \"sin\", \"text_card\": 48, \"card\": 32,"
    " \"n_q\": 3, \"dep_q\": 3, \"delays\": [0, 1, 2, 4],"
    " \"depformer_dim\": 16, \"depformer_num_heads\": 1,"
    " \"depformer_num_layers\": 2, \"depformer_gating\": \"silu\","
    " \"depformer_pos_emb\": \"sin\", \"depformer_low_rank_embeddings\": 8,"
    " \"depformer_weights_per_step_schedule\": [0, 1, 1]}";

static char folder[900];

static bool find_folder(void)
{
    const char *shared = getenv("MOSHI_SHARED");
    snprintf(folder, sizeof folder, "%s/golden/official-test-lm",
             shared ? shared : "");
    return shared && access(folder, R_OK) == 0;
}

static checkpoint *open_file(const char *name)
{
    char path[1024];
    checkpoint *file = NULL;
    moshi_error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (checkpoint_open(&file, path, &err))
        fail_msg("%s", err.message);
    return file;
}

static lm_model *open_model(void)
{
    char path[1024], config[] = "/tmp/moshi-config-XXXXXX";
    moshi_error err = {0};
    lm_model *m = NULL;
    int fd = mkstemp(config);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, config_text, sizeof config_text - 1),
                     sizeof config_text - 1);
    close(fd);
    snprintf(path, sizeof path, "%s/test_lm_model.safetensors", folder);
    lm_model_params p = {.path = path, .config_path = config,
                         .acoustic_delay = -1};
    moshi_status status = lm_model_open(&m, &p, &err);
    unlink(config);
    if (status != MOSHI_OK)
        fail_msg("%s", err.message);
    return m;
}

/* codes[0 … K][T] of one item, un-delayed; column t of the delayed grid. */
static int32_t grid(const int64_t *codes, int row, int delay, int t)
{
    int32_t initial = row == 0 ? TEXT_CARD : CARD;
    return t <= delay ? initial : (int32_t)codes[row * T + t - 1 - delay];
}

static double cross_entropy(const float *logits, size_t n, int64_t target)
{
    double top = logits[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        top = logits[i] > top ? logits[i] : top;
    for (size_t i = 0; i < n; i++)
        sum += exp(logits[i] - top);
    return log(sum) + top - logits[target];
}

static void official(void **state)
{
    (void)state;
    backend *be = golden_backend(1);
    moshi_error err = {0};
    lm_model *m = open_model();
    lm_runner *r = NULL;
    checkpoint *codes_file = open_file("test_lm_codes.safetensors");
    checkpoint *out_file = open_file("test_lm_out.safetensors");
    const int64_t *codes = golden_tensor(codes_file, "codes")->data;
    const float *want = golden_floats(out_file, "logits", NULL);
    const float *want_text = golden_floats(out_file, "text_logits", NULL);
    static const int delays[] = {0, 1, 2, 4};
    double worst = 0, ours = 0, theirs = 0;
    size_t compared = 0;
    float text[TEXT_CARD], audio[K][CARD];
    golden_tap taps[] = {{"text_linear", text, TEXT_CARD, 0},
                         {"depformer.0.linear_out", audio[0], CARD, 0},
                         {"depformer.1.linear_out", audio[1], CARD, 0},
                         {"depformer.2.linear_out", audio[2], CARD, 0}};
    golden_taps record = {be, m->plain.plan, taps, 4};
    plan_hook hook = {golden_record, &record, NULL};
    lm_stream_params params = {0};

    assert_int_equal(lm_runner_open(&r, m, be, false, 1, &err), 0);
    for (int b = 0; b < BATCH; b++) {
        const int64_t *item = codes + b * (1 + K) * T;
        lm_stream *s = NULL;
        assert_int_equal(lm_stream_open(&s, m, be, &params, &err), 0);
        for (int t = 0; t < T; t++) {
            int32_t forced[1 + K], tokens[1 + K], *out = tokens, none = 0;
            const int32_t *force = forced, *user = &none;
            for (int k = 0; k <= K; k++)
                forced[k] = grid(item, k, delays[k], t + 1);
            assert_int_equal(lm_step(r, &s, 1, &user, &force, &out, &hook), 0);
            const float *row = want_text + (b * T + t) * TEXT_CARD;
            double e = golden_error(text, row, TEXT_CARD);
            worst = e > worst ? e : worst;
            ours += cross_entropy(text, TEXT_CARD, item[t]);
            theirs += cross_entropy(row, TEXT_CARD, item[t]);
            for (int k = 0; k < K; k++) {
                int frame = t - delays[1 + k];
                if (frame < 0)
                    continue;
                row = want + ((b * K + k) * T + frame) * CARD;
                e = golden_error(audio[k], row, CARD);
                worst = e > worst ? e : worst;
                ours += cross_entropy(audio[k], CARD,
                                      item[(1 + k) * T + frame]);
                theirs += cross_entropy(row, CARD, item[(1 + k) * T + frame]);
                compared++;
            }
        }
        lm_stream_close(&s);
    }
    assert_int_equal(compared, BATCH * (6 + 5 + 3));
    golden_expect("official test, logits", worst, 1e-5);
    golden_expect("official test, cross-entropy (relative)",
                  fabs(ours - theirs) / theirs, 1e-6);
    checkpoint_close(&codes_file);
    checkpoint_close(&out_file);
    lm_runner_close(&r);
    lm_model_close(&m);
    be->close(&be);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(official)};
    if (!find_folder()) {
        printf("SKIPPED: the official test data is not here "
               "($MOSHI_SHARED/golden/official-test-lm)\n");
        return 77;
    }
    return cmocka_run_group_tests_name("golden official", tests, NULL, NULL);
}
