/* test_trace.c: looking on changes nothing and misses nothing.
 *
 * Goal: a hook hears of every operation once, in the order of the plan; a
 * traced run gives the bits of one that is not; the file holds them; a run that
 * is forced to repeat another is byte-identical to it. Method: the tiny models
 * of the fixtures, hooks that count, and traces in the test's own files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "golden.h"
#include "lab/diff.h"
#include "lab/trace_run.h"
#include "models.h"
#include "tasks/speech_to_speech.h"

#define FRAMES 12
#define SAMPLES 1920

static char paths[2][64];
static float *pcm;

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        snprintf(paths[i], sizeof paths[i], "trace-%d-%ld.safetensors", i,
                 (long)getpid());
    pcm = calloc(FRAMES * SAMPLES, sizeof *pcm);
    models_noise(pcm, FRAMES * SAMPLES, 3);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(pcm);
    for (int i = 0; i < 2; i++)
        unlink(paths[i]);
    return 0;
}

/* --- hooks --- */

typedef struct order {
    const plan *plan;
    size_t next; /* operation that must come */
    int lanes;
    backend *be;
} order;

static void count(void *user, plan_runner *runner, const plan_op *op)
{
    order *o = user;
    assert_ptr_equal(op, &o->plan->ops[o->next]);
    assert_int_equal(o->be->lanes(runner), o->lanes);
    o->next++;
}

static void count_only(void *user, plan_runner *runner, const plan_op *op)
{
    size_t *n = user;
    (void)runner;
    (void)op;
    ++*n;
}

static void every_operation(void **state)
{
    (void)state;
    moshi_model *m = models_both(2);
    moshi_error err = {0};
    speech_to_speech *s = NULL;
    moshi_stream_params greedy = {.greedy = 1};
    float out[SAMPLES];
    size_t others = 0;
    assert_int_equal(speech_to_speech_open(&s, m, &greedy, &err), 0);
    order parts[3] = {{.plan = m->mimi->encoder},
                      {.plan = s->runner->plan->plan},
                      {.plan = m->mimi->decoder}};
    plan_hook hooks[3], counter = {count_only, &others, NULL};
    for (int i = 0; i < 3; i++) {
        parts[i].be = m->backend;
        parts[i].lanes = 1;
        hooks[i] = (plan_hook){count, &parts[i], NULL};
    }
    plan_hook_pair pair = {&hooks[0], &counter};
    plan_hook both = plan_hook_both(&pair);
    s->watch = (frame_watch){.encode = &both, .lm = &hooks[1],
                             .decode = &hooks[2]};
    for (int f = 0; f < 3; f++) {
        frame_result r = {.pcm = out};
        for (int i = 0; i < 3; i++)
            parts[i].next = 0;
        speech_to_speech_frame(s, pcm, &r);
        assert_int_equal(parts[0].next, parts[0].plan->n_ops);
        assert_int_equal(parts[1].next, parts[1].plan->n_ops);
        assert_int_equal(parts[2].next, r.spoken ? parts[2].plan->n_ops : 0);
        assert_true(r.times.temporal > 0); /* the clock listens too */
    }
    assert_int_equal(others, 3 * parts[0].plan->n_ops);
    speech_to_speech_close(&s);
    moshi_model_close(&m);
}

/* Every operation makes something of its own but KV_APPEND; names tell
 * them apart. */
static void names_are_unique(const plan *p)
{
    for (size_t i = 0; i < p->n_ops; i++) {
        plan_value v;
        assert_int_equal(plan_value_of_op(p, &p->ops[i], &v),
                         p->ops[i].kind != OP_KV_APPEND);
        assert_false(trace_is_table(p->ops[i].name));
        for (size_t j = i + 1; j < p->n_ops; j++)
            if (strcmp(p->ops[i].name, p->ops[j].name) == 0)
                fail_msg("%s: two operations are called %s", p->name,
                         p->ops[i].name);
    }
}

static void names(void **state)
{
    (void)state;
    lm_model *lm = models_lm();
    mimi_model *mimi = models_mimi();
    names_are_unique(lm->plain.plan);
    names_are_unique(mimi->encoder);
    names_are_unique(mimi->decoder);
    lm_model_close(&lm);
    mimi_model_close(&mimi);
    lm = golden_lm("lm-hibiki-tiny/model.pytorch.safetensors",
                   "lm-hibiki-tiny/config.json");
    names_are_unique(lm->guided.plan);
    lm_model_close(&lm);
    lm = golden_lm("lm-tts-tiny/model.pytorch.safetensors",
                   "lm-tts-tiny/config.json");
    names_are_unique(lm->plain.plan);
    lm_model_close(&lm);
}

/* What a quantised input holds, as the product that reads it sees it. */
typedef struct quantized {
    const plan *plan;
    backend *be;
    double worst;
    int seen;
} quantized;

static void check_quantized(void *user, plan_runner *runner, const plan_op *op)
{
    quantized *q = user;
    plan_value v, x;
    if (op->kind != OP_QUANTIZE)
        return;
    assert_true(plan_value_of_op(q->plan, op, &v));
    x = v;
    x.tensor = op->in[0]; /* of the same shape, as floats */
    x.room = x.bytes;
    float *got = malloc(v.room), *want = malloc(x.room);
    plan_value_read(q->be, runner, q->plan, &v, 0, got);
    plan_value_read(q->be, runner, q->plan, &x, 0, want);
    size_t n = v.rows * v.width;
    double peak = golden_peak(want, n), e = golden_error(got, want, n);
    q->worst = e / peak > q->worst ? e / peak : q->worst;
    q->seen++;
    free(got);
    free(want);
}

static void quantized_values(void **state)
{
    (void)state;
    moshi_error err = {0};
    backend *be = golden_backend(1);
    lm_model *lm = models_lm(); /* of the Q8_0 file */
    lm_stream *s = NULL;
    lm_runner *r = NULL;
    lm_stream_params params = {0};
    quantized q = {.plan = lm->plain.plan, .be = be};
    plan_hook hook = {check_quantized, &q, NULL};
    int32_t heard[8] = {1, 2, 3, 4, 5, 6, 7, 8}, tokens[9];
    const int32_t *user = heard;
    int32_t *out = tokens;
    assert_int_equal(lm_stream_open(&s, lm, be, &params, &err), 0);
    assert_int_equal(lm_runner_open(&r, lm, be, false, 1, &err), 0);
    assert_int_equal(lm_step(r, &s, 1, &user, NULL, &out, &hook), 0);
    assert_true(q.seen > 20);
    golden_expect("quantised inputs", q.worst, 0.5 / 127 + 1e-3);
    lm_stream_close(&s);
    lm_runner_close(&r);
    lm_model_close(&lm);
    be->close(&be);
}

/* --- traces --- */

/* The trace of a run; forced: with the tokens of the first. */
static void trace(int index, const trace_tokens *forced, size_t first,
                  size_t end)
{
    moshi_error err = {0};
    moshi_model *m = models_both(1 + index);
    moshi_stream_params sampling = {.seed = 5};
    trace_run run = {.path = paths[index],
                     .pcm = pcm,
                     .frames = FRAMES,
                     .first = first,
                     .end = end,
                     .forced = forced,
                     .inputs = {.tokens = forced ? "first" : NULL}};
    if (trace_run_model(m, &sampling, &run, &err))
        fail_msg("%s", err.message);
    moshi_model_close(&m);
}

static void same_bits(void **state)
{
    (void)state;
    moshi_error err = {0};
    trace_file t = {0};
    moshi_model *m = models_both(2);
    moshi_stream_params sampling = {.seed = 5};
    speech_to_speech *s = NULL;
    float spoken[SAMPLES], traced[SAMPLES];
    trace(0, NULL, 2, 9);
    assert_int_equal(trace_file_open(&t, paths[0], &err), 0);
    assert_int_equal(t.frames, 7);
    assert_string_equal(trace_file_note(&t, "produced"), "free");
    const checkpoint_tensor *sound = trace_file_find(&t, "decoder.model.14");
    const checkpoint_tensor *word = trace_file_find(&t, "text_linear.sample");
    assert_non_null(sound);
    assert_non_null(word);
    assert_null(trace_file_find(&t, "lm.forced"));
    assert_int_equal(speech_to_speech_open(&s, m, &sampling, &err), 0);
    for (int f = 0; f < FRAMES; f++) {
        frame_result r = {.pcm = spoken};
        int64_t id;
        size_t at = (size_t)f;
        speech_to_speech_frame(s, pcm + at * SAMPLES, &r);
        assert_int_equal(trace_cell(t.tables[TRACE_TEXT_TOKENS], 0, at),
                         r.tokens[0]);
        for (size_t k = 0; k < 8; k++) {
            assert_int_equal(trace_cell(t.tables[TRACE_CODES_IN], k, at),
                             r.codes_in[k]);
            assert_int_equal(trace_cell(t.tables[TRACE_AUDIO_TOKENS], k, at),
                             r.tokens[1 + k]);
            if (r.spoken)
                assert_int_equal(
                    trace_cell(t.tables[TRACE_CODES_OUT], k, at - 1),
                    r.codes_out[k]);
        }
        if (f < 2 || f >= 9)
            continue;
        assert_int_equal(trace_file_frame(&t, at - 2), f);
        trace_row_floats(sound, at - 2, 0, SAMPLES, traced);
        assert_memory_equal(traced, spoken, sizeof spoken);
        trace_row_whole(word, at - 2, 0, 1, &id);
        assert_int_equal(id, r.tokens[0]);
    }
    speech_to_speech_close(&s);
    moshi_model_close(&m);
    trace_file_close(&t);
}

static void forced_run(void **state)
{
    (void)state;
    moshi_error err = {0};
    trace_tokens tokens = {0};
    diff *d = NULL;
    trace(0, NULL, 0, 0);
    assert_int_equal(trace_tokens_open(&tokens, paths[0], &err), 0);
    assert_int_equal(tokens.steps, FRAMES);
    trace(1, &tokens, 0, 0);
    assert_int_equal(diff_open(&d, paths[0], paths[1], -1, &err), 0);
    assert_true(d->identical);
    assert_true(d->equal);
    assert_true(d->tokens.forced);
    assert_null(d->first);
    diff_close(&d);

    /* One token another: the first difference is where it is read. */
    tokens.tokens[4 * 9 + 3] ^= 1;
    trace(1, &tokens, 0, 0);
    assert_int_equal(diff_open(&d, paths[0], paths[1], -1, &err), 0);
    assert_false(d->equal);
    assert_string_equal(d->first->name, "depformer.2.linear_out.sample");
    assert_int_equal(d->first->first_frame, 4);
    diff_close(&d);

    /* Tokens that cannot be. */
    moshi_model *m = models_both(1);
    trace_run run = {.path = paths[1], .pcm = pcm, .frames = FRAMES,
                     .forced = &tokens};
    tokens.tokens[4 * 9 + 3] = 65;
    assert_int_equal(trace_run_model(m, NULL, &run, &err), MOSHI_MISMATCH);
    assert_non_null(strstr(err.message, "holds 65 in row 3, step 4"));
    moshi_model_close(&m);
    trace_tokens_release(&tokens);
}

static void bad_range(void **state)
{
    (void)state;
    moshi_error err = {0};
    moshi_model *m = models_both(1);
    const char *glob = "no.such.*";
    trace_run run = {.path = paths[1], .pcm = pcm, .frames = 3, .first = 3};
    assert_int_equal(trace_run_model(m, NULL, &run, &err), MOSHI_ARGUMENT);
    assert_non_null(strstr(err.message, "frames 0 to 3"));
    run.first = 0;
    run.match = &glob;
    run.n_match = 1;
    assert_int_equal(trace_run_model(m, NULL, &run, &err), MOSHI_ARGUMENT);
    assert_non_null(strstr(err.message, "no.such.*"));
    run.n_match = 0;
    run.path = "no-such-folder/trace";
    assert_int_equal(trace_run_model(m, NULL, &run, &err), MOSHI_IO);
    moshi_model_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation),
        cmocka_unit_test(names),
        cmocka_unit_test(quantized_values),
        cmocka_unit_test(same_bits),
        cmocka_unit_test(forced_run),
        cmocka_unit_test(bad_range),
    };
    return cmocka_run_group_tests_name("trace", tests, set_up, tear_down);
}
