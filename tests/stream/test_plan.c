/* test_plan.c: the executor on operations of real size.
 *
 * Goal: output bits do not depend on threads, on the lane, on whether the
 * key/value ring has wrapped or is put together to large pages, which happens
 * when it is full; instruction sets agree with the reference; a memory plan
 * never lets two live tensors share bytes. Method: one transformer layer of
 * width 256, built for the test, fed with noise. That large pages come of it is
 * test_base_pages.c's affair: it is for the system to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/half.h"
#include "base/pages.h"
#include "cpu/backend.h"
#include "cpu/state.h"
#include "golden.h"
#include "models.h"
#include "nn/transformer.h"
#include "smaps.h"

#define D 256
#define F 700
#define STEPS 3   /* T */
#define CONTEXT 11
#define FRAMES 40
#define LANES 3

typedef struct layer_data {
    uint16_t in[3 * D * D], out[D * D], ff_in[F * D], ff_out[D * F]; /* bf16 */
    float norm[D], bias[D];
} layer_data;

static layer_data *data;

static void fill(uint16_t *w, size_t n, float scale, uint32_t seed)
{
    float *noise = malloc(n * sizeof *noise);
    models_noise(noise, n, seed);
    for (size_t i = 0; i < n; i++)
        w[i] = bfloat_from_float(noise[i] * scale);
    free(noise);
}

static int make_data(void **state)
{
    (void)state;
    data = calloc(1, sizeof *data);
    fill(data->in, 3 * D * D, 0.3f, 1);
    fill(data->out, D * D, 0.2f, 2);
    fill(data->ff_in, F * D, 0.2f, 3);
    fill(data->ff_out, D * F, 0.1f, 4);
    models_noise(data->norm, D, 5);
    models_noise(data->bias, D, 6);
    return 0;
}

static int drop_data(void **state)
{
    (void)state;
    free(data);
    return 0;
}

static nn_matrix bf16(const uint16_t *w, size_t rows, size_t width)
{
    return (nn_matrix){DTYPE_BF16, rows, width, w, false};
}

/* x [STEPS, D] -> y; steps that attention sees, slots of the ring. */
static plan *make_window(int context, int capacity, tensor_id *x, tensor_id *y)
{
    nn_transformer t = {.width = D, .heads = 4, .kv_heads = 4, .head_dim = 64,
                        .hidden = F, .layer_norm = true, .eps = 1e-5f,
                        .context = context, .capacity = capacity,
                        .window = OP_WINDOW_EXACT,
                        .position = OP_POSITION_STREAM, .rope = true};
    nn_norm norm = {true, 1e-5f, data->norm, data->bias};
    nn_layer layer = {.norm1 = norm, .norm2 = norm,
                      .in_proj = bf16(data->in, 3 * D, D),
                      .out_proj = bf16(data->out, D, D),
                      .ff_in = bf16(data->ff_in, F, D),
                      .ff_out = bf16(data->ff_out, D, F)};
    moshi_error err = {0};
    plan *p = NULL;
    nn n = {.b = builder_open("test", STEPS, 1)};
    *x = builder_frame(n.b, "x", DTYPE_F32, STEPS, D);
    builder_pin(n.b, *x);
    tensor_id table = nn_rope_table(&n, "rope", &t, 10000);
    tensor_id cache = nn_cache(&n, "layer", &t, true);
    *y = nn_transformer_layer(&n, "layer", &layer, &t, *x, cache, table, NULL);
    builder_pin(n.b, *y);
    if (builder_finish(&n.b, &p, &err))
        fail_msg("%s", err.message);
    return p;
}

static plan *make_plan(int capacity, tensor_id *x, tensor_id *y)
{
    return make_window(CONTEXT, capacity, x, y);
}

/* gathered: [frames], how much of the first stream's state was put together
 * after each of them; NULL: not asked for. */
static float *run_frames(const plan *p, tensor_id x, tensor_id y, int threads,
                         cpu_level level, int lanes, int frames,
                         size_t *gathered)
{
    moshi_error err = {0};
    backend *be = NULL;
    plan_runner *r = NULL;
    plan_state *s[LANES] = {0};
    size_t n = STEPS * D;
    float *out = calloc((size_t)frames * n, sizeof *out), in[STEPS * D];
    assert_int_equal(cpu_backend_open(&be, threads, level, &err), 0);
    assert_int_equal(be->runner_open(be, p, lanes, &r, &err), 0);
    for (int l = 0; l < lanes; l++)
        assert_int_equal(be->state_open(be, p, &s[l], &err), 0);
    for (int f = 0; f < frames; f++) {
        /* The last lane hears what is compared, the others something else. */
        for (int l = 0; l < lanes; l++) {
            models_noise(in, n, (uint32_t)(f + 100 * (lanes - 1 - l)));
            be->write(r, x, l, in);
        }
        be->run(r, s, lanes, NULL);
        be->read(r, y, lanes - 1, out + (size_t)f * n);
        if (gathered)
            gathered[f] = s[0]->gathered;
    }
    for (int l = 0; l < lanes; l++)
        be->state_close(&s[l]);
    be->runner_close(&r);
    be->close(&be);
    return out;
}

static float *run(const plan *p, tensor_id x, tensor_id y, int threads,
                  cpu_level level, int lanes)
{
    return run_frames(p, x, y, threads, level, lanes, FRAMES, NULL);
}

static void same_bits(void **state)
{
    static const int threads[] = {1, 2, 3, 7};
    (void)state;
    size_t bytes = FRAMES * STEPS * D * sizeof(float);
    tensor_id x, y;
    plan *p = make_plan(CONTEXT + STEPS - 1, &x, &y);
    float *want = run(p, x, y, 1, CPU_LEVEL_COUNT, 1);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++)
        for (int lanes = 1; lanes <= LANES; lanes += 2) {
            float *got = run(p, x, y, threads[i], CPU_LEVEL_COUNT, lanes);
            assert_memory_equal(want, got, bytes);
            free(got);
        }
    free(want);
    plan_close(&p);
}

/* 120 positions through 13 slots wrap nine times; through 500, never. */
static void wrapped_ring(void **state)
{
    (void)state;
    size_t bytes = FRAMES * STEPS * D * sizeof(float);
    tensor_id x, y;
    plan *small = make_plan(CONTEXT + STEPS - 1, &x, &y);
    float *want = run(small, x, y, 2, CPU_LEVEL_COUNT, 1);
    plan *large = make_plan(500, &x, &y);
    float *got = run(large, x, y, 2, CPU_LEVEL_COUNT, 1);
    assert_memory_equal(want, got, bytes);
    free(want);
    free(got);
    plan_close(&small);
    plan_close(&large);
}

/* 2,100 slots of 2 KB are full with frame 700, and their pages are put together
 * in the frames after it; of 2,200 slots they are not. The same bits, read from
 * both kinds of pages. */
static void full_ring(void **state)
{
    enum { SLOTS = 2100, FULL = SLOTS / STEPS, ALL = FULL + 5 };
    static size_t full_gathered[ALL], roomy_gathered[ALL];
    const int context = SLOTS - STEPS + 1;
    tensor_id x, y;
    (void)state;
    plan *full = make_window(context, SLOTS, &x, &y);
    float *got = run_frames(full, x, y, 2, CPU_LEVEL_COUNT, 1, ALL,
                            full_gathered);
    plan *roomy = make_window(context, SLOTS + 100, &x, &y);
    float *want = run_frames(roomy, x, y, 2, CPU_LEVEL_COUNT, 1, ALL,
                             roomy_gathered);
    assert_memory_equal(want, got, (size_t)ALL * STEPS * D * sizeof *want);
    assert_true(full->state_bytes >= 2 * PAGES_LARGE_BYTES);
    for (int f = 0; f < ALL; f++) {
        assert_int_equal(roomy_gathered[f], 0);
        assert_int_equal(full_gathered[f] > 0, f + 1 >= FULL);
    }
    assert_int_equal(full_gathered[ALL - 1], full->state_bytes);
    free(want);
    free(got);
    plan_close(&full);
    plan_close(&roomy);
}

/* A stream of a layer with 6,000 slots, which are 12 MB. */
typedef struct large_stream {
    backend *be;
    plan *p;
    plan_state *s;
} large_stream;

#define LARGE_SLOTS 6000

static large_stream large_open(void)
{
    moshi_error err = {0};
    large_stream l = {0};
    tensor_id x, y;
    l.p = make_window(LARGE_SLOTS - STEPS + 1, LARGE_SLOTS, &x, &y);
    assert_int_equal(cpu_backend_open(&l.be, 1, CPU_LEVEL_COUNT, &err), 0);
    assert_int_equal(l.be->state_open(l.be, l.p, &l.s, &err), 0);
    return l;
}

static void large_close(large_stream *l)
{
    l->be->state_close(&l->s);
    l->be->close(&l->be);
    plan_close(&l->p);
}

/* A step to the frame that fills the ring puts one page together, a jump all. */
static void seek_to_full(void **state)
{
    const int64_t full = LARGE_SLOTS / STEPS; /* frames */
    (void)state;
    large_stream l = large_open();
    plan_state *s = l.s;
    l.be->state_seek(s, full - 1);
    assert_int_equal(s->gathered, 0);
    l.be->state_seek(s, full);
    assert_true(s->gathered > 0);
    assert_true(s->gathered == l.p->state_bytes ||
                s->gathered < 2 * PAGES_LARGE_BYTES);
    l.be->state_reset(s); /* the pages stay as they are */
    assert_true(s->frame == 0 && s->gathered > 0);
    l.be->state_seek(s, full + 7);
    assert_int_equal(s->gathered, l.p->state_bytes);
    large_close(&l);
}

/* Where the system makes large pages of its own accord, a stream would take all
 * of its memory with its first step. */
static void small_until_then(void **state)
{
    (void)state;
    large_stream l = large_open();
    int small = smaps_flag(l.s->bytes + PAGES_LARGE_BYTES, " nh");
    large_close(&l);
    if (small < 0 || !smaps_large_pages_exist()) {
        print_message("skipped: this system makes no large pages, or does not "
                      "say\n");
        skip();
    }
    assert_int_equal(small, 1);
}

static void instruction_sets(void **state)
{
    (void)state;
    tensor_id x, y;
    plan *p = make_plan(CONTEXT + STEPS - 1, &x, &y);
    float *want = run(p, x, y, 1, CPU_REF, 1);
    double peak = golden_peak(want, FRAMES * STEPS * D);
    for (int level = CPU_REF + 1; level < CPU_LEVEL_COUNT; level++) {
        if (!cpu_level_here((cpu_level)level))
            continue;
        if ((cpu_level)level > cpu_level_best()) {
            printf("  %s: SKIPPED, not on this processor\n",
                   cpu_level_name((cpu_level)level));
            continue;
        }
        float *got = run(p, x, y, 2, (cpu_level)level, 1);
        golden_expect(cpu_level_name((cpu_level)level),
                      golden_error(want, got, FRAMES * STEPS * D) / peak, 1e-5);
        free(got);
    }
    free(want);
    plan_close(&p);
}

static bool touches(const plan *p, size_t op, tensor_id t)
{
    for (int i = 0; i < OP_INPUTS; i++)
        if (p->ops[op].in[i] == t)
            return true;
    return p->ops[op].out == t;
}

static void lifetimes(const plan *p)
{
    for (size_t i = 0; i < p->n_tensors; i++)
        for (size_t j = i + 1; j < p->n_tensors; j++) {
            const plan_tensor *a = &p->tensors[i], *b = &p->tensors[j];
            size_t first[2] = {p->n_ops, p->n_ops}, last[2] = {0, 0};
            if (a->space != PLAN_FRAME || b->space != PLAN_FRAME ||
                a->offset + a->bytes <= b->offset ||
                b->offset + b->bytes <= a->offset)
                continue;
            for (size_t o = 0; o < p->n_ops; o++)
                for (int which = 0; which < 2; which++)
                    if (touches(p, o, (tensor_id)(which ? j : i))) {
                        first[which] = o < first[which] ? o : first[which];
                        last[which] = o;
                    }
            assert_false(a->pinned || b->pinned);
            assert_true(last[0] < first[1] || last[1] < first[0]);
        }
}

static void memory_plan(void **state)
{
    (void)state;
    tensor_id x, y;
    plan *p = make_plan(CONTEXT + STEPS - 1, &x, &y);
    lifetimes(p);
    plan_close(&p);
    mimi_model *mimi = models_mimi();
    lifetimes(mimi->encoder);
    lifetimes(mimi->decoder);
    mimi_model_close(&mimi);
    lm_model *lm = models_lm();
    lifetimes(lm->plain.plan);
    size_t sum = 0;
    for (size_t i = 0; i < lm->plain.plan->n_tensors; i++)
        if (lm->plain.plan->tensors[i].space == PLAN_FRAME)
            sum += lm->plain.plan->tensors[i].bytes;
    assert_true(lm->plain.plan->frame_bytes < sum / 4);
    lm_model_close(&lm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits),
        cmocka_unit_test(wrapped_ring),
        cmocka_unit_test(full_ring),
        cmocka_unit_test(seek_to_full),
        cmocka_unit_test(small_until_then),
        cmocka_unit_test(instruction_sets),
        cmocka_unit_test(memory_plan),
    };
    return cmocka_run_group_tests_name("plan", tests, make_data, drop_data);
}
