/* bench_run.c: frames and passes over memory in turns; then the statistics. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/quantile.h"
#include "cpu/backend.h"
#include "vulkan/backend.h"
#include "lab/bench.h"
#include "lab/bench_loop.h"
#include "lab/machine.h"
#include "tasks/cache_type.h"

#define FRAMES_LEAST   20
#define FRAMES_MOST    200
#define SECONDS_MOST   10.0
#define PROFILE_FRAMES 20
#define WARM_UP        4

/* A model that stays in the caches is held up by a pass over memory: fewer of
 * them. */
#define SMALL_BYTES ((uint64_t)256 << 20)
#define SMALL_EVERY 10

static const char *const names[BENCH_PART_COUNT] = {
#define PART_NAME(name, text) text,
    BENCH_PARTS(PART_NAME)
#undef PART_NAME
};

/* What was measured, in the order in which it was. */
typedef struct record {
    bench_times *times; /* owned */
    size_t n, times_room;
    double *reads; /* owned: bytes per second of the passes over memory */
    size_t n_reads, reads_room;
    size_t every; /* one before the first frame, and after so many frames */
} record;

/* --- running --- */

/* Beside a GPU it is that one's memory that matters: what a copy moves. */
static double read_memory(bandwidth *memory, pool *threads, backend *be)
{
    return vulkan_backend_is(be) ? vulkan_backend_copy_rate(be)
                                 : bandwidth_read(memory, threads);
}

static bool add_read(record *r, bandwidth *memory, pool *threads, backend *be)
{
    if (!memory)
        return true;
    if (!memory_grow((void **)&r->reads, &r->reads_room, r->n_reads + 1,
                     sizeof *r->reads))
        return false;
    r->reads[r->n_reads++] = read_memory(memory, threads, be);
    return true;
}

static bool add_frame(record *r, bench_loop *l)
{
    if (!memory_grow((void **)&r->times, &r->times_room, r->n + 1,
                     sizeof *r->times))
        return false;
    bench_loop_frame(l, &r->times[r->n++]);
    return true;
}

static bool enough(const record *r, const bench_params *p, double began)
{
    if (p->frames)
        return r->n >= (size_t)p->frames;
    return r->n >= FRAMES_MOST ||
           (r->n >= FRAMES_LEAST && clock_seconds() - began > SECONDS_MOST);
}

static double fraction(const record *r, const bench_params *p, double began)
{
    double by_frames = (double)r->n / (p->frames ? p->frames : FRAMES_MOST);
    double by_time = p->frames ? 0 : (clock_seconds() - began) / SECONDS_MOST;
    return by_frames > by_time ? by_frames : by_time;
}

static bool run_frames(record *r, bench_loop *l, const bench_params *p,
                       uint64_t bytes, pool *threads, bench_times *first)
{
    bench_times ignored;
    int warm_up = WARM_UP;
    if (l->model->lm)
        warm_up += lm_config_acoustic_delay(&l->model->lm->config);
    bench_loop_frame(l, first);
    for (int i = 1; i < warm_up; i++)
        bench_loop_frame(l, &ignored);
    double began = clock_seconds();
    r->every = bytes < SMALL_BYTES ? SMALL_EVERY : 1;
    bool ok = add_read(r, p->memory, threads, l->model->backend);
    while (ok && !enough(r, p, began) &&
           backend_failure(l->model->backend, NULL) == MOSHI_OK) {
        ok = add_frame(r, l);
        if (ok && r->n % r->every == 0)
            ok = add_read(r, p->memory, threads, l->model->backend);
        if (p->progress)
            p->progress(p->user, fraction(r, p, began));
    }
    return ok;
}

/* --- what it says --- */

/* The first operation behind the text token. */
static size_t text_end(const plan *p)
{
    for (size_t i = 0; i < p->n_ops; i++)
        if (p->ops[i].kind == OP_SAMPLE && p->ops[i].p.sample.text)
            return i + 1;
    return p->n_ops;
}

/* Bytes of each part in a frame in the middle of the run. */
static void count_bytes(uint64_t bytes[BENCH_PART_COUNT], const bench_loop *l,
                        int64_t steps)
{
    const mimi_model *codec = l->model->mimi;
    memset(bytes, 0, BENCH_PART_COUNT * sizeof *bytes);
    if (l->listens)
        bytes[BENCH_ENCODE] =
            bench_bytes(codec->encoder, 0, codec->encoder->n_ops, l->lanes,
                        steps * codec->encoder->steps);
    if (l->speaks)
        bytes[BENCH_DECODE] =
            bench_bytes(codec->decoder, 0, codec->decoder->n_ops, l->lanes,
                        steps * codec->decoder->steps);
    if (l->model->lm) {
        const plan *p = l->model->lm->plain.plan;
        size_t split = text_end(p);
        bytes[BENCH_TEMPORAL] = bench_bytes(p, 0, split, l->lanes, steps);
        bytes[BENCH_DEPFORMER] = bench_bytes(p, split, p->n_ops, l->lanes,
                                             steps);
        bytes[BENCH_LM] = bytes[BENCH_TEMPORAL] + bytes[BENCH_DEPFORMER];
    }
    bytes[BENCH_FRAME] = bytes[BENCH_ENCODE] + bytes[BENCH_LM] +
                         bytes[BENCH_DECODE];
}

/* What is in the bytes of a language model's frame and is no weight. */
static uint64_t lm_cache_read(const bench_loop *l, int64_t steps)
{
    if (!l->model->lm)
        return 0;
    const plan *p = l->model->lm->plain.plan;
    return bench_bytes(p, 0, p->n_ops, l->lanes, steps) -
           bench_bytes(p, 0, p->n_ops, 0, 0);
}

static bool has_part(const bench_loop *l, bench_part_name part)
{
    const lm_model *lm = l->model->lm;
    switch (part) {
    case BENCH_ENCODE:
        return l->listens;
    case BENCH_DECODE:
        return l->speaks;
    case BENCH_DEPFORMER:
        return lm && lm->config.dep_q > 0;
    case BENCH_FRAME:
        return true;
    default:
        return lm != NULL;
    }
}

/* What memory gave around a frame: the mean of the passes before and after. */
static double read_around(const record *r, size_t frame)
{
    size_t before = frame / r->every, after = before + 1;
    return (r->reads[before] +
            r->reads[after < r->n_reads ? after : before]) / 2;
}

/* Each frame is held against the passes beside it: on a shared machine memory
 * is now and then half again as fast for a second. values: room for a number
 * each frame. */
static double of_reads(const record *r, size_t part, uint64_t bytes,
                       double *values)
{
    size_t n = 0;
    for (size_t f = 0; f < r->n && r->n_reads > 0; f++) {
        double seconds = r->times[f].seconds[part], read = read_around(r, f);
        if (seconds > 0 && read > 0)
            values[n++] = (double)bytes / seconds / read;
    }
    return quantile(values, n, 0.5);
}

static bool sum_up(bench_run *out, const record *r, const bench_loop *l,
                   const uint64_t bytes[BENCH_PART_COUNT])
{
    size_t room = r->n > r->n_reads ? r->n : r->n_reads;
    double *values = memory_calloc(room, sizeof *values);
    if (!values)
        return false;
    if (r->n_reads > 0) {
        memcpy(values, r->reads, r->n_reads * sizeof *values);
        out->read_bytes_per_s = quantile(values, r->n_reads, 0.5);
    }
    for (int i = 0; i < BENCH_PART_COUNT; i++) {
        bench_part *p = &out->parts[i];
        *p = (bench_part){.name = names[i], .bytes = bytes[i],
                          .ran = has_part(l, (bench_part_name)i)};
        for (size_t f = 0; f < r->n; f++)
            values[f] = 1e3 * r->times[f].seconds[i];
        p->ms_p50 = quantile(values, r->n, 0.5);
        p->ms_p95 = quantile(values, r->n, 0.95);
        p->ms_p99 = quantile(values, r->n, 0.99);
        if (p->ms_p50 > 0)
            p->bytes_per_s = 1e3 * (double)p->bytes / p->ms_p50;
        p->of_read_bandwidth = of_reads(r, (size_t)i, p->bytes, values);
    }
    memory_free(values);
    return true;
}

static void rate(bench_run *out, const bench_loop *l, int64_t steps,
                 uint64_t made_bytes)
{
    const mimi_config *c = &l->model->mimi->config;
    const bench_part *frame = &out->parts[BENCH_FRAME];
    machine_resident memory = machine_memory_resident();
    out->frame_ms = 1e3 * c->frame_samples / c->sample_rate_hz;
    if (frame->ms_p50 > 0) {
        out->real_time_factor = out->frame_ms / frame->ms_p50;
        out->streams_per_s = 1e3 * out->lanes / frame->ms_p50;
        out->real_time_lanes = out->lanes * out->frame_ms / frame->ms_p99;
    }
    out->state_bytes = bench_loop_state_bytes(l);
    out->made_bytes = made_bytes;
    out->cache_bytes = (uint64_t)out->lanes * bench_loop_cache_bytes(l, steps);
    if (l->model->lm)
        snprintf(out->cache_type, sizeof out->cache_type, "%s",
                 cache_type_name(l->model->lm->plain.plan));
    out->resident = memory.bytes;
    out->resident_own = memory.own_bytes;
}

/* beside: what a byte took in the passes over memory between these frames, in
 * seconds; 0 without such. */
static bool profile(bench_run *out, bench_loop *l, int64_t steps,
                    bandwidth *memory, pool *threads, double *beside)
{
    bench_times ignored;
    bench_clock *clocks[] = {&l->encode, &l->lm, &l->decode};
    bool ok = true;
    double seconds = 0; /* a byte of each pass */
    int frames = out->frames < PROFILE_FRAMES ? out->frames : PROFILE_FRAMES;
    for (int i = 0; i < 3; i++)
        clocks[i]->all = true;
    for (int i = 0; i < frames; i++) {
        bench_loop_frame(l, &ignored);
        double rate = memory ? read_memory(memory, threads, l->model->backend)
                             : 0;
        seconds += rate > 0 ? 1 / rate : 0;
    }
    *beside = seconds / frames;
    for (int i = 0; i < 3 && ok; i++)
        if (clocks[i]->frames)
            ok = bench_clock_rows(clocks[i], l->lanes,
                                  steps * clocks[i]->plan->steps,
                                  &out->by_kind, &out->by_layer);
    return ok;
}

/* From the rows of the profile, whose times are means. */
static void rate_attention(bench_run *out, const bench_loop *l, double beside)
{
    const char *kind = op_kind_name(OP_ATTENTION);
    for (size_t i = 0; l->model->lm && i < out->by_kind.count; i++) {
        const bench_row *r = &out->by_kind.list[i];
        if (strcmp(r->plan, l->model->lm->plain.plan->name) != 0 ||
            strcmp(r->name, kind) != 0 || r->ms <= 0)
            continue;
        bench_part *p = &out->attention;
        *p = (bench_part){.name = "attention", .ran = true, .ms_p50 = r->ms,
                          .bytes = r->bytes,
                          .bytes_per_s = 1e3 * (double)r->bytes / r->ms};
        p->of_read_bandwidth = p->bytes_per_s * beside;
    }
}

static void release_rows(bench_run *r)
{
    memory_free(r->by_kind.list);
    memory_free(r->by_layer.list);
    r->by_kind = r->by_layer = (bench_rows){0};
}

moshi_status bench_run_make(bench_run *out, const bench_model *m,
                            const bench_params *params, moshi_error *err)
{
    bench_run run = {.lanes = params->lanes, .cached = params->cached};
    bench_loop *l = memory_calloc(1, sizeof *l);
    uint64_t bytes[BENCH_PART_COUNT];
    record r = {0};
    bench_times first;
    pool *threads = NULL;
    if (!l)
        return error_no_memory(err, "the benchmark");
    run.threads = cpu_backend_threads(m->model->backend);
    moshi_status status = pool_open(&threads, run.threads, err);
    if (status == MOSHI_OK)
        status = bench_loop_open(l, m->model, params->lanes, params->cached,
                                 err);
    if (status == MOSHI_OK) {
        count_bytes(bytes, l, params->cached);
        bool ok = run_frames(&r, l, params, bytes[BENCH_FRAME], threads,
                             &first);
        int64_t steps = params->cached + l->frame - (int64_t)r.n / 2;
        run.frames = (int)r.n;
        run.first_ms = 1e3 * first.seconds[BENCH_FRAME];
        count_bytes(bytes, l, steps);
        run.lm_cache_read = lm_cache_read(l, steps);
        ok = ok && sum_up(&run, &r, l, bytes);
        rate(&run, l, params->cached ? INT32_MAX : l->frame, /* all filled */
             m->lm_bytes.n_bytes + m->mimi_bytes.n_bytes);
        /* It is no part of what the model takes. */
        if (params->memory && run.resident_own > bandwidth_bytes(params->memory)) {
            run.resident -= bandwidth_bytes(params->memory);
            run.resident_own -= bandwidth_bytes(params->memory);
        }
        double beside = 0;
        if (ok && (params->profile || params->cached))
            ok = profile(&run, l, params->cached + l->frame, params->memory,
                         threads, &beside);
        if (ok && params->cached)
            rate_attention(&run, l, beside);
        if (!params->profile)
            release_rows(&run);
        status = backend_failure(m->model->backend, err);
        if (status == MOSHI_OK && !ok)
            status = error_no_memory(err, "the benchmark");
    }
    bench_loop_close(l);
    pool_close(&threads);
    memory_free(r.times);
    memory_free(r.reads);
    memory_free(l);
    if (status == MOSHI_OK)
        *out = run;
    else
        bench_run_release(&run);
    return status;
}

void bench_run_release(bench_run *r)
{
    release_rows(r);
}
