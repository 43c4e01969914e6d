/* bench_report.c: tables, sentences and JSON of a benchmark. */
#include "cli/bench_report.h"

#include <stdio.h>
#include <string.h>

#include "base/cpu_flags.h"
#include "cli/json_out.h"

static void print_machine(const bench_machine *m)
{
    printf("machine       %s", cpu_level_name(cpu_level_chosen()));
    for (int i = 0; i < m->n_reads; i++)
        printf(", %d thread%s read%s %.1f GB/s", m->threads[i],
               m->threads[i] == 1 ? "" : "s", m->threads[i] == 1 ? "s" : "",
               m->bytes_per_s[i] * 1e-9);
    printf("\npeak          one thread: fp32 %.0f GFLOP/s, int8 %.0f Gop/s",
           m->one.fp32 * 1e-9, m->one.int8 * 1e-9);
    if (m->one.bf16 > 0)
        printf(", bf16 %.0f GFLOP/s", m->one.bf16 * 1e-9);
    printf("; all cores: fp32 %.0f, int8 %.0f", m->all.fp32 * 1e-9,
           m->all.int8 * 1e-9);
    if (m->all.bf16 > 0)
        printf(", bf16 %.0f", m->all.bf16 * 1e-9);
    printf("\n");
}

/* What is neither the model's files (or what stands for them) nor keys and
 * values, and as little of a run as that. */
static double other_bytes(const bench_run *r)
{
    double other = (double)r->resident_own - (double)r->made_bytes -
                   (double)r->cache_bytes;
    return other > 0 ? other : 0;
}

static void print_memory(const bench_run *r)
{
    const bench_part *a = &r->attention;
    if (a->ran)
        printf("attention %.2f ms of that: %.1f MB of keys and values in %s, "
               "%.2f GB/s, %.0f%% of memory\n", a->ms_p50,
               (double)a->bytes * 1e-6, r->cache_type, a->bytes_per_s * 1e-9,
               100 * a->of_read_bandwidth);
    printf("memory %.0f MB resident, %.0f MB of it no file's; keys and values "
           "%.0f MB", (double)r->resident * 1e-6,
           (double)r->resident_own * 1e-6, (double)r->cache_bytes * 1e-6);
    if (r->cache_type[0])
        printf(" (%s)", r->cache_type);
    printf(", beside them and the weights %.0f MB; a stream's state is up to "
           "%.0f MB\n", other_bytes(r) * 1e-6,
           (double)r->state_bytes * 1e-6);
}

static void print_run(const bench_run *r)
{
    printf("\n%d frame%s, ", r->frames, r->frames == 1 ? "" : "s");
    if (r->threads)
        printf("%d thread%s, ", r->threads, r->threads == 1 ? "" : "s");
    printf("%d lane%s", r->lanes, r->lanes == 1 ? "" : "s");
    if (r->cached)
        printf(", %lld steps cached", (long long)r->cached);
    printf(r->threads ? "; memory beside the frames: %.1f GB/s\n"
                      : "; the GPU copies %.1f GB/s\n",
           r->read_bytes_per_s * 1e-9);
    printf("%-12s %9s %9s %9s %11s %8s %9s\n", "part", "p50 ms", "p95 ms",
           "p99 ms", "MB/frame", "GB/s", "of memory");
    for (int i = 0; i < BENCH_PART_COUNT; i++) {
        const bench_part *p = &r->parts[i];
        if (!p->ran)
            continue;
        printf("%-12s %9.2f %9.2f %9.2f", p->name, p->ms_p50, p->ms_p95,
               p->ms_p99);
        if (p->bytes)
            printf(" %11.1f %8.2f %8.0f%%", (double)p->bytes * 1e-6,
                   p->bytes_per_s * 1e-9, 100 * p->of_read_bandwidth);
        printf("\n");
    }
    printf("real-time factor %.2f, %.1f frames of a stream a second, "
           "%.2f streams in time\n", r->real_time_factor, r->streams_per_s,
           r->real_time_lanes);
    print_memory(r);
}

static void print_rows(const bench_rows *rows, const char *title)
{
    printf("\n%-16s %-32s %6s %9s %10s %8s\n", "plan", title, "ops", "ms",
           "MB", "GB/s");
    for (size_t i = 0; i < rows->count; i++) {
        const bench_row *r = &rows->list[i];
        printf("%-16s %-32s %6zu %9.3f", r->plan, r->name, r->ops, r->ms);
        if (r->bytes && r->ms > 0)
            printf(" %10.2f %8.2f", (double)r->bytes * 1e-6,
                   (double)r->bytes / r->ms * 1e-6);
        printf("\n");
    }
}

static void print_lanes(const bench_findings *f)
{
    const bench_run *one = NULL;
    if (f->n_runs < 2)
        return;
    for (size_t i = 0; i < f->n_runs && !one; i++)
        if (f->runs[i].lanes == 1 && f->runs[i].streams_per_s > 0)
            one = &f->runs[i];
    printf("\n%-6s %12s %14s", "lanes", "frame p50 ms", "frames/s");
    printf(one ? " %20s\n" : "\n", "against one lane");
    for (size_t i = 0; i < f->n_runs; i++) {
        const bench_run *r = &f->runs[i];
        printf("%-6d %12.2f %14.1f", r->lanes, r->parts[BENCH_FRAME].ms_p50,
               r->streams_per_s);
        if (one)
            printf(" %19.2fx", r->streams_per_s / one->streams_per_s);
        printf("\n");
    }
}

/* Of fewer frames the 99th percentile is the slowest. */
static bool is_slowest(const bench_run *r)
{
    return 0.01 * (r->frames - 1) <= 0.5;
}

/* "In time with 2 lanes: 99 of 100 frames take 12.3 ms or less" */
static void print_frames(const bench_run *r, bool real_time)
{
    double p99 = r->parts[BENCH_FRAME].ms_p99;
    printf("\n%s", real_time ? "In time" : "Not in time");
    if (r->lanes > 1)
        printf(" with %d lanes", r->lanes);
    if (r->frames == 1)
        printf(": the only frame took %.1f ms", p99);
    else if (is_slowest(r))
        printf(": the slowest of %d frames took %.1f ms", r->frames, p99);
    else if (real_time)
        printf(": 99 of 100 frames take %.1f ms or less", p99);
    else
        printf(": one frame in a hundred takes %.1f ms or more", p99);
    printf(", and a frame lasts %.0f ms.", r->frame_ms);
}

static void print_advice(const bench_run *r, const bench_advice *a,
                         bool has_lm)
{
    print_frames(r, a->real_time);
    if (a->real_time) {
        printf("\n");
        return;
    }
    printf(" It would take a machine that reads %.0f GB/s.\n",
           a->needed_bytes_per_s * 1e-9);
    if (!has_lm)
        return;
    if (a->n_fits == 0) {
        printf("No smaller model of this kind would be in time here either");
        if (a->smaller.bytes > 0)
            printf("; %s would take %.0f ms", a->smaller.name, a->smaller.ms);
        printf(".\n");
    }
    for (int i = 0; i < a->n_fits; i++)
        printf("%s %s: %.0f ms (%.0f MB a frame).\n",
               i ? "  " : "Would be in time here:", a->fits[i].name,
               a->fits[i].ms, a->fits[i].bytes * 1e-6);
}

void bench_report_print(const bench_findings *f)
{
    printf("model         %s\n", f->name);
    print_machine(f->machine);
    if (strcmp(f->device, "cpu") != 0)
        printf("device        %s\n", f->device);
    printf("start         ");
    if (f->open_ms > 0)
        printf("opened in %.1f ms, weights in memory %.1f ms later, ",
               f->open_ms, f->load_ms);
    printf("first frame %.1f ms\n", f->runs[0].first_ms);
    for (size_t i = 0; i < f->n_runs; i++) {
        const bench_run *r = &f->runs[i];
        print_run(r);
        if (r->by_kind.count) {
            print_rows(&r->by_kind, "kind of operation");
            print_rows(&r->by_layer, "layer");
        }
    }
    print_lanes(f);
    print_advice(&f->runs[0], f->advice, f->has_lm);
}

/* --- JSON --- */

static void json_peaks(json_out *j, const char *key, const peaks *p)
{
    json_out_object(j, key);
    json_out_real(j, "fp32_gflops", p->fp32 * 1e-9);
    if (p->int8 > 0)
        json_out_real(j, "int8_gops", p->int8 * 1e-9);
    else
        json_out_null(j, "int8_gops");
    if (p->bf16 > 0)
        json_out_real(j, "bf16_gflops", p->bf16 * 1e-9);
    else
        json_out_null(j, "bf16_gflops");
    json_out_end(j);
}

static void json_machine(json_out *j, const bench_machine *m)
{
    char count[16];
    json_out_object(j, "machine");
    json_out_object(j, "read_gb_per_s");
    for (int i = 0; i < m->n_reads; i++) {
        snprintf(count, sizeof count, "%d", m->threads[i]);
        json_out_real(j, count, m->bytes_per_s[i] * 1e-9);
    }
    json_out_end(j);
    json_out_text(j, "isa", cpu_level_name(cpu_level_chosen()));
    json_peaks(j, "peak_one_thread", &m->one);
    json_peaks(j, "peak_all_cores", &m->all);
    json_out_end(j);
}

static void json_parts(json_out *j, const bench_run *r)
{
    json_out_array(j, "parts");
    for (int i = 0; i < BENCH_PART_COUNT; i++) {
        const bench_part *p = &r->parts[i];
        if (!p->ran)
            continue;
        json_out_object(j, NULL);
        json_out_text(j, "name", p->name);
        json_out_real(j, "ms_p50", p->ms_p50);
        json_out_real(j, "ms_p95", p->ms_p95);
        json_out_real(j, "ms_p99", p->ms_p99);
        json_out_integer(j, "bytes", (int64_t)p->bytes);
        json_out_real(j, "gb_per_s", p->bytes_per_s * 1e-9);
        json_out_real(j, "of_read_bandwidth", p->of_read_bandwidth);
        json_out_end(j);
    }
    json_out_end(j);
}

static void json_rows(json_out *j, const char *key, const bench_rows *rows)
{
    json_out_array(j, key);
    for (size_t i = 0; i < rows->count; i++) {
        const bench_row *r = &rows->list[i];
        json_out_object(j, NULL);
        json_out_text(j, "plan", r->plan);
        json_out_text(j, "name", r->name);
        json_out_integer(j, "ops", (int64_t)r->ops);
        json_out_real(j, "ms", r->ms);
        json_out_integer(j, "bytes", (int64_t)r->bytes);
        json_out_end(j);
    }
    json_out_end(j);
}

/* The fields of a run: at the top for the first, in "runs" for each. */
static void json_run(json_out *j, const bench_run *r)
{
    json_out_integer(j, "threads", r->threads);
    json_out_integer(j, "lanes", r->lanes);
    json_out_integer(j, "frames", r->frames);
    json_out_integer(j, "steps_cached", r->cached);
    json_parts(j, r);
    json_out_real(j, "read_gb_per_s_beside", r->read_bytes_per_s * 1e-9);
    json_out_real(j, "real_time_factor", r->real_time_factor);
    json_out_bool(j, "real_time", bench_run_in_time(r));
    json_out_real(j, "stream_frames_per_s", r->streams_per_s);
    json_out_real(j, "real_time_lanes", r->real_time_lanes);
    json_out_real(j, "rss_mb", (double)r->resident * 1e-6);
    json_out_real(j, "rss_own_mb", (double)r->resident_own * 1e-6);
    json_out_real(j, "cache_mb", (double)r->cache_bytes * 1e-6);
    json_out_real(j, "other_mb", other_bytes(r) * 1e-6);
    json_out_text(j, "kv", r->cache_type);
    if (r->attention.ran) {
        json_out_object(j, "attention");
        json_out_real(j, "ms", r->attention.ms_p50);
        json_out_integer(j, "bytes", (int64_t)r->attention.bytes);
        json_out_real(j, "of_read_bandwidth", r->attention.of_read_bandwidth);
        json_out_end(j);
    }
    json_out_real(j, "state_mb", (double)r->state_bytes * 1e-6);
    if (r->by_kind.count) {
        json_out_object(j, "profile");
        json_rows(j, "by_kind", &r->by_kind);
        json_rows(j, "by_layer", &r->by_layer);
        json_out_end(j);
    }
}

static void json_choice(json_out *j, const char *key, const bench_choice *c)
{
    json_out_object(j, key);
    json_out_text(j, "name", c->name);
    json_out_real(j, "ms", c->ms);
    json_out_real(j, "bytes", c->bytes);
    json_out_end(j);
}

static void json_advice(json_out *j, const bench_run *r, const bench_advice *a)
{
    json_out_object(j, "verdict");
    json_out_integer(j, "lanes", r->lanes);
    json_out_bool(j, "real_time", a->real_time);
    json_out_real(j, "frame_ms", r->frame_ms);
    json_out_real(j, "needed_gb_per_s", a->needed_bytes_per_s * 1e-9);
    json_out_array(j, "in_time");
    for (int i = 0; i < a->n_fits; i++)
        json_choice(j, NULL, &a->fits[i]);
    json_out_end(j);
    if (!a->real_time && a->n_fits == 0 && a->smaller.bytes > 0)
        json_choice(j, "smallest", &a->smaller);
    else
        json_out_null(j, "smallest");
    json_out_end(j);
}

static void json_start(json_out *j, const bench_findings *f)
{
    json_out_object(j, "start");
    if (f->open_ms > 0) {
        json_out_real(j, "open_ms", f->open_ms);
        json_out_real(j, "load_ms", f->load_ms);
    } else {
        json_out_null(j, "open_ms");
        json_out_null(j, "load_ms");
    }
    json_out_real(j, "first_frame_ms", f->runs[0].first_ms);
    json_out_end(j);
}

void bench_report_json(const bench_findings *f)
{
    json_out j;
    json_out_init(&j, stdout);
    json_out_object(&j, NULL);
    json_machine(&j, f->machine);
    json_out_text(&j, "model", f->name);
    json_out_text(&j, "device", f->device);
    json_start(&j, f);
    json_run(&j, &f->runs[0]);
    json_advice(&j, &f->runs[0], f->advice);
    json_out_array(&j, "runs");
    for (size_t i = 0; i < f->n_runs; i++) {
        json_out_object(&j, NULL);
        json_run(&j, &f->runs[i]);
        json_out_end(&j);
    }
    json_out_end(&j);
    json_out_end(&j);
}
