/* test_api_stream.c: the public stream: any chunking, threads, reset.
 *
 * Goal: what comes out of moshi_stream depends on the samples that went in and
 * on nothing else: not on how they were cut, not on the number of threads, not
 * on an earlier conversation. Method: one reference run, repeated in other
 * ways, compared byte by byte. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../golden/golden.h"
#include "models.h"
#include "tasks/model.h"

#define SECONDS 4
#define SAMPLES (SECONDS * 24000 + 777) /* not a whole number of frames */
#define ROOM (SAMPLES + 1920)
#define TEXT_ROOM 4096

typedef struct result {
    float pcm[ROOM];
    size_t n;
    char text[TEXT_ROOM];
    size_t n_text;
} result;

static void pull_all(moshi_stream *s, result *r)
{
    size_t got;
    while (moshi_stream_pull_pcm(s, r->pcm + r->n, ROOM - r->n, &got) ==
           MOSHI_OK)
        r->n += got;
    while (moshi_stream_pull_text(s, r->text + r->n_text,
                                  TEXT_ROOM - r->n_text, &got) == MOSHI_OK)
        r->n_text += got;
}

/* Push pcm in pieces of `chunk` samples (0: 1, 2, 3, … samples). */
static void talk(moshi_stream *s, const float *pcm, size_t chunk, result *r)
{
    size_t at = 0, turn = 0, used, got;
    memset(r, 0, sizeof *r);
    while (at < SAMPLES) {
        size_t n = chunk ? chunk : ++turn;
        n = n < SAMPLES - at ? n : SAMPLES - at;
        moshi_status status = moshi_stream_push(s, pcm + at, n, &used);
        assert_true(status == MOSHI_OK || status == MOSHI_FULL);
        assert_true(used == n || status == MOSHI_FULL);
        at += used;
        pull_all(s, r);
    }
    assert_int_equal(moshi_stream_finish(s), MOSHI_OK);
    pull_all(s, r);
    assert_int_equal(moshi_stream_pull_pcm(s, r->pcm, 1, &got),
                     MOSHI_FINISHED);
    assert_int_equal(moshi_stream_pull_text(s, r->text, 1, &got),
                     MOSHI_FINISHED);
    assert_int_equal(moshi_stream_push(s, pcm, 1, &used), MOSHI_FINISHED);
}

static moshi_stream *open_stream(moshi_model *m)
{
    moshi_error err = {0};
    moshi_stream *s = NULL;
    moshi_stream_params p = {.seed = 42};
    if (moshi_stream_open(&s, m, &p, &err))
        fail_msg("%s", err.message);
    return s;
}

static void same(const result *a, const result *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->n_text, b->n_text);
    assert_memory_equal(a->pcm, b->pcm, a->n * sizeof *a->pcm);
    assert_memory_equal(a->text, b->text, a->n_text);
}

static float recording[SAMPLES];
static result reference, other;

static int make_reference(void **state)
{
    (void)state;
    models_noise(recording, SAMPLES, 3);
    moshi_model *m = models_both(1);
    moshi_stream *s = open_stream(m);
    talk(s, recording, 1920, &reference);
    moshi_stream_close(&s);
    moshi_model_close(&m);
    /* 51 frames heard (the last filled up), the first spoken one later. */
    return reference.n == 50 * 1920 && reference.n_text > 0 ? 0 : 1;
}

static void any_chunking(void **state)
{
    static const size_t chunks[] = {0, 1, 7, 960, 1919, 1921, 5000, SAMPLES};
    (void)state;
    moshi_model *m = models_both(2);
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        moshi_stream *s = open_stream(m);
        talk(s, recording, chunks[i], &other);
        same(&reference, &other);
        moshi_stream_close(&s);
    }
    moshi_model_close(&m);
}

static void any_threads(void **state)
{
    static const int threads[] = {2, 3, 7};
    (void)state;
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        moshi_model *m = models_both(threads[i]);
        moshi_stream *s = open_stream(m);
        talk(s, recording, 1920, &other);
        same(&reference, &other);
        moshi_stream_close(&s);
        moshi_model_close(&m);
    }
}

static void reset_is_fresh(void **state)
{
    static float noise[SAMPLES];
    (void)state;
    moshi_model *m = models_both(2);
    moshi_stream *s = open_stream(m);
    models_noise(noise, SAMPLES, 99);
    talk(s, noise, 4000, &other);
    moshi_stream_reset(s);
    talk(s, recording, 1920, &other);
    same(&reference, &other);
    moshi_stream_close(&s);
    moshi_model_close(&m);
}

/* Without pulling, push stops at a full queue and loses nothing. */
static void full_queue(void **state)
{
    size_t at = 0, used, n_full = 0;
    (void)state;
    moshi_model *m = models_both(1);
    moshi_stream *s = open_stream(m);
    static float silence[8 * 24000];
    while (at < 8 * 24000) {
        moshi_status status =
            moshi_stream_push(s, silence + at, 8 * 24000 - at, &used);
        at += used;
        if (status == MOSHI_OK)
            continue;
        assert_int_equal(status, MOSHI_FULL);
        n_full++;
        memset(&other, 0, sizeof other);
        pull_all(s, &other);
        assert_true(other.n > 0);
    }
    assert_true(n_full > 0);
    moshi_stream_close(&s);
    moshi_model_close(&m);
}

static void bad_samples(void **state)
{
    size_t used;
    (void)state;
    moshi_model *m = models_both(1);
    moshi_stream *s = open_stream(m);
    float pcm[4] = {0, 0.5f, NAN, 0};
    assert_int_equal(moshi_stream_push(s, pcm, 4, &used), MOSHI_ARGUMENT);
    assert_int_equal(used, 2);
    pcm[2] = -INFINITY;
    assert_int_equal(moshi_stream_push(s, pcm + 2, 2, &used), MOSHI_ARGUMENT);
    assert_int_equal(used, 0);
    moshi_stream_close(&s);
    moshi_model_close(&m);
}

static void bad_params(void **state)
{
    static const char *const unknown[] = {"mood=good"};
    static const char *const shapeless[] = {"mood"};
    const moshi_stream_params bad[] = {
        {.temperature = -1},          {.text_temperature = NAN},
        {.top_k = -2},                {.guidance = INFINITY},
        {.guidance = 3},              {.conditions = unknown, .n_conditions = 1},
        {.conditions = shapeless, .n_conditions = 1}};
    (void)state;
    moshi_model *m = models_both(1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        moshi_stream *s = NULL;
        moshi_error err = {0};
        assert_int_equal(moshi_stream_open(&s, m, &bad[i], &err),
                         MOSHI_ARGUMENT);
        assert_null(s);
        assert_true(err.message[0] != 0);
    }
    moshi_model_close(&m);
}

/* A caller who does not care gives no error; the status is the same. */
static void no_error_wanted(void **state)
{
    (void)state;
    const moshi_model_params none = {0}, absent = {.model = "/no/such/folder"};
    const moshi_model_params wrong = {.lm = "/no/such/lm",
                                      .mimi = "/no/such/mimi"};
    const moshi_codec_params no_codec = {.path = "/no/such/mimi"};
    const moshi_stream_params guided = {.guidance = 3};
    moshi_model *m = NULL;
    moshi_codec *c = NULL;
    moshi_stream *s = NULL;
    assert_int_equal(moshi_model_open(&m, &none, NULL), MOSHI_ARGUMENT);
    assert_int_equal(moshi_model_open(&m, &absent, NULL), MOSHI_IO);
    assert_int_equal(moshi_model_open(&m, &wrong, NULL), MOSHI_IO);
    assert_int_equal(moshi_codec_open(&c, &no_codec, NULL), MOSHI_IO);
    assert_null(m);
    m = models_both(1);
    assert_int_equal(moshi_stream_open(&s, m, &guided, NULL), MOSHI_ARGUMENT);
    assert_null(s);
    moshi_model_close(&m);
}

/* How far the loading is: ever further, until all is there. */
typedef struct loading {
    atomic_size_t calls, done, total;
    atomic_bool grew;
} loading;

static void note_loading(void *user, size_t done, size_t total)
{
    loading *l = user;
    if (done < l->done)
        l->grew = false;
    l->done = done;
    l->total = total;
    l->calls++;
}

static void loads_in_the_background(void **state)
{
    (void)state;
    loading l = {.grew = true};
    moshi_error err = {0};
    moshi_model *m = NULL;
    char lm[1024], config[1024], mimi[1024];
    snprintf(lm, sizeof lm, "%s", golden_path("lm-moshi-tiny/model.q8.gguf"));
    snprintf(config, sizeof config, "%s",
             golden_path("lm-moshi-tiny/config.json"));
    snprintf(mimi, sizeof mimi, "%s",
             golden_path("mimi-tiny/model.safetensors"));
    moshi_model_params p = {.lm = lm,
                            .config = config,
                            .mimi = mimi,
                            .mimi_config =
                                golden_path("mimi-tiny/config.json"),
                            .loading = note_loading,
                            .loading_user = &l};
    assert_int_equal(moshi_model_open(&m, &p, &err), MOSHI_OK);
    moshi_model_wait(m);
    moshi_model_wait(m);
    assert_true(l.calls > 0 && l.grew);
    assert_int_equal(l.done, l.total);
    assert_true(l.total > 400000); /* the weights of both */
    moshi_model_close(&m);

    /* Closed at once, and not asked for at all. */
    assert_int_equal(moshi_model_open(&m, &p, &err), MOSHI_OK);
    moshi_model_close(&m);
    size_t calls = l.calls;
    p.prefault = -1;
    assert_int_equal(moshi_model_open(&m, &p, &err), MOSHI_OK);
    moshi_model_wait(m);
    moshi_model_close(&m);
    assert_int_equal(l.calls, calls);
}

/* What a frame needs first comes first, tables of tokens last, nothing twice
 * and nothing is left out. */
static void loads_in_the_order_of_a_frame(void **state)
{
    (void)state;
    moshi_error err = {0};
    model_loading l;
    moshi_model *m = models_both(1);
    const plan *lm = m->lm->plain.plan;
    const plan *plans[] = {m->mimi->encoder, lm, m->mimi->decoder};
    assert_int_equal(model_loading_list(&l, m, &err), MOSHI_OK);
    assert_non_null(l.parts[0].make);
    size_t bytes = 0, last_matrix = 0, first_table = l.count;
    bool *met = calloc(l.count, sizeof *met);
    assert_non_null(met);
    for (size_t i = 0; i < l.count; i++) {
        bytes += l.parts[i].bytes;
        for (size_t k = 0; k < i; k++)
            assert_false(l.parts[k].data == l.parts[i].data &&
                         l.parts[k].bytes == l.parts[i].bytes);
    }
    assert_int_equal(bytes, l.bytes);
    for (int p = 0; p < 3; p++)
        for (size_t i = 0; i < plans[p]->n_ops; i++) {
            const plan_op *op = &plans[p]->ops[i];
            const plan_tensor *t = &plans[p]->tensors[op->in[0]];
            size_t at = 0;
            if (t->space != PLAN_WEIGHT)
                continue;
            while (at < l.count && l.parts[at].data != t->data)
                at++;
            assert_true(at < l.count);
            /* First met, first loaded. */
            if (op->kind == OP_LINEAR && !met[at]) {
                assert_true(at > last_matrix);
                last_matrix = at;
                met[at] = true;
            }
            if (op->kind == OP_EMBED && plans[p] == lm && at < first_table)
                first_table = at;
        }
    assert_true(last_matrix < first_table && first_table < l.count);
    free(met);
    free(l.parts);
    moshi_model_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_chunking),   cmocka_unit_test(any_threads),
        cmocka_unit_test(reset_is_fresh), cmocka_unit_test(full_queue),
        cmocka_unit_test(bad_samples),    cmocka_unit_test(bad_params),
        cmocka_unit_test(no_error_wanted),
        cmocka_unit_test(loads_in_the_background),
        cmocka_unit_test(loads_in_the_order_of_a_frame),
    };
    return cmocka_run_group_tests_name("api stream", tests, make_reference,
                                       NULL);
}
