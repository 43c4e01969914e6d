/* Goal: when memory runs out while a conversation is being opened, or the
 * engine, or a stream of Opus, or a list of metrics, the answer is
 * MOSHI_NO_MEMORY and nothing leaks; and once a conversation runs, neither the
 * engine nor the way of its sound to and from Opus allocates anything (libogg
 * and libopus themselves are not seen). Method: fail the n-th allocation;
 * count allocations while frames run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "alloc_fault.h"
#include "audio/sink_opus.h"
#include "audio/source_opus.h"
#include "base/clock.h"
#include "fail_each.h"
#include "models.h"
#include "serve/engine.h"
#include "serve/metadata.h"

#define FRAME 1920

static metrics counts;

static void nobody(void *user)
{
    (void)user;
}

static moshi_status open_dialogue(void *context, moshi_error *err)
{
    dialogue *d = NULL;
    moshi_status status = dialogue_open(&d, context, NULL, NULL, err);
    assert_int_equal(status == MOSHI_OK, d != NULL);
    dialogue_close(&d);
    return status;
}

static moshi_status open_engine(void *context, moshi_error *err)
{
    engine *e = NULL;
    engine_params p = {.model = context,
                       .seats = 2,
                       .metrics = &counts,
                       .wake = nobody};
    moshi_status status = engine_open(&e, &p, err);
    assert_int_equal(status == MOSHI_OK, e != NULL);
    engine_close(&e);
    return status;
}

static void conversations(void **state)
{
    moshi_model *m = models_both(1);
    (void)state;
    fail_each("a conversation", open_dialogue, m);
    fail_each("an engine", open_engine, m);
    moshi_model_close(&m);
}

/* A frame into Opus, and out of it. */
static moshi_status use_opus(void *context, moshi_error *err)
{
    float pcm[FRAME] = {0};
    unsigned char pages[SINK_OPUS_FRAME_BYTES_MAX];
    size_t n = 0;
    sink_opus *sink = NULL;
    source_opus *source = NULL;
    (void)context;
    moshi_status status = sink_opus_open(&sink, err);
    if (status == MOSHI_OK)
        status = source_opus_open(&source, err);
    if (status == MOSHI_OK) {
        status = sink_opus_frame(sink, pcm, FRAME, pages, &n);
        if (status == MOSHI_OK)
            status = source_opus_push(source, pages, n);
        err->status = status; /* these two have no words of their own */
    }
    sink_opus_close(&sink);
    source_opus_close(&source);
    return status;
}

static void opus(void **state)
{
    (void)state;
    if (use_opus(NULL, &(moshi_error){0}) == MOSHI_LACKING)
        skip();
    fail_each("Opus", use_opus, NULL);
}

static moshi_status write_all(void *context, moshi_error *err)
{
    text_buffer b = {0};
    sampler s = {0};
    query q = {0};
    metrics_write(&counts, &b);
    metadata_write(&b, context, &s, &q, "name \"quoted\"");
    err->status = b.failed ? MOSHI_NO_MEMORY : MOSHI_OK;
    text_buffer_release(&b);
    return err->status;
}

static void texts(void **state)
{
    moshi_model *m = models_both(1);
    (void)state;
    fail_each("metrics and metadata", write_all, m);
    moshi_model_close(&m);
}

static void rest(void)
{
    struct timespec t = {.tv_nsec = 300000};
    nanosleep(&t, NULL);
}

static void frames_allocate_nothing(void **state)
{
    static float pcm[FRAME], back[FRAME];
    unsigned char pages[SINK_OPUS_FRAME_BYTES_MAX];
    moshi_error err = {0};
    moshi_model *m = models_both(1);
    engine *e = NULL;
    dialogue *d = NULL;
    engine_seat *seat = NULL;
    sink_opus *sink = NULL;
    source_opus *source = NULL;
    engine_params p = {.model = m, .seats = 1, .metrics = &counts,
                       .wake = nobody};
    size_t before = 0, n, got;
    (void)state;
    if (sink_opus_open(&sink, &err) == MOSHI_LACKING) {
        moshi_model_close(&m);
        skip();
    }
    assert_int_equal(source_opus_open(&source, &err), 0);
    assert_int_equal(engine_open(&e, &p, &err), 0);
    assert_int_equal(dialogue_open(&d, m, NULL, NULL, &err), 0);
    assert_int_equal(engine_sit(e, &d, &seat), 0);
    for (int f = 0; f < 40; f++) {
        engine_answer a;
        if (f == 5) /* the writer's page has found its size */
            before = alloc_fault_count();
        models_noise(pcm, FRAME, (uint32_t)f);
        engine_hear(e, seat, pcm, FRAME, clock_seconds());
        while (!engine_answer_next(e, seat, &a))
            rest();
        if (a.has_spoken) {
            assert_int_equal(sink_opus_frame(sink, a.spoken, FRAME, pages, &n),
                             0);
            assert_int_equal(source_opus_push(source, pages, n), 0);
            while (source_opus_pull(source, back, FRAME, &got) == MOSHI_OK)
                ;
        }
        engine_answer_taken(e, seat);
    }
    assert_int_equal(alloc_fault_count(), before);
    engine_leave(e, &seat);
    engine_close(&e);
    sink_opus_close(&sink);
    source_opus_close(&source);
    moshi_model_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversations),
        cmocka_unit_test(opus),
        cmocka_unit_test(texts),
        cmocka_unit_test(frames_allocate_nothing),
    };
    return cmocka_run_group_tests_name("fault serve", tests, NULL, NULL);
}
