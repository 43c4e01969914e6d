/* test_ops.c: each operation on the GPU against the CPU's reference.
 *
 * Goal: every kind of operation computes on a Vulkan device what the
 * reference computes, for every type of weight, odd sizes, several lanes, any
 * order of slots, positions of the first second and of the first day; and
 * touches nothing else. Method: one-operation plans with random contents, run
 * on both (harness.h). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/half.h"
#include "harness.h"
#include "plan/sampler.h"
#include "vulkan/run.h"

static const dtype weight_types[] = {DTYPE_F32,  DTYPE_F16,  DTYPE_BF16,
                                     DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_Q4_K,
                                     DTYPE_Q5_K, DTYPE_Q6_K};
#define N_TYPES (sizeof weight_types / sizeof *weight_types)

static tensor_id input(builder *b, const char *name, size_t rows,
                       size_t width)
{
    tensor_id t = builder_frame(b, name, DTYPE_F32, rows, width);
    builder_pin(b, t);
    return t;
}

static tensor_id tokens(builder *b, size_t rows, size_t width)
{
    tensor_id t = builder_frame(b, "tokens", DTYPE_I32, rows, width);
    builder_pin(b, t);
    return t;
}

static tensor_id output(builder *b, dtype type, size_t rows, size_t width)
{
    tensor_id t = builder_frame(b, "y", type, rows, width);
    builder_pin(b, t);
    return t;
}

static tensor_id floats(builder *b, size_t rows, size_t width, float scale)
{
    return builder_weight(b, "w", DTYPE_F32, rows, width,
                          harness_floats(rows * width, scale));
}

static tensor_id weight(builder *b, dtype type, size_t rows, size_t width)
{
    return builder_weight(b, "weight", type, rows, width,
                          harness_weights(type, rows, width));
}

static const char *label(const char *format, ...)
{
    static char text[128];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return text;
}

/* --- linear --- */

static void one_linear(dtype type, size_t N, size_t K, size_t rows,
                       size_t stride, bool bias, bool quantize)
{
    harness_seed(3);
    builder *b = builder_open("test", 1, 1);
    /* With stride < K the rows overlap (convolutions). */
    tensor_id x = stride == K
                      ? input(b, "x", rows, K)
                      : input(b, "x", 1, (rows - 1) * stride + K);
    if (quantize) {
        tensor_id q = builder_frame(b, "q", DTYPE_Q8_0, rows, K);
        plan_op *op = builder_append(b, OP_QUANTIZE, "quantize");
        op->in[0] = x;
        op->out = q;
        x = q;
    }
    tensor_id w = weight(b, type, N, K);
    tensor_id v = bias ? floats(b, 1, N, 1) : TENSOR_NONE;
    tensor_id y = output(b, DTYPE_F32, rows, N);
    plan_op *op = builder_append(b, OP_LINEAR, "linear");
    op->in[0] = w;
    op->in[1] = x;
    op->in[2] = v;
    op->out = y;
    op->p.linear.rows = rows;
    op->p.linear.stride = stride;
    harness_case c = {.label = label("linear %s%s [%zu, %zu] x %zu",
                                     dtype_info(type)->name,
                                     quantize ? " x Q8_0" : "", N, K, rows),
                      .tolerance = 2e-5, .scale = 1};
    harness_compare(&c, b);
}

static void linear(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_TYPES; i++) {
        dtype type = weight_types[i];
        size_t unit = dtype_info(type)->block;
        one_linear(type, 37, unit == 1 ? 71 : 3 * unit, 1, unit == 1 ? 71
                   : 3 * unit, true, false);
        one_linear(type, 129, 512, 3, 512, false, false);
    }
    /* Matrices of which a team takes two and four rows, not a whole number of
     * times. */
    for (size_t i = 0; i < N_TYPES; i++) {
        size_t unit = dtype_info(weight_types[i])->block;
        size_t K = unit == 1 ? 12 : unit;
        one_linear(weight_types[i], 2051, K, 1, K, true, false);
        one_linear(weight_types[i], 8195, K, 1, K, false, false);
    }
    one_linear(DTYPE_Q8_0, 2051, 64, 1, 64, true, true);
    one_linear(DTYPE_Q8_0, 8195, 64, 2, 64, false, true);
    one_linear(DTYPE_F32, 1, 1, 1, 1, false, false);
    /* Fours of x that begin anywhere, or cross the end of a row. */
    one_linear(DTYPE_F32, 40, 8, 5, 2, true, false);
    one_linear(DTYPE_F32, 9, 6, 7, 4, false, false);
    one_linear(DTYPE_F16, 41, 10, 6, 10, true, false);
    one_linear(DTYPE_F32, 64, 7, 40, 1, true, false);
    one_linear(DTYPE_F32, 33, 48, 9, 16, true, false);
    one_linear(DTYPE_BF16, 5, 3, 2, 3, true, false);
    one_linear(DTYPE_BF16, 300, 1000, 5, 1000, false, false);
    one_linear(DTYPE_Q8_0, 37, 96, 1, 96, true, true);
    one_linear(DTYPE_Q8_0, 5, 32, 1, 32, false, true);
    one_linear(DTYPE_Q8_0, 130, 544, 3, 544, true, true);
}

/* When a runner is open all shaders are compiled, whatever number of lanes it
 * will run. The first test, so that no other has compiled them. */
static void no_shader_late(void **state)
{
    enum { LANES_MAX = 8 };
    backend *be = harness_gpu();
    const vk_pipelines *pipelines = &((const vk_backend *)be)->pipelines;
    (void)state;
    for (size_t rows = 1; rows <= 3; rows++) {
        moshi_error err = {0};
        plan *p = NULL;
        plan_runner *r = NULL;
        plan_state *lanes[LANES_MAX];
        builder *b = builder_open("test", 1, 1);
        plan_op *op = builder_append(b, OP_LINEAR, "linear");
        op->in[0] = weight(b, DTYPE_BF16, 40 + rows, 64);
        op->in[1] = input(b, "x", rows, 64);
        op->out = output(b, DTYPE_F32, rows, 40 + rows);
        op->p.linear.rows = rows;
        op->p.linear.stride = 64;
        assert_int_equal(builder_finish(&b, &p, &err), MOSHI_OK);
        for (int i = 0; i < LANES_MAX; i++)
            assert_int_equal(be->state_open(be, p, &lanes[i], &err), MOSHI_OK);
        assert_int_equal(be->runner_open(be, p, LANES_MAX, &r, &err),
                         MOSHI_OK);
        size_t n = pipelines->n;
        for (int i = 1; i <= LANES_MAX; i++)
            be->run(r, lanes, i, NULL);
        assert_int_equal(pipelines->n, n);
        be->runner_close(&r);
        for (int i = 0; i < LANES_MAX; i++)
            be->state_close(&lanes[i]);
        plan_close(&p);
    }
}

/* --- row by row --- */

static void pointwise(void **state)
{
    static const struct { op_kind kind; const char *name; float scale; }
        kinds[] = {{OP_ELU, "elu", 9}, {OP_GELU, "gelu", 6},
                   {OP_ELU, "elu, large", 200}, {OP_GELU, "gelu, large", 80},
                   {OP_SILU_GATE, "silu_gate", 9},
                   {OP_SILU_GATE, "silu_gate, large", 120},
                   {OP_SOFTMAX, "softmax", 20}, {OP_SOFTMAX, "softmax", 200}};
    static const size_t widths[] = {1, 33, 257};
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (size_t k = 0; k < 3; k++) {
            bool gate = kinds[i].kind == OP_SILU_GATE;
            builder *b = builder_open("test", 1, 1);
            tensor_id x = input(b, "x", 3, widths[k] * (gate ? 2 : 1));
            tensor_id y = output(b, DTYPE_F32, 3, widths[k]);
            plan_op *op = builder_append(b, kinds[i].kind, kinds[i].name);
            op->in[0] = x;
            op->out = y;
            harness_case c = {.label = label("%s %zu", kinds[i].name,
                                             widths[k]),
                              .tolerance = 2e-6, .scale = kinds[i].scale};
            harness_compare(&c, b);
        }
}

static void add(void **state)
{
    (void)state;
    for (int scaled = 0; scaled < 2; scaled++)
        for (int from_state = 0; from_state < 2; from_state++) {
            harness_seed(9);
            builder *b = builder_open("test", 1, 1);
            tensor_id x = input(b, "x", 2, 131);
            tensor_id z = from_state ? builder_state(b, "z", DTYPE_F32, 2,
                                                     131, true)
                                     : input(b, "z", 2, 131);
            tensor_id s = scaled ? floats(b, 1, 131, 1) : TENSOR_NONE;
            tensor_id y = output(b, DTYPE_F32, 2, 131);
            plan_op *op = builder_append(b, OP_ADD, "add");
            op->in[0] = x;
            op->in[1] = z;
            op->in[2] = s;
            op->out = y;
            harness_case c = {.label = label("add%s%s", scaled ? ", scaled"
                                             : "", from_state ? ", state"
                                             : ""),
                              .tolerance = 1e-7, .scale = 1};
            harness_compare(&c, b);
        }
}

static void norms(void **state)
{
    static const size_t widths[] = {1, 3, 127, 128, 513};
    (void)state;
    for (int layer = 0; layer < 2; layer++)
        for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
            if (layer && widths[k] == 1)
                continue; /* variance 0: 0/0 of rounding errors */
            harness_seed(11);
            builder *b = builder_open("test", 1, 1);
            tensor_id x = input(b, "x", 3, widths[k]);
            tensor_id w = floats(b, 1, widths[k], 1);
            tensor_id v = layer ? floats(b, 1, widths[k], 1) : TENSOR_NONE;
            tensor_id y = output(b, DTYPE_F32, 3, widths[k]);
            plan_op *op = builder_append(b, layer ? OP_LAYER_NORM
                                                  : OP_RMS_NORM, "norm");
            op->in[0] = x;
            op->in[1] = w;
            op->in[2] = v;
            op->out = y;
            op->p.norm.eps = 1e-5f;
            harness_case c = {.label = label("%s %zu", layer ? "layer_norm"
                                             : "rms_norm", widths[k]),
                              .tolerance = 4e-6, .scale = 3};
            harness_compare(&c, b);
        }
}

static void quantize(void **state)
{
    static const float scales[] = {1, 1e-4f, 1e-20f, 1000};
    (void)state;
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++)
        for (size_t blocks = 1; blocks <= 5; blocks += 2) {
            builder *b = builder_open("test", 1, 1);
            tensor_id x = input(b, "x", 3, 32 * blocks);
            tensor_id y = builder_frame(b, "y", DTYPE_Q8_0, 3, 32 * blocks);
            plan_op *op = builder_append(b, OP_QUANTIZE, "quantize");
            op->in[0] = x;
            op->out = y;
            harness_case c = {.label = label("quantize %zu blocks x 3, up to "
                                             "%g: bytes", blocks,
                                             (double)scales[i]),
                              .scale = scales[i], .frames = 5};
            harness_compare(&c, b);
        }
}

/* --- tokens --- */

static void embed(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_TYPES; i++)
        for (int adds = 0; adds < 2; adds++) {
            dtype type = weight_types[i];
            size_t unit = dtype_info(type)->block;
            size_t D = unit == 1 ? 67 : 3 * unit;
            harness_seed(13);
            builder *b = builder_open("test", 1, adds ? 2 : 1);
            tensor_id w = weight(b, type, 50, D);
            /* One row of tokens serves all, or each its own. */
            tensor_id t = tokens(b, adds ? 2 : 1, 3);
            tensor_id a = adds ? input(b, "addend", 2, D) : TENSOR_NONE;
            tensor_id y = output(b, DTYPE_F32, 2, D);
            plan_op *op = builder_append(b, OP_EMBED, "embed");
            op->in[0] = w;
            op->in[1] = t;
            op->in[2] = a;
            op->out = y;
            op->p.embed.column = 1;
            op->p.embed.sign = adds ? -1.0f : 1.0f;
            harness_case c = {.label = label("embed %s%s",
                                             dtype_info(type)->name,
                                             adds ? ", subtracted" : ""),
                              .tolerance = 2e-7, .scale = 1,
                              .token_least = -1, .token_end = 50,
                              .frames = 6};
            harness_compare(&c, b);
        }
}

static void demux(void **state)
{
    (void)state;
    builder *b = builder_open("test", 1, 1);
    tensor_id t = tokens(b, 2, 3);
    tensor_id y = output(b, DTYPE_I32, 2, 2);
    plan_op *op = builder_append(b, OP_DEMUX, "demux");
    op->in[0] = t;
    op->out = y;
    op->p.demux.column = 2;
    op->p.demux.base = 17;
    harness_case c = {.label = "demux", .token_least = -1, .token_end = 300,
                      .frames = 6};
    harness_compare(&c, b);
}

static void nearest(void **state)
{
    static const struct { size_t entries, dim; float scale; } sizes[] = {
        {1, 1, 1}, {37, 5, 1}, {300, 32, 1}, {300, 32, 1e-3f}, {130, 33, 50}};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        harness_seed(17);
        size_t n = sizes[i].entries, dim = sizes[i].dim;
        float *rows = harness_floats(n * dim, 1);
        double *norms = harness_block(n * sizeof *norms);
        /* Entries but for the last bits the same, and two that are equal. */
        if (n > 30) {
            memcpy(rows + 20 * dim, rows + 3 * dim, dim * sizeof *rows);
            memcpy(rows + 21 * dim, rows + 3 * dim, dim * sizeof *rows);
            rows[21 * dim] = nextafterf(rows[21 * dim], 9);
        }
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < dim; k++)
                norms[j] += 0.5 * (double)rows[j * dim + k] *
                            (double)rows[j * dim + k];
        builder *b = builder_open("test", 1, 1);
        tensor_id w = builder_weight(b, "book", DTYPE_F32, n, dim, rows);
        tensor_id x = input(b, "x", 2, dim);
        tensor_id y = output(b, DTYPE_I32, 2, 3);
        plan_op *op = builder_append(b, OP_NEAREST, "nearest");
        op->in[0] = w;
        op->in[1] = x;
        op->out = y;
        op->p.nearest.column = 1;
        op->p.nearest.half_norms = norms;
        harness_case c = {.label = label("nearest of %zu, %zu wide", n, dim),
                          .scale = sizes[i].scale, .frames = 12};
        harness_compare(&c, b);
    }
}

/* --- sampling --- */

static sampler settings;

static void prepare_sampler(backend *be, const plan *p, plan_state *s,
                            int stream)
{
    for (size_t t = 0; t < p->n_tensors; t++)
        if (p->tensors[t].type == DTYPE_U8) {
            sampler own = settings;
            own.text.seed += (uint64_t)stream << 40;
            own.audio.seed += (uint64_t)stream << 40;
            be->state_write(s, (tensor_id)t, 0, &own, sizeof own);
        }
}

static void one_sample(const char *name, size_t V, bool text, bool forced,
                       float scale, int frames)
{
    builder *b = builder_open("test", 1, 1);
    tensor_id x = input(b, "x", 1, V);
    tensor_id f = tokens(b, 1, 3);
    tensor_id s = builder_state(b, "settings", DTYPE_U8, 1, sizeof(sampler),
                                true);
    tensor_id copy = builder_frame(b, "logits", DTYPE_F32, 1, V);
    tensor_id y = output(b, DTYPE_I32, 1, 3);
    /* Bending writes the logits: give it some that may be written. */
    plan_op *op = builder_append(b, OP_ADD, "copy");
    op->in[0] = x;
    op->in[1] = x;
    op->out = copy;
    op = builder_append(b, OP_SAMPLE, "sample");
    op->in[0] = copy;
    op->in[1] = f;
    op->in[2] = s;
    op->out = y;
    op->p.sample.column = 1;
    op->p.sample.text = text;
    harness_case c = {.label = label("sample %s of %zu: tokens", name, V),
                      .scale = scale, .frames = frames,
                      .token_least = TOKEN_FREE,
                      .token_end = forced ? 3 : TOKEN_FREE + 1,
                      .prepare = prepare_sampler};
    harness_compare(&c, b);
}

static void sample(void **state)
{
    static const size_t sizes[] = {1, 2, 31, 257, 2049};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t V = sizes[i];
        settings = (sampler){.text = {.seed = 5}, .audio = {.seed = 6}};
        one_sample("greedy", V, false, false, 4, 4);
        settings.audio = (sampler_choice){0.8f, 25, 0x123456789abcdefu, 0};
        settings.text = (sampler_choice){0.7f, 25, 77, 0xffffffffu};
        one_sample("25 likeliest", V, false, false, 4, 40);
        one_sample("25 likeliest text", V, true, false, 4, 10);
        settings.audio.top_k = 0;
        one_sample("all", V, false, false, 4, 40);
        settings.audio.temperature = 0.05f;
        one_sample("all, cold", V, false, false, 40, 20);
        settings.audio.temperature = 30;
        one_sample("all, hot, or forced", V, false, true, 4, 40);
        settings.bend = (sampler_bend){.pad_mult = 0.7f, .penalty = 1.4f,
                                       .context = 7, .pad = 1, .end_pad = 0};
        one_sample("bent text, or forced", V, true, true, 1, 60);
    }
}

static void ties(void **state)
{
    (void)state;
    /* All logits are one of three values: x is too small to change them. */
    for (int k = 1; k < 600; k += 149) {
        size_t V = 600;
        builder *b = builder_open("test", 1, 1);
        float *values = harness_block(V * sizeof *values);
        for (size_t i = 0; i < V; i++)
            values[i] = 1 + (float)(harness_bits() % 3);
        tensor_id x = input(b, "x", 1, V);
        tensor_id w = builder_weight(b, "values", DTYPE_F32, 1, V, values);
        tensor_id f = tokens(b, 1, 1);
        tensor_id s = builder_state(b, "settings", DTYPE_U8, 1,
                                    sizeof(sampler), true);
        tensor_id logits = builder_frame(b, "logits", DTYPE_F32, 1, V);
        tensor_id y = output(b, DTYPE_I32, 1, 1);
        plan_op *op = builder_append(b, OP_ADD, "logits");
        op->in[0] = x;
        op->in[1] = w;
        op->out = logits;
        op = builder_append(b, OP_SAMPLE, "sample");
        op->in[0] = logits;
        op->in[1] = f;
        op->in[2] = s;
        op->out = y;
        harness_case c = {.label = label("sample, ties, %d likeliest", k),
                          .scale = 1e-20f, .frames = 40,
                          .token_least = TOKEN_FREE,
                          .token_end = TOKEN_FREE + 1,
                          .prepare = prepare_sampler};
        settings = (sampler){.audio = {1, k, 3, 0}};
        harness_compare(&c, b);
    }
}

static void guide(void **state)
{
    (void)state;
    builder *b = builder_open("test", 1, 2);
    tensor_id x = input(b, "x", 2, 131);
    tensor_id s = builder_state(b, "settings", DTYPE_U8, 1, sizeof(sampler),
                                true);
    tensor_id y = output(b, DTYPE_F32, 1, 131);
    plan_op *op = builder_append(b, OP_GUIDE, "guide");
    op->in[0] = x;
    op->in[1] = s;
    op->out = y;
    settings = (sampler){.guidance = 2.5f};
    harness_case c = {.label = "guide", .tolerance = 1e-6, .scale = 3,
                      .prepare = prepare_sampler};
    harness_compare(&c, b);
}

/* --- positions --- */

static void positions(void **state)
{
    static const int64_t seeks[] = {0, 1, 3000, 1000003};
    (void)state;
    for (size_t i = 0; i < sizeof seeks / sizeof *seeks; i++) {
        float *frequency = harness_block(20 * sizeof *frequency);
        for (int k = 0; k < 20; k++)
            frequency[k] = 1.0f / powf(10000, (float)k / 20);
        builder *b = builder_open("test", 3, 1);
        tensor_id w = builder_weight(b, "f", DTYPE_F32, 1, 20, frequency);
        tensor_id y = output(b, DTYPE_F32, 3, 40);
        plan_op *op = builder_append(b, OP_ROPE_TABLE, "table");
        op->in[0] = w;
        op->out = y;
        harness_case c = {.label = label("rope_table at %lld",
                                         (long long)seeks[i]),
                          .tolerance = 3e-7, .scale = 1, .seek = seeks[i]};
        harness_compare(&c, b);
        for (int constant = 0; constant < 2; constant++) {
            b = builder_open("test", 3, 2);
            tensor_id x = input(b, "x", 6, 70);
            y = output(b, DTYPE_F32, 6, 70);
            op = builder_append(b, OP_SINUSOID, "sinusoid");
            op->in[0] = x;
            op->out = y;
            op->p.sinusoid.position = constant ? 5 : OP_POSITION_STREAM;
            c.label = label("sinusoid at %lld%s", (long long)seeks[i],
                            constant ? ", constant" : "");
            harness_compare(&c, b);
        }
    }
}

static void rope(void **state)
{
    (void)state;
    for (int concat = 0; concat < 2; concat++)
        for (int odd = 0; odd < 2; odd++) {
            builder *b = builder_open("test", 3, 2);
            size_t width = (3 + 1 + 1) * 6 + (odd ? 1 : 0);
            tensor_id x = input(b, "x", 6, width);
            tensor_id t = input(b, "table", 3, 6);
            tensor_id y = output(b, DTYPE_F32, 6, width);
            plan_op *op = builder_append(b, OP_ROPE, "rope");
            op->in[0] = x;
            op->in[1] = t;
            op->out = y;
            op->p.rope.heads = 3;
            op->p.rope.kv_heads = 1;
            op->p.rope.head_dim = 6;
            op->p.rope.concat = concat;
            harness_case c = {.label = label("rope%s", concat ? ", halves"
                                                              : ", pairs"),
                              .tolerance = 3e-7, .scale = 1};
            harness_compare(&c, b);
        }
}

/* --- attention --- */

typedef struct attention_case {
    const char *name;
    int heads, kv_heads, head_dim, steps, branches, capacity, context;
    int position;
    op_window window;
    int64_t seek;
    bool in_frame; /* the cache is a frame tensor (depformer) */
    dtype type;    /* of the cache */
} attention_case;

/* On the device the scales of Q8_0 lie behind all quants, key and value side by
 * side: src/vulkan/shaders/cache.glsl. */
static size_t place_in_cache(const void *user, const plan_tensor *t, size_t at)
{
    const attention_case *a = user;
    if (t->type != DTYPE_Q8_0)
        return at;
    size_t block = at / 34, in_block = at % 34;
    size_t per_key = (size_t)a->head_dim / 32;
    size_t per_half = (size_t)(a->kv_heads * a->capacity) * per_key;
    size_t quants = t->bytes / 34 * 32;
    if (in_block >= 2)
        return block * 32 + in_block - 2;
    size_t branch = block / (2 * per_half), half = block / per_half % 2;
    return quants + (branch * per_half + block % per_half) * 4 + half * 2 +
           in_block;
}

static plan_op *append(builder *b, const attention_case *a, tensor_id x)
{
    size_t kv = 2 * (size_t)(a->kv_heads * a->head_dim);
    size_t slots = (size_t)(a->branches * a->capacity);
    tensor_id cache = a->in_frame
                          ? builder_frame(b, "cache", a->type, slots, kv)
                          : builder_state(b, "cache", a->type, slots, kv,
                                          true);
    plan_op *op = builder_append(b, OP_KV_APPEND, "append");
    op->in[0] = x;
    op->in[1] = cache;
    op->out = cache;
    op->p.attention.heads = a->heads;
    op->p.attention.kv_heads = a->kv_heads;
    op->p.attention.head_dim = a->head_dim;
    op->p.attention.steps = a->steps;
    op->p.attention.capacity = a->capacity;
    op->p.attention.context = a->context;
    op->p.attention.position = a->position;
    op->p.attention.window = a->window;
    return op;
}

static builder *attention_plan(const attention_case *a)
{
    builder *b = builder_open("test", a->steps, a->branches);
    size_t q = (size_t)(a->heads * a->head_dim);
    size_t kv = 2 * (size_t)(a->kv_heads * a->head_dim);
    size_t rows = (size_t)(a->steps * a->branches);
    tensor_id x = input(b, "qkv", rows, q + kv);
    tensor_id y = output(b, DTYPE_F32, rows, q);
    plan_op same = *append(b, a, x);
    plan_op *op = builder_append(b, OP_ATTENTION, "attention");
    op->p = same.p;
    op->in[0] = x;
    op->in[1] = same.out;
    op->out = y;
    return b;
}

static void one_attention(const attention_case *a, bool alone)
{
    harness_case c = {.label = label("attention %s, %s", a->name,
                                     dtype_info(a->type)->name),
                      .tolerance = 5e-6, .scale = 2, .seek = a->seek,
                      .frames = 5, .place = place_in_cache, .user = a};
    if (alone)
        harness_same_bits(&c, attention_plan(a));
    else
        harness_compare(&c, attention_plan(a));
}

/* What is appended has the CPU's very bytes, for numbers of every size: where
 * halves end, begin, and tie. */
static float near_half(size_t i)
{
    static const float ends[] = {0.0f,      -0.0f,     65504.0f, 65519.996f,
                                 65520.0f,  -65520.0f, 1e30f,    INFINITY,
                                 -INFINITY, NAN,       0x1p-24f, 0x1p-25f,
                                 0x1.8p-25f, 0x1p-14f, 0x1.ffcp-15f, 1e-30f};
    if (i < sizeof ends / sizeof *ends)
        return ends[i];
    uint16_t h = (uint16_t)(harness_bits() % 0x7bff);
    float low = half_to_float(h), high = half_to_float((uint16_t)(h + 1));
    float tie = low + (high - low) / 2;
    float sign = harness_bits() % 2 ? 1.0f : -1.0f;
    switch (harness_bits() % 4) {
    case 0:
        return sign * tie;
    case 1:
        return sign * nextafterf(tie, INFINITY);
    case 2:
        return sign * nextafterf(tie, 0);
    default:
        return sign * low;
    }
}

static void append_rounds(void **state)
{
    enum { HD = 64, ROWS = 40 };
    (void)state;
    for (int i = 0; i < 2; i++) {
        attention_case a = {.heads = 1, .kv_heads = 1, .head_dim = HD,
                            .steps = 1, .branches = 1, .capacity = ROWS,
                            .context = ROWS, .position = -1,
                            .type = i ? DTYPE_Q8_0 : DTYPE_F16};
        harness_seed(41);
        float *table = harness_block((size_t)ROWS * 3 * HD * sizeof *table);
        for (size_t k = 0; k < (size_t)ROWS * 3 * HD; k++)
            table[k] = near_half(k % (3 * HD) < HD ? 99 : k % (2 * HD));
        builder *b = builder_open("test", 1, 1);
        tensor_id w = builder_weight(b, "w", DTYPE_F32, ROWS, 3 * HD, table);
        tensor_id t = tokens(b, 1, 1);
        tensor_id x = builder_frame(b, "qkv", DTYPE_F32, 1, 3 * HD);
        plan_op *op = builder_append(b, OP_EMBED, "embed");
        op->in[0] = w;
        op->in[1] = t;
        op->out = x;
        op->p.embed.sign = 1;
        append(b, &a, x);
        harness_case c = {.label = label("append to %s: bytes",
                                         dtype_info(a.type)->name),
                          .scale = 1, .token_end = ROWS, .frames = 2 * ROWS,
                          .place = place_in_cache, .user = &a};
        harness_compare(&c, b);
    }
}

static int32_t source_slots; /* of each branch */

static void prepare_source(backend *be, const plan *p, plan_state *s,
                           int stream)
{
    for (size_t t = 0; t < p->n_tensors; t++) {
        const plan_tensor *x = &p->tensors[t];
        /* 0 … all of them */
        int32_t length[2] = {stream * source_slots / 4,
                             source_slots - stream};
        if (x->space == PLAN_STATE && x->type == DTYPE_I32)
            be->state_write(s, (tensor_id)t, 0, length, sizeof length);
        else if (x->space == PLAN_STATE)
            be->state_write(s, (tensor_id)t, 0,
                            harness_floats(x->bytes / 4, 1), x->bytes);
    }
}

static void source(int capacity)
{
    source_slots = capacity;
    builder *b = builder_open("test", 1, 2);
    tensor_id x = input(b, "q", 2, 3 * 10);
    tensor_id cache = builder_state(b, "cache", DTYPE_F32,
                                    2 * (size_t)capacity, 60, true);
    tensor_id n = builder_state(b, "length", DTYPE_I32, 2, 1, true);
    tensor_id y = output(b, DTYPE_F32, 2, 30);
    plan_op *op = builder_append(b, OP_ATTENTION, "attention");
    op->in[0] = x;
    op->in[1] = cache;
    op->in[2] = n;
    op->out = y;
    op->p.attention.heads = op->p.attention.kv_heads = 3;
    op->p.attention.head_dim = 10;
    op->p.attention.steps = 1;
    op->p.attention.capacity = capacity;
    op->p.attention.position = OP_POSITION_STREAM;
    op->p.attention.window = OP_WINDOW_SOURCE;
    harness_case c = {.label = label("attention to a source of %d", capacity),
                      .tolerance = 3e-6, .scale = 2,
                      .prepare = prepare_source};
    harness_compare(&c, b);
}

static bool type_fits(const attention_case *a, dtype type)
{
    return type == DTYPE_F32 || (type == DTYPE_F16 && a->head_dim % 2 == 0) ||
           (type == DTYPE_Q8_0 && a->head_dim % 32 == 0 && !a->in_frame);
}

static void attention(void **state)
{
    static const dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_Q8_0};
    static const attention_case cases[] = {
        {"first steps", 2, 2, 8, 1, 1, 20, 20, -1, OP_WINDOW_EXACT, 0, false,
         0},
        {"wrapped, of 3", 4, 2, 33, 3, 2, 13, 11, -1, OP_WINDOW_EXACT, 40,
         false, 0},
        {"wrapped, of 3 x 96", 4, 2, 96, 3, 2, 13, 11, -1, OP_WINDOW_EXACT,
         40, false, 0},
        {"128 keys", 3, 1, 32, 1, 1, 128, 128, -1, OP_WINDOW_EXACT, 500, false,
         0},
        {"300 keys", 1, 1, 64, 1, 1, 300, 300, -1, OP_WINDOW_EXACT, 1000,
         false, 0},
        {"300 keys, 126 so far", 2, 1, 64, 1, 2, 300, 300, -1,
         OP_WINDOW_EXACT, 126, false, 0},
        {"129 keys, wide heads", 2, 1, 200, 1, 1, 200, 129, -1,
         OP_WINDOW_EXACT, 777, false, 0},
        {"130 keys, widest heads", 1, 1, 512, 2, 1, 131, 130, -1,
         OP_WINDOW_EXACT, 777, false, 0},
        {"3000 keys", 4, 2, 128, 1, 1, 3000, 3000, -1, OP_WINDOW_EXACT, 7000,
         false, 0},
        {"as the official ring", 2, 2, 16, 2, 1, 12, 11, -1, OP_WINDOW_RING,
         3, false, 0},
        {"as the official ring, long", 2, 2, 32, 2, 1, 252, 251, -1,
         OP_WINDOW_RING, 240, false, 0},
        {"of a slice", 2, 2, 16, 1, 1, 8, 8, 0, OP_WINDOW_EXACT, 9, true, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t k = 0; k < 3; k++) {
            attention_case a = cases[i];
            a.type = types[k];
            if (!type_fits(&a, a.type))
                continue;
            one_attention(&a, false);
            if (a.context > 128)
                one_attention(&a, true);
        }
    source(16);
    source(150);
}

/* --- convolutions --- */

static void window(void **state)
{
    static const struct { size_t T, C, P; bool replicate; } sizes[] = {
        {1, 1, 3, true}, {4, 5, 2, false}, {2, 3, 7, true}, {200, 1, 6, true}};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t T = sizes[i].T, C = sizes[i].C, P = sizes[i].P;
        builder *b = builder_open("test", 1, 1);
        tensor_id x = input(b, "x", T, C);
        tensor_id tail = builder_state(b, "tail", DTYPE_F32, P, C, false);
        tensor_id y = output(b, DTYPE_F32, P + T, C);
        plan_op *op = builder_append(b, OP_WINDOW, "window");
        op->in[0] = x;
        op->in[1] = tail;
        op->out = y;
        op->p.window.replicate = sizes[i].replicate;
        harness_case c = {.label = label("window %zu + [%zu, %zu]", P, T, C),
                          .scale = 1};
        harness_compare(&c, b);
    }
}

static void upsample(void **state)
{
    (void)state;
    for (size_t T = 1; T <= 3; T += 2) {
        harness_seed(23);
        builder *b = builder_open("test", 1, 1);
        tensor_id w = floats(b, 37, 4, 1);
        tensor_id x = input(b, "x", T, 37);
        tensor_id past = builder_state(b, "past", DTYPE_F32, 1, 37, false);
        tensor_id y = output(b, DTYPE_F32, 2 * T, 37);
        plan_op *op = builder_append(b, OP_UPSAMPLE, "upsample");
        op->in[0] = w;
        op->in[1] = x;
        op->in[2] = past;
        op->out = y;
        op->p.upsample.stride = 2;
        harness_case c = {.label = label("upsample of %zu", T),
                          .tolerance = 2e-7, .scale = 1};
        harness_compare(&c, b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_shader_late),
        cmocka_unit_test(linear),    cmocka_unit_test(pointwise),
        cmocka_unit_test(add),       cmocka_unit_test(norms),
        cmocka_unit_test(quantize),  cmocka_unit_test(embed),
        cmocka_unit_test(demux),     cmocka_unit_test(nearest),
        cmocka_unit_test(sample),    cmocka_unit_test(ties),
        cmocka_unit_test(guide),     cmocka_unit_test(positions),
        cmocka_unit_test(rope),      cmocka_unit_test(attention),
        cmocka_unit_test(append_rounds),
        cmocka_unit_test(window),    cmocka_unit_test(upsample),
    };
    harness_gpu();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    int complaints = harness_close();
    if (complaints > 0)
        fprintf(stderr, "%d messages of the validation layers\n", complaints);
    return failed || complaints > 0;
}
