/* lm_run.c: the runs behind the golden tests of the language models.
 *
 * Logits are taken by a hook on the plan, under the names of the operations:
 * what the tests see is what a trace would record. */
#include "lm_run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOGITS_BOUND 1e-3

typedef struct run {
    backend *be;
    lm_model *model;
    lm_stream *stream;
    lm_runner *runner;
    golden_taps taps;
    golden_tap list[3 + 2 * LIMIT_CODEBOOKS]; /* text, ys, logits, heads */
    char names[3 + 2 * LIMIT_CODEBOOKS][64];
    int n_heads;
} run;

static void add_tap(run *r, size_t n, const char *format, int k)
{
    size_t i = r->taps.n_taps++;
    if (k < 0)
        snprintf(r->names[i], sizeof r->names[i], "%s", format);
    else
        snprintf(r->names[i], sizeof r->names[i], "%s.%d", format, k);
    r->list[i] = (golden_tap){r->names[i], calloc(n, sizeof(float)), n, 0};
}

/* Taps 0: text logits, 1: ys, 2 … 2+K: audio logits, then extra heads. */
static void add_taps(run *r, bool guided)
{
    const lm_config *c = &r->model->config;
    size_t branches = guided ? 2 : 1;
    add_tap(r, (size_t)c->text_out, guided ? "text_linear.guided"
                                           : "text_linear", -1);
    add_tap(r, branches * (size_t)c->dim, "out_norm", -1);
    for (int k = 0; k < c->dep_q; k++) {
        add_tap(r, (size_t)c->card, "", -1);
        snprintf(r->names[2 + k], sizeof r->names[0],
                 guided ? "depformer.%d.linear_out.guided"
                        : "depformer.%d.linear_out", k);
    }
    for (int i = 0; i < c->extra_heads; i++)
        add_tap(r, (size_t)c->extra_heads_dim, "extra_heads", i);
}

static void open_run(run *r, const lm_case *c)
{
    moshi_error err = {0};
    char path[1024];
    memset(r, 0, sizeof *r);
    r->be = golden_backend(2);
    snprintf(path, sizeof path, "%s", golden_path(c->model));
    lm_model_params params = {.path = path,
                              .config_path = golden_path(c->config),
                              .activations = c->activations,
                              .acoustic_delay = -1};
    lm_stream_params stream = {
        .sampling.guidance = c->guidance,
        .conditions = c->conditions,
        .n_conditions = c->n_conditions,
        .null_conditions = c->null_conditions,
        .n_null_conditions = c->n_null_conditions,
        .guided = c->guidance != 0};
    if (lm_model_open(&r->model, &params, &err) ||
        lm_stream_open(&r->stream, r->model, r->be, &stream, &err) ||
        lm_runner_open(&r->runner, r->model, r->be, stream.guided, 1, &err))
        fail_msg("%s", err.message);
    r->taps = (golden_taps){r->be, r->runner->plan->plan, r->list, 0};
    add_taps(r, stream.guided);
}

static void close_run(run *r)
{
    for (size_t i = 0; i < r->taps.n_taps; i++)
        free(r->list[i].data);
    lm_runner_close(&r->runner);
    lm_stream_close(&r->stream);
    lm_model_close(&r->model);
    r->be->close(&r->be);
}

static void step(run *r, const int32_t *user, const int32_t *forced,
                 int32_t *tokens)
{
    plan_hook hook = {golden_record, &r->taps, NULL};
    const int32_t *const *forced_list = forced ? &forced : NULL;
    assert_int_equal(lm_step(r->runner, &r->stream, 1, &user, forced_list,
                             &tokens, &hook), MOSHI_OK);
    for (size_t i = 0; i < r->taps.n_taps; i++) {
        assert_int_equal(r->list[i].seen, 1);
        r->list[i].seen = 0;
    }
}

/* Compare row s of a fixture field with a tap; keeps the largest error. */
static void compare_row(const checkpoint *want, const char *field, size_t row,
                        const golden_tap *tap, size_t n, double *worst)
{
    if (!checkpoint_find(want, field))
        return;
    double e = golden_error(tap->data,
                            golden_floats(want, field, NULL) + row * n, n);
    *worst = e > *worst ? e : *worst;
}

void lm_check_greedy(const lm_case *c)
{
    run r;
    open_run(&r, c);
    checkpoint *input = golden_open(c->input);
    checkpoint *want = golden_open(c->expected);
    const lm_config *cfg = &r.model->config;
    size_t K = (size_t)cfg->dep_q, U = (size_t)(cfg->n_q - cfg->dep_q), n;
    size_t V = (size_t)cfg->card, D = (size_t)cfg->dim;
    const int32_t *user = golden_ints(input, "user_codes", &n);
    size_t steps = n / U, frames = 0;
    int delay = r.stream->timeline.delay_max;
    int32_t *text = calloc(steps, sizeof *text);
    int32_t *audio = calloc(K * steps + 1, sizeof *audio);
    int32_t *out = calloc(K * steps + 1, sizeof *out);
    int32_t *inputs = calloc((1 + (size_t)cfg->n_q) * steps, sizeof *inputs);
    double text_error = 0, audio_error = 0, ys_error = 0, head_error = 0;

    for (size_t s = 0; s < steps; s++) {
        int32_t heard[LIMIT_CODEBOOKS], tokens[1 + LIMIT_CODEBOOKS];
        int32_t frame[LIMIT_CODEBOOKS], read[1 + LIMIT_CODEBOOKS];
        for (size_t u = 0; u < U; u++)
            heard[u] = user[u * steps + s];
        timeline_inputs(&r.stream->timeline, read);
        step(&r, heard, NULL, tokens);
        for (int i = 0; i <= cfg->n_q; i++)
            inputs[(size_t)i * steps + s] = read[i];
        text[s] = tokens[0];
        for (size_t k = 0; k < K; k++)
            audio[k * steps + s] = tokens[1 + k];
        if (lm_stream_frame(r.stream, frame)) {
            for (size_t k = 0; k < K; k++)
                out[k * (steps - (size_t)delay) + frames] = frame[k];
            frames++;
        }
        compare_row(want, "text_logits", s, &r.list[0], r.list[0].n,
                    &text_error);
        compare_row(want, "transformer_out", s, &r.list[1], D, &ys_error);
        for (size_t k = 0; k < K; k++)
            compare_row(want, "audio_logits", s * K + k, &r.list[2 + k], V,
                        &audio_error);
        for (int i = 0; i < cfg->extra_heads; i++)
            compare_row(want, "extra_heads",
                        s * (size_t)cfg->extra_heads + (size_t)i,
                        &r.list[2 + K + (size_t)i],
                        (size_t)cfg->extra_heads_dim, &head_error);
    }
    printf("%s, greedy, %zu steps\n", c->label, steps);
    if (checkpoint_find(want, "text_logits"))
        golden_expect("text logits", text_error, LOGITS_BOUND);
    if (checkpoint_find(want, "audio_logits"))
        golden_expect("audio logits", audio_error, LOGITS_BOUND);
    if (checkpoint_find(want, "transformer_out"))
        golden_expect("transformer out", ys_error, LOGITS_BOUND);
    if (cfg->extra_heads)
        golden_expect("extra heads", head_error, 1e-5);
    if (checkpoint_find(want, "input_tokens"))
        golden_expect_ints("input tokens", inputs,
                           golden_ints(want, "input_tokens", NULL),
                           (1 + (size_t)cfg->n_q) * steps);
    golden_expect_ints("text tokens", text,
                       golden_ints(want, "text_tokens", NULL), steps);
    if (K > 0) {
        golden_expect_ints("audio tokens", audio,
                           golden_ints(want, "audio_tokens", NULL), K * steps);
        assert_int_equal(frames, steps - (size_t)delay);
        golden_expect_ints("audio frames", out,
                           golden_ints(want, "audio_frames", NULL),
                           K * frames);
    }
    free(text);
    free(audio);
    free(out);
    free(inputs);
    checkpoint_close(&input);
    checkpoint_close(&want);
    close_run(&r);
}

/* Rows that agree within the bound, of all rows compared. */
typedef struct tally {
    size_t good, all;
    double worst;
} tally;

static void tally_row(tally *t, const float *got, const float *want, size_t n)
{
    double e = golden_error(got, want, n);
    t->all++;
    t->good += e <= LOGITS_BOUND;
    t->worst = e > t->worst ? e : t->worst;
}

static void expect_tally(const char *what, const tally *t, double share)
{
    printf("  %-52s %.2e, %zu of %zu rows within %.0e\n", what, t->worst,
           t->good, t->all, LOGITS_BOUND);
    if ((double)t->good < share * (double)t->all)
        fail_msg("%s: only %zu of %zu rows agree", what, t->good, t->all);
}

/* What codebook `row` of the un-delayed codes holds in column t of the grid
 * that is shifted by its delay: the initial token at the front. */
static int32_t grid(const int32_t *row, int delay, int32_t initial, size_t t)
{
    return (int64_t)t <= delay ? initial : row[t - 1 - (size_t)delay];
}

void lm_check_forced(const lm_case *c)
{
    run r;
    open_run(&r, c);
    checkpoint *input = golden_open(c->input);
    checkpoint *want = golden_open(c->expected);
    const lm_config *cfg = &r.model->config;
    size_t K = (size_t)cfg->dep_q, V = (size_t)cfg->card, n;
    size_t D = (size_t)cfg->dim; /* of the first branch */
    const int32_t *codes = golden_ints(input, "tf_codes", &n);
    size_t rows = 1 + (size_t)cfg->n_q, steps = n / rows;
    char text_field[64], audio_field[64], ys_field[64];
    tally text = {0}, audio = {0}, ys = {0};
    snprintf(text_field, sizeof text_field, "%s_text_logits", c->prefix);
    snprintf(audio_field, sizeof audio_field, "%s_logits", c->prefix);
    snprintf(ys_field, sizeof ys_field, "%s_transformer_out", c->prefix);
    bool with_audio = checkpoint_find(want, audio_field) != NULL;
    bool with_ys = checkpoint_find(want, ys_field) != NULL;
    for (size_t s = 0; s < steps; s++) {
        int32_t heard[LIMIT_CODEBOOKS], tokens[1 + LIMIT_CODEBOOKS];
        int32_t forced[1 + LIMIT_CODEBOOKS];
        for (size_t u = 0; u + K + 1 < rows; u++)
            heard[u] = codes[(1 + K + u) * steps + s];
        for (size_t k = 0; k <= K; k++)
            forced[k] = grid(codes + k * steps, cfg->delays[k],
                             k ? cfg->card : cfg->text_in - 1, s + 1);
        step(&r, heard, forced, tokens);
        tally_row(&text, r.list[0].data,
                  golden_floats(want, text_field, NULL) + s * r.list[0].n,
                  r.list[0].n);
        if (with_ys)
            tally_row(&ys, r.list[1].data,
                      golden_floats(want, ys_field, NULL) + s * D, D);
        for (size_t k = 0; k < K && with_audio; k++) {
            size_t d = (size_t)cfg->delays[1 + k];
            if (s >= d)
                tally_row(&audio, r.list[2 + k].data,
                          golden_floats(want, audio_field, NULL) +
                              (k * steps + s - d) * V, V);
        }
    }
    printf("%s, forced (%s), %zu steps\n", c->label, c->prefix, steps);
    expect_tally("text logits", &text, c->row_share);
    if (with_audio)
        expect_tally("audio logits", &audio, c->row_share);
    if (with_ys)
        expect_tally("transformer out", &ys, c->row_share);
    checkpoint_close(&input);
    checkpoint_close(&want);
    close_run(&r);
}
