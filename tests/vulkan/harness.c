/* harness.c: run a plan on both backends and hold the results together. */
#include "harness.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/half.h"
#include "cpu/backend.h"
#include "cpu/blocks.h"
#include "vulkan/backend.h"
#include "vulkan/run.h"

#define LANES 3
#define STREAMS 5
#define BLOCKS_MAX 4096
#define GUARD 0xa5

static backend *gpu, *cpu;
static void *blocks[BLOCKS_MAX];
static size_t n_blocks;
static uint64_t random_state = 1;

backend *harness_gpu(void)
{
    moshi_error err = {0};
    if (gpu)
        return gpu;
    moshi_status status = vulkan_backend_open(&gpu, -1, &err);
    if (status != MOSHI_OK) {
        fprintf(stderr, "SKIPPED: no Vulkan device: %s\n", err.message);
        exit(77);
    }
    printf("# on %s, validation layers %s\n", vulkan_backend_device(gpu),
           vulkan_backend_complaints(gpu, NULL) < 0 ? "NOT THERE" : "watching");
    return gpu;
}

backend *harness_cpu(void)
{
    moshi_error err = {0};
    if (!cpu && cpu_backend_open(&cpu, 1, CPU_REF, &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    return cpu;
}

static void free_blocks(void)
{
    for (size_t i = 0; i < n_blocks; i++)
        free(blocks[i]);
    n_blocks = 0;
}

int harness_close(void)
{
    const char *first = "";
    int complaints = gpu ? vulkan_backend_complaints(gpu, &first) : 0;
    if (complaints > 0)
        fprintf(stderr, "validation: %s\n", first);
    if (gpu)
        gpu->close(&gpu);
    if (cpu)
        cpu->close(&cpu);
    free_blocks();
    return complaints;
}

/* --- random contents --- */

void harness_seed(uint32_t seed)
{
    random_state = seed * 0x9e3779b97f4a7c15u + 1;
}

uint32_t harness_bits(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 32);
}

float harness_float(float scale)
{
    return scale * ((float)(harness_bits() >> 8) * 0x1p-23f - 1);
}

void *harness_block(size_t bytes)
{
    void *block = calloc(1, bytes + 1);
    assert_non_null(block);
    assert_true(n_blocks < BLOCKS_MAX);
    return blocks[n_blocks++] = block;
}

float *harness_floats(size_t n, float scale)
{
    float *x = harness_block(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = harness_float(scale);
    return x;
}

static void put_half(unsigned char *at, float scale)
{
    uint16_t h = half_from_float(harness_float(scale));
    memcpy(at, &h, sizeof h);
}

static void put_block(dtype type, unsigned char *block, size_t bytes)
{
    float f = harness_float(1);
    uint16_t h;
    switch (type) {
    case DTYPE_F32:
        memcpy(block, &f, sizeof f);
        return;
    case DTYPE_F16: /* a subnormal now and then */
        put_half(block, harness_bits() % 16 ? 1.0f : 5e-5f);
        return;
    case DTYPE_BF16:
        h = bfloat_from_float(f);
        memcpy(block, &h, sizeof h);
        return;
    default:
        for (size_t i = 0; i < bytes; i++)
            block[i] = (unsigned char)harness_bits();
    }
    put_half(type == DTYPE_Q6_K ? block + Q6_K_D : block, 0.02f);
    if (type == DTYPE_Q4_K || type == DTYPE_Q5_K)
        put_half(block + Q4_K_DMIN, 0.02f);
}

static void *noise(dtype type, size_t rows, size_t width)
{
    const dtype_traits *t = dtype_info(type);
    size_t n = rows * width / t->block;
    unsigned char *w = harness_block(n * t->bytes);
    for (size_t i = 0; i < n; i++)
        put_block(type, w + i * t->bytes, t->bytes);
    return w;
}

const void *harness_weights(dtype type, size_t rows, size_t width)
{
    return noise(type, rows, width);
}

/* --- state tensors, in the reference's order --- */

static void turn(const harness_case *c, const plan_tensor *t, char *device,
                 char *bytes, bool to_device)
{
    for (size_t i = 0; i < t->bytes; i++) {
        size_t at = c->place ? c->place(c->user, t, i) : i;
        assert_true(at < t->bytes);
        if (to_device)
            device[at] = bytes[i];
        else
            bytes[i] = device[at];
    }
}

static void put_state(const harness_case *c, backend *be, plan_state *s,
                      const plan *p, tensor_id tensor, void *bytes)
{
    const plan_tensor *t = &p->tensors[tensor];
    char *device = harness_block(t->bytes);
    turn(c, t, device, bytes, true);
    be->state_write(s, tensor, 0, be == gpu ? device : bytes, t->bytes);
}

static void *get_state(const harness_case *c, backend *be, plan_state *s,
                       const plan *p, tensor_id tensor)
{
    const plan_tensor *t = &p->tensors[tensor];
    char *device = harness_block(t->bytes), *bytes = harness_block(t->bytes);
    be->state_read(s, tensor, 0, device, t->bytes);
    turn(c, t, device, bytes, false);
    return be == gpu ? bytes : device;
}

/* --- one side --- */

typedef struct side {
    backend *be;
    plan_runner *runner;
    plan_state *streams[STREAMS];
    plan_state *lanes[LANES];
} side;

/* Lane i is stream (i + 1) * 2 mod 5: 2, 4, 1. */
static int stream_of(int lane)
{
    return (lane + 1) * 2 % STREAMS;
}

static void open_side(side *s, backend *be, const plan *p,
                      const harness_case *c, int lanes)
{
    moshi_error err = {0};
    s->be = be;
    for (int i = 0; i < STREAMS; i++) {
        if (be->state_open(be, p, &s->streams[i], &err) != MOSHI_OK)
            fail_msg("%s: %s", c->label, err.message);
        harness_seed(77u + (uint32_t)i);
        if (c->prepare) {
            c->prepare(be, p, s->streams[i], i);
        } else {
            for (size_t t = 0; t < p->n_tensors; t++) {
                const plan_tensor *x = &p->tensors[t];
                if (x->space == PLAN_STATE && dtype_is_weight(x->type))
                    put_state(c, be, s->streams[i], p, (tensor_id)t,
                              noise(x->type, x->rows, x->width));
            }
        }
        be->state_seek(s->streams[i], c->seek);
    }
    for (int l = 0; l < lanes; l++)
        s->lanes[l] = s->streams[stream_of(l)];
    if (be->runner_open(be, p, lanes, &s->runner, &err) != MOSHI_OK)
        fail_msg("%s: %s", c->label, err.message);
}

static void close_side(side *s)
{
    s->be->runner_close(&s->runner);
    for (int i = 0; i < STREAMS; i++)
        s->be->state_close(&s->streams[i]);
}

/* The same inputs for both sides. */
static void feed(side *a, side *b, const plan *p, const harness_case *c,
                 int lanes)
{
    for (size_t t = 0; t < p->n_tensors; t++) {
        const plan_tensor *x = &p->tensors[t];
        plan_value unused;
        if (!plan_value_of_input(p, (tensor_id)t, &unused))
            continue;
        for (int l = 0; l < lanes; l++) {
            size_t n = x->rows * x->width;
            uint32_t *data = harness_block(x->bytes);
            for (size_t i = 0; i < n; i++) {
                float f = harness_float(c->scale);
                int32_t k = c->token_least +
                            (int32_t)(harness_bits() %
                                      (uint32_t)(c->token_end -
                                                 c->token_least + 1));
                k = k >= c->token_end ? c->token_least : k;
                memcpy(&data[i], x->type == DTYPE_I32 ? (void *)&k
                                                      : (void *)&f, 4);
            }
            a->be->write(a->runner, (tensor_id)t, l, data);
            b->be->write(b->runner, (tensor_id)t, l, data);
        }
    }
}

/* --- comparing --- */

static double worst; /* error of the case, relative to the peak */

static void compare_floats(const harness_case *c, const char *name,
                           const float *a, const float *b, size_t n)
{
    double peak = 0, error = 0;
    for (size_t i = 0; i < n; i++) {
        peak = fabs((double)a[i]) > peak ? fabs((double)a[i]) : peak;
        double e = fabs((double)a[i] - (double)b[i]);
        if (!(e <= error))
            error = isnan(e) && !(isnan(a[i]) && isnan(b[i])) ? INFINITY : e;
    }
    double relative = peak > 0 ? error / peak : error;
    worst = relative > worst ? relative : worst;
    if (!(relative <= c->tolerance))
        fail_msg("%s: %s is off by %g of its peak %g (allowed: %g)", c->label,
                 name, relative, peak, c->tolerance);
}

static void compare_bytes(const harness_case *c, const char *name,
                          const void *a, const void *b, size_t bytes)
{
    if (memcmp(a, b, bytes) == 0)
        return;
    size_t i = 0;
    while (((const char *)a)[i] == ((const char *)b)[i])
        i++;
    fail_msg("%s: %s differs from byte %zu of %zu on", c->label, name, i,
             bytes);
}

static void compare_data(const harness_case *c, const plan_tensor *t,
                         const void *a, const void *b)
{
    if (t->type == DTYPE_F32)
        compare_floats(c, t->name, a, b, t->rows * t->width);
    else
        compare_bytes(c, t->name, a, b, t->bytes);
}

typedef struct collector {
    side *s;
    const plan *plan;
    int lanes;
    char **values; /* [n_ops * lanes] */
} collector;

static void collect(void *user, plan_runner *r, const plan_op *op)
{
    collector *k = user;
    size_t i = (size_t)(op - k->plan->ops);
    for (int l = 0; l < k->lanes; l++) {
        char *room = harness_block(k->plan->tensors[op->out].bytes);
        k->s->be->read(r, op->out, l, room);
        k->values[i * (size_t)k->lanes + (size_t)l] = room;
    }
}

static void compare_frame(const harness_case *c, const plan *p, collector *a,
                          collector *b)
{
    for (size_t i = 0; i < p->n_ops; i++)
        for (int l = 0; l < a->lanes; l++) {
            const plan_tensor *t = &p->tensors[p->ops[i].out];
            size_t at = i * (size_t)a->lanes + (size_t)l;
            if (t->space == PLAN_FRAME)
                compare_data(c, t, a->values[at], b->values[at]);
        }
}

static void compare_states(const harness_case *c, const plan *p, side *a,
                           side *b)
{
    for (size_t i = 0; i < p->n_tensors; i++) {
        const plan_tensor *t = &p->tensors[i];
        if (t->space != PLAN_STATE)
            continue;
        for (int s = 0; s < STREAMS; s++)
            compare_data(c, t,
                         get_state(c, a->be, a->streams[s], p, (tensor_id)i),
                         get_state(c, b->be, b->streams[s], p, (tensor_id)i));
    }
}

/* --- guard bytes --- */

static void whole_scratch(plan_runner *r, unsigned char *bytes, bool out)
{
    vk_backend *be = r->backend;
    size_t n = r->scratch.bytes - VK_STEPS_BYTES;
    vk_lock(be->ctx);
    if (out)
        vk_read(be->ctx, &be->transfer, &r->scratch, VK_STEPS_BYTES, bytes, n);
    else
        vk_write(be->ctx, &be->transfer, &r->scratch, VK_STEPS_BYTES, bytes,
                 n);
    vk_unlock(be->ctx);
}

/* Fill the scratch with a pattern, run, and see that it is still there
 * everywhere but in tensors that an operation writes or that are inputs. */
static void check_guards(const harness_case *c, const plan *p, side *s,
                         int lanes)
{
    plan_runner *r = s->runner;
    size_t n = r->scratch.bytes - VK_STEPS_BYTES;
    unsigned char *bytes = harness_block(n);
    bool *may = harness_block(n);
    memset(bytes, GUARD, n);
    whole_scratch(r, bytes, false);
    s->be->run(r, s->lanes, lanes, NULL);
    whole_scratch(r, bytes, true);
    for (size_t i = 0; i < p->n_tensors; i++) {
        const plan_tensor *t = &p->tensors[i];
        if (t->space != PLAN_FRAME)
            continue;
        for (int l = 0; l < lanes; l++) {
            size_t at = vk_scratch_at(r, t) - VK_STEPS_BYTES +
                        vk_lane_bytes(t) * (size_t)l;
            plan_value unused;
            /* Words; inputs are copied with what lies between lanes. */
            size_t end = plan_value_of_input(p, (tensor_id)i, &unused)
                             ? vk_lane_bytes(t) : (t->bytes + 3) / 4 * 4;
            memset(may + at, 1, end);
        }
    }
    for (size_t i = 0; i < n; i++)
        if (!may[i] && bytes[i] != GUARD)
            fail_msg("%s: byte %zu of the scratch was written; it is of no "
                     "tensor", c->label, i);
}

static void run_both(const harness_case *c, const plan *p, int lanes)
{
    side a = {0}, b = {0};
    int frames = c->frames ? c->frames : 3;
    open_side(&a, harness_cpu(), p, c, lanes);
    open_side(&b, harness_gpu(), p, c, lanes);
    size_t room = p->n_ops * (size_t)lanes * sizeof(char *);
    collector ka = {&a, p, lanes, harness_block(room)};
    collector kb = {&b, p, lanes, harness_block(room)};
    plan_hook ha = {collect, &ka, NULL}, hb = {collect, &kb, NULL};
    harness_seed(5);
    for (int f = 0; f < frames; f++) {
        feed(&a, &b, p, c, lanes);
        a.be->run(a.runner, a.lanes, lanes, &ha);
        b.be->run(b.runner, b.lanes, lanes, &hb);
        compare_frame(c, p, &ka, &kb);
    }
    compare_states(c, p, &a, &b);
    /* The whole frame at once makes what the single operations made. */
    feed(&a, &b, p, c, lanes);
    a.be->run(a.runner, a.lanes, lanes, NULL);
    b.be->run(b.runner, b.lanes, lanes, NULL);
    for (size_t i = 0; i < p->n_tensors; i++) {
        const plan_tensor *t = &p->tensors[i];
        if (t->space != PLAN_FRAME || !t->pinned)
            continue;
        for (int l = 0; l < lanes; l++) {
            void *x = harness_block(t->bytes), *y = harness_block(t->bytes);
            a.be->read(a.runner, (tensor_id)i, l, x);
            b.be->read(b.runner, (tensor_id)i, l, y);
            plan_value unused;
            if (!plan_value_of_input(p, (tensor_id)i, &unused))
                compare_data(c, t, x, y);
        }
    }
    check_guards(c, p, &b, lanes);
    close_side(&a);
    close_side(&b);
}

/* --- alone and beside others --- */

/* The same input of a stream and a frame, whatever lane it is in. */
static void feed_lane(side *a, const plan *p, const harness_case *c, int lane,
                      int stream, int frame)
{
    harness_seed((uint32_t)(stream * 100 + frame));
    for (size_t t = 0; t < p->n_tensors; t++) {
        const plan_tensor *x = &p->tensors[t];
        plan_value unused;
        if (!plan_value_of_input(p, (tensor_id)t, &unused))
            continue;
        assert_int_equal(x->type, DTYPE_F32);
        a->be->write(a->runner, (tensor_id)t, lane,
                     harness_floats(x->rows * x->width, c->scale));
    }
}

/* Pinned outputs after each frame, one after the other, of the streams that
 * the lanes are given to. */
static size_t outputs(const plan *p, const harness_case *c, int first,
                      int lanes, char *out, size_t room)
{
    side s = {0};
    plan_state *who[LANES];
    size_t n = 0;
    open_side(&s, harness_gpu(), p, c, lanes);
    for (int l = 0; l < lanes; l++)
        who[l] = s.streams[stream_of(first + l)];
    for (int f = 0; f < (c->frames ? c->frames : 3); f++) {
        for (int l = 0; l < lanes; l++)
            feed_lane(&s, p, c, l, stream_of(first + l), f);
        s.be->run(s.runner, who, lanes, NULL);
        for (size_t i = 0; i < p->n_tensors; i++) {
            const plan_tensor *t = &p->tensors[i];
            plan_value unused;
            if (t->space != PLAN_FRAME || !t->pinned ||
                plan_value_of_input(p, (tensor_id)i, &unused))
                continue;
            for (int l = 0; l < lanes; l++, n += t->bytes) {
                assert_true(n + t->bytes <= room);
                s.be->read(s.runner, (tensor_id)i, l, out + n);
            }
        }
    }
    close_side(&s);
    return n;
}

#define OUTPUTS_MAX ((size_t)1 << 20)

void harness_same_bits(const harness_case *c, builder *b)
{
    moshi_error err = {0};
    plan *p = NULL;
    if (builder_finish(&b, &p, &err) != MOSHI_OK)
        fail_msg("%s: %s", c->label, err.message);
    size_t frames = (size_t)(c->frames ? c->frames : 3);
    char *all = harness_block(OUTPUTS_MAX);
    size_t n = outputs(p, c, 0, LANES, all, OUTPUTS_MAX);
    size_t one = n / frames / LANES;
    assert_true(one > 0);
    for (int l = 0; l < LANES; l++) {
        char *alone = harness_block(OUTPUTS_MAX);
        assert_int_equal(outputs(p, c, l, 1, alone, OUTPUTS_MAX),
                         frames * one);
        for (size_t f = 0; f < frames; f++)
            if (memcmp(alone + f * one, all + (f * LANES + (size_t)l) * one,
                       one) != 0)
                fail_msg("%s: lane %d, frame %zu: other bits than alone",
                         c->label, l, f);
    }
    printf("  %-44s the same bits\n", c->label);
    plan_close(&p);
    free_blocks();
}

void harness_compare(const harness_case *c, builder *b)
{
    moshi_error err = {0};
    plan *p = NULL;
    if (builder_finish(&b, &p, &err) != MOSHI_OK)
        fail_msg("%s: %s", c->label, err.message);
    worst = 0;
    run_both(c, p, 1);
    run_both(c, p, LANES);
    printf("  %-44s %.1e (allowed %.0e)\n", c->label, worst, c->tolerance);
    plan_close(&p);
    free_blocks();
}
